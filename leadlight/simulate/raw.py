"""The raw files of a simulated market, as a CRM and its neighbours would export them, and their mapping."""

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import ACTIVITY_TYPES, MICROSECONDS_PER_SECOND, STAGES
from leadlight.simulate.contents import CONTENTS, NEWSLETTER_EVERY_DAYS
from leadlight.simulate.market import Market, Trait
from leadlight.simulate.noise import RawActivities
from leadlight.simulate.people import MISSING, Codes
from leadlight.simulate.record import Record
from leadlight.simulate.truth import lead_name

if TYPE_CHECKING:
    import polars as pl

_ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
_LOCAL: Final = "%Y/%m/%d %H:%M:%S"
_TOKYO_US: Final = 9 * 3_600 * MICROSECONDS_PER_SECOND
_CONSENT: Final = 0.97  # share of leads that agreed to mail
LOST_REASONS: Final = ("timing", "budget", "competitor chosen", "missing feature", "no internal consent")
SEND_BACK_REASONS: Final = (
    "too early",
    "no budget yet",
    "no authority",
    "not a target",
    "unreachable",
    "competitor or student",
    "other",
)
_BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
)
_SCANNER: Final = "MailGate-LinkScanner/2.1 (+security check of links)"
_SIZE_BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "10-49": (10, 50),
    "50-299": (50, 300),
    "300-999": (300, 1_000),
    "1000-9999": (1_000, 10_000),
}


@dataclass(frozen=True, slots=True)
class _EventFile:
    """One raw file of activities: its name, the kinds in it and what its columns are called."""

    name: str
    kinds: tuple[str, ...]
    id: str
    contact: str
    at: str
    received: str
    local: bool = False
    what: str | None = None  # column that tells the kind
    words: tuple[str, ...] = ()  # what that column says, in the order of `kinds`
    content: str | None = None
    agent: bool = False
    bom: bool = False


_EVENT_FILES: Final = (
    _EventFile(
        "web_events.csv.gz",
        ("page_view", "blog_view", "case_study_view", "pricing_view", "download"),
        *("event_id", "contact_id", "at", "received_at"),
        content="path",
        agent=True,
    ),
    _EventFile(
        "mail_events.csv",
        ("mail_sent", "mail_open", "mail_click", "unsubscribe"),
        *("event_id", "contact_id", "at", "received_at"),
        what="event",
        words=("delivered", "open", "click", "unsubscribe"),
        content="mail",
        agent=True,
    ),
    _EventFile(
        "crm_tasks.csv",
        ("call", "meeting"),
        *("task_id", "contact_id", "done_at", "entered_at"),
        local=True,
        what="task_type",
        words=("電話", "商談"),
        bom=True,
    ),
    _EventFile(
        "seminars.csv",
        ("seminar_registered", "seminar_attended", "survey_answered"),
        *("entry_id", "contact_id", "at", "imported_at"),
        what="status",
        words=("registered", "attended", "survey"),
        content="seminar",
    ),
    _EventFile(
        "forms.csv",
        ("business_card", "contact_form", "document_request"),
        *("entry_id", "contact_id", "at", "received_at"),
        content="form",
    ),
    _EventFile("chats.ndjson", ("chat",), *("id", "contact", "at", "received_at"), content="topic"),
)


def write_raw(
    folder: Path, market: Market, record: Record, activities: RawActivities, rng: np.random.Generator
) -> None:
    """Write all raw files into a folder that exists."""
    _write_people(folder, market, record, rng)
    _write_stages(folder, record)
    for file in _EVENT_FILES:
        wanted = np.isin(activities.kind, [ACTIVITY_TYPES.index(kind) for kind in file.kinds])
        _write(_events(file, activities.take(np.flatnonzero(wanted)), record), folder / file.name, file.bom)


def write_mapping(path: Path, record: Record) -> None:
    """Write the mapping of the raw files."""
    until = datetime.fromtimestamp(record.options.observed_until_us / MICROSECONDS_PER_SECOND, UTC)
    template = (Path(__file__).parent / "mapping.yaml").read_text(encoding="utf-8")
    path.write_text(template.replace("@OBSERVED_UNTIL@", until.isoformat()), encoding="utf-8")


def _write_people(folder: Path, market: Market, record: Record, rng: np.random.Generator) -> None:
    import polars as pl  # noqa: PLC0415  (only writing files needs it)

    people = record.people
    companies = len(people.company_codes)
    firms: dict[str, Any] = {
        "company_id": [f"C{row + 1:06d}" for row in range(companies)],
        "company": [f"Example Trading {row + 1:06d}" for row in range(companies)],
    }
    for column, trait in enumerate(market.company_traits):
        codes = people.company_codes[:, column]
        if trait.name == "company_size":
            firms["employees"] = _employees(trait, codes, rng)
        else:
            firms[trait.name] = _texts(trait.values, codes)
    firm_table = pl.DataFrame(firms)
    person = {
        "contact_id": [lead_name(row) for row in range(len(people.company))],
        "created": _times(record.created_us, local=True),
    }
    traits = {
        trait.name: _texts(trait.values, people.person_codes[:, column])
        for column, trait in enumerate(market.person_traits)
    }
    consent = {"consent": _texts(("no", "yes"), (rng.random(len(people.company)) < _CONSENT).astype(np.int64))}
    contacts = pl.DataFrame(person).hstack(firm_table[people.company]).hstack(pl.DataFrame(traits | consent))
    _write(contacts, folder / "contacts.csv")
    _write(firm_table, folder / "companies.csv")


