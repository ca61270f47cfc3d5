"""The questions put to three public data sets: what is predicted, from when on it is tested, and what is compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks import plain
from benchmarks.plain import Predictions
from leadlight.errors import InputError
from leadlight.schema import DAY, Target
from training.split import Split

BPIC_AGES: Final = (1, 7, 14)
OLIST_AGE: Final = 1
TRAIN_SHARE: Final = 0.7
# X Education's columns that are snapshots of the end of a lead's life: as attributes here, and in the raw file.
LAST_ATTRIBUTES: Final = ("last_activity", "last_notable_activity")
LAST_COLUMNS: Final = ("Last Activity", "Last Notable Activity")


def instant(text: str) -> int:
    """Turn an ISO time with its offset into µs UTC.

    >>> instant("1970-01-01T01:00:01+01:00")
    1000000
    """
    return int(datetime.fromisoformat(text).timestamp()) * plain.SECOND


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one data set.

    Attributes:
        key: its name in the results.
        title: heading.
        folder: of the raw files under the data folder, and of mapping and card under `examples/`.
        files: raw files.
        source: where the data come from.
        licence: theirs.
        asked: the question in words.
        remarks: what a reader must know to read the figures.
        target: stage to be predicted.
        test_from: the cut, µs UTC; or the share of the leads, in their order, that is learnt from.
        plain: the plain reference, from the folder of the raw files and the product's split.
        horizon_us: None = ever.
        ages_us: ages of test snapshots; empty where there is no clock.
        allow: attributes of unknown time that may be used, whatever the audit says.
        drop: features that are left out, though the audit finds nothing against them.
        only_new: compare only leads created at or after the cut.
        facts: figures counted in the raw files, from their folder and the split.
    """

    key: str
    title: str
    folder: str
    files: tuple[str, ...]
    source: str
    licence: str
    asked: str
    remarks: str
    target: Target
    test_from: int | float
    plain: Callable[[Path, Split], Predictions]
    horizon_us: int | None = None
    ages_us: tuple[int, ...] = ()
    allow: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    only_new: bool = False
    facts: Callable[[Path, Split], Mapping[str, int]] | None = None


def _plain_bpic2012(folder: Path, split: Split) -> Predictions:
    return plain.bpic2012(
        folder, cut=split.cut, until=split.until, horizon=split.horizon_us or 30 * DAY, test_ages=BPIC_AGES
    )


def _plain_olist(folder: Path, split: Split) -> Predictions:
    return plain.olist(folder, cut=split.cut, until=split.until, horizon=split.horizon_us or 60 * DAY, age=OLIST_AGE)


def _plain_creation(folder: Path, _split: Split) -> Predictions:
    return plain.xeducation(folder, train_share=TRAIN_SHARE, without=LAST_COLUMNS)


def _plain_last(folder: Path, _split: Split) -> Predictions:
    return plain.xeducation(folder, train_share=TRAIN_SHARE)


def _olist_facts(folder: Path, split: Split) -> dict[str, int]:
    """Count in the raw files what was known at the cut."""
    contacts = plain.olist_contacts(folder).filter(pl.col("created") < split.cut)
    won = contacts.filter(pl.col("won") < split.cut)
    old = pl.col("created") + (split.horizon_us or 60 * DAY) < split.cut
    return {
        "contacts before the cut": contacts.height,
        "contacts older than the horizon at the cut": contacts.filter(old).height,
        "wins known at the cut": won.height,
        "wins known at the cut among contacts older than the horizon": won.filter(old).height,
    }