def _employees(trait: Trait, codes: Codes, rng: np.random.Generator) -> "pl.Series":
    """Draw a number of employees inside each size class: it says no more than the class."""
    import polars as pl  # noqa: PLC0415

    low, high = (np.array([_SIZE_BOUNDS[value][end] for value in trait.values])[codes] for end in (0, 1))
    number = np.floor(low * (high / low) ** rng.random(len(codes))).astype(np.int64)
    return pl.DataFrame({"n": number, "known": codes != MISSING}).select(pl.when("known").then("n").alias("employees"))[
        "employees"
    ]


def _write_stages(folder: Path, record: Record) -> None:
    import polars as pl  # noqa: PLC0415

    first = np.arange(len(record.created_us))
    lead = np.concatenate([first, record.move_lead])
    stage = np.concatenate([np.zeros(len(first), dtype=np.int64), record.move_stage])
    at = np.concatenate([record.created_us, record.move_at_us])
    blank = np.full(len(first), np.nan)
    amount = pl.Series(np.concatenate([blank, record.move_amount])).fill_nan(None).cast(pl.Int64)
    reason = np.full(len(lead), MISSING)
    moved = slice(len(first), None)
    lost, back = record.move_stage == STAGES.index("lost"), record.move_stage == STAGES.index("lead")
    position = record.move_reason
    reason[moved][lost] = (position[lost] * len(LOST_REASONS)).astype(np.int64)
    reason[moved][back] = len(LOST_REASONS) + (position[back] * len(SEND_BACK_REASONS)).astype(np.int64)
    table = pl.DataFrame(
        {
            "contact_id": _names(lead),
            "stage": _texts(STAGES, stage),
            "entered_at": _times(at),
            "reason": _texts((*LOST_REASONS, *SEND_BACK_REASONS), reason),
            "amount": amount,
        }
    )
    order = np.lexsort((np.arange(len(lead)), at))
    _write(table[order], folder / "lifecycle_history.csv")


def _events(file: _EventFile, rows: RawActivities, record: Record) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415

    columns: dict[str, pl.Series] = {
        file.id: _numbered(file.name[0], rows.number),
        file.contact: _names(rows.lead),
        file.at: _times(rows.at_us, local=file.local),
        file.received: _times(rows.received_us, local=file.local),
    }
    late = rows.received_us > rows.at_us
    code = np.full(len(ACTIVITY_TYPES), MISSING)
    code[[ACTIVITY_TYPES.index(kind) for kind in file.kinds]] = np.arange(len(file.kinds))
    if file.what is not None:
        columns[file.what] = _texts(file.words, code[rows.kind])
    if file.content == "mail":
        issue = (rows.at_us - record.options.start_us) // (NEWSLETTER_EVERY_DAYS * 86_400 * MICROSECONDS_PER_SECOND)
        columns["mail"] = _texts(
            tuple(f"newsletter {number + 1:03d}" for number in range(issue.max(initial=0) + 1)), issue
        )
    elif file.content is not None:
        names = [name for kind in file.kinds for name in CONTENTS[kind]]
        starts = np.cumsum([0] + [len(CONTENTS[kind]) for kind in file.kinds])
        columns[file.content] = _texts(tuple(names), starts[code[rows.kind]] + rows.content)
    if file.agent:
        browser = (rows.lead + rows.number % 2) % len(_BROWSERS)  # two devices a lead
        sent = rows.kind == ACTIVITY_TYPES.index("mail_sent")
        agent = np.where(sent, MISSING, np.where(rows.agent > 0, len(_BROWSERS), browser))
        columns["user_agent"] = _texts((*_BROWSERS, _SCANNER), agent)
    return pl.DataFrame(columns).with_columns(pl.when(pl.Series(late)).then(pl.col(file.received)))


def _texts(values: tuple[str, ...], codes: NDArray[np.integer[Any]]) -> "pl.Series":
    """Look up texts by code; `MISSING` gives null."""
    import polars as pl  # noqa: PLC0415

    return pl.Series([*values, None], dtype=pl.String).gather(np.where(codes == MISSING, len(values), codes))


def _names(lead: Codes) -> "pl.Series":
    import polars as pl  # noqa: PLC0415

    return pl.Series([lead_name(row) for row in range(int(lead.max(initial=0)) + 1)]).gather(lead)


def _numbered(prefix: str, number: Codes) -> "pl.Series":
    import polars as pl  # noqa: PLC0415

    return pl.Series(number).cast(pl.String).str.zfill(9).str.replace("^", prefix)


def _times(at_us: NDArray[np.int64], *, local: bool = False) -> "pl.Series":
    """Write instants as ISO 8601 in UTC, or as wall time in Tokyo (which has no summer time)."""
    import polars as pl  # noqa: PLC0415

    shown = pl.Series(at_us + (_TOKYO_US if local else 0)).cast(pl.Datetime("us"))
    return shown.dt.strftime(_LOCAL if local else _ISO)


def _write(table: "pl.DataFrame", path: Path, bom: bool = False) -> None:
    if path.suffix == ".ndjson":
        table.write_ndjson(path)
    elif path.suffix == ".gz":
        with path.open("wb") as plain, gzip.GzipFile("", "wb", compresslevel=1, fileobj=plain, mtime=0) as file:
            file.write(
                table.write_csv().encode()
            )  # no name and no time in the header: the same rows give the same bytes
    else:
        table.write_csv(path, include_bom=bom)