BPIC2012: Final = Question(
    key="bpic2012",
    title="BPI Challenge 2012: loan applications of a bank",
    folder="bpic2012",
    files=("applications.csv", "events.csv.gz"),
    source="B. van Dongen, BPI Challenge 2012, 4TU.ResearchData, doi:10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f",
    licence="CC BY 4.0",
    asked="Will an application that is still open 1, 7 or 14 days after registration become a customer (A_ACTIVATED, "
    "A_APPROVED or A_REGISTERED) within 30 days?",
    remarks="`plain` counts every activity x lifecycle before the instant; beside them amount, age, hour of "
    "registration and seconds since the last event.",
    target="customer",
    test_from=instant("2011-12-01T00:00:00+00:00"),
    horizon_us=30 * DAY,
    ages_us=tuple(age * DAY for age in BPIC_AGES),
    plain=_plain_bpic2012,
)

_XEDUCATION: Final = (
    "The oldest 70 % of the leads are learnt from, the newest 30 % tested, in the order of `Lead Number`. The data "
    "have no times: the attributes are as of the day of the export, so the figures are **not point in time**. "
)

XEDUCATION_CREATION: Final = Question(
    key="xeducation_creation",
    title="X Education: course enquiries, attributes known early",
    folder="xeducation",
    files=("leads.csv",),
    source="the lead table of an education company, public as teaching material",
    licence="none stated",
    asked="Will a lead convert?",
    remarks=f"{_XEDUCATION}What sales filled in after talking to the lead is left out on both sides, and so are "
    "`Last Activity` and `Last Notable Activity`, snapshots of the end of a lead's life. The audit finds nothing "
    "against these two, so training would use them: here they are dropped (`--features`), because the plain reference "
    "does not see them either.",
    target="customer",
    test_from=TRAIN_SHARE,
    plain=_plain_creation,
    drop=tuple(f"fit.{name}" for name in LAST_ATTRIBUTES),
)

XEDUCATION_LAST: Final = Question(
    key="xeducation_last_activity",
    title="X Education: with the last activities",
    folder="xeducation",
    files=("leads.csv",),
    source=XEDUCATION_CREATION.source,
    licence=XEDUCATION_CREATION.licence,
    asked="Will a lead convert?",
    remarks=f"{_XEDUCATION}What sales filled in after talking to the lead is left out on both sides. `Last Activity` "
    "and `Last Notable Activity` are used on both sides (`--allow`), although when they became known is unknown: read "
    "the figures as a comparison of two learners on the same columns, not as what a score at creation would reach.",
    target="customer",
    test_from=TRAIN_SHARE,
    plain=_plain_last,
    allow=LAST_ATTRIBUTES,
)

OLIST: Final = Question(
    key="olist",
    title="Olist: a marketplace's sellers, too early for a model",
    folder="olist",
    files=("marketing_qualified_leads.csv", "closed_deals.csv"),
    source="Olist, Marketing Funnel by Olist",
    licence="CC BY-NC-SA 4.0",
    asked="Will a contact of January 2018 that is still open one day later be won within 60 days?",
    remarks="Tested are the contacts made from the cut on whose 60 days after the first day end within the record "
    "(those of 31 January miss it by a day). `plain` learns from origin and landing page what was known at the cut, "
    "to show what fitting a model all the same would have given.",
    target="customer",
    test_from=instant("2018-01-01T00:00:00+00:00"),
    horizon_us=60 * DAY,
    ages_us=(OLIST_AGE * DAY,),
    plain=_plain_olist,
    only_new=True,
    facts=_olist_facts,
)

QUESTIONS: Final = (BPIC2012, XEDUCATION_CREATION, XEDUCATION_LAST, OLIST)


def check_files(data: Path, questions: tuple[Question, ...] = QUESTIONS) -> None:
    """Refuse a data folder in which a raw file is missing.

    Raises:
        InputError: the folder or a file of it is not there; `--data` is named.
    """
    if not data.is_dir():
        raise InputError(f"--data: folder `{data}` does not exist; give the folder that holds the public data sets")
    wanted = dict.fromkeys(f"{question.folder}/{name}" for question in questions for name in question.files)
    missing = [name for name in wanted if not (data / name).is_file()]
    if missing:
        raise InputError(
            f"--data: `{data}` lacks {', '.join(missing)}; give the folder that holds the public data sets"
        )
