"""A whole market on disk: raw files, mapping and truth, written whole or not at all."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from leadlight.errors import InputError
from leadlight.schema import MICROSECONDS_PER_SECOND
from leadlight.simulate.defaults import default_market
from leadlight.simulate.noise import add_noise
from leadlight.simulate.raw import write_mapping, write_raw
from leadlight.simulate.record import Options, run
from leadlight.simulate.truth import write_truth
from leadlight.workspace import folder_atomically

CONTENTS: Final = frozenset({"raw", "truth", "mapping.yaml"})


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written.

    Attributes:
        folder: where.
        leads: number of leads.
        companies: number of companies.
        activities: activities of the clean record.
        raw_rows: rows of activities in the raw files, noise included.
        stage_entries: entries into stages, `lead` included.
        observed_until: end of the record, ISO 8601 in UTC.
        seconds: how long it took.
    """

    folder: str
    leads: int
    companies: int
    activities: int
    raw_rows: int
    stage_entries: int
    observed_until: str
    seconds: float


def write_market(
    folder: Path, options: Options, *, replace: bool = False, say: Callable[[str], None] = lambda _: None
) -> Summary:
    """Simulate a market and write FOLDER/raw, FOLDER/mapping.yaml and FOLDER/truth.

    Args:
        folder: where to; it must not exist or be empty, or hold a market if `replace`.
        options: what to simulate.
        replace: whether a market that is there already may go.
        say: told what is being done.

    Raises:
        InputError: the folder holds something else, or a market and not `replace`.
    """
    began = time.perf_counter()
    _check_room(folder, replace=replace)
    market = default_market()
    noise, extras = (np.random.default_rng([options.seed, stream]) for stream in (1, 2))
    say(f"simulating {options.leads:,} leads")
    record = run(market, options)
    activities = add_noise(record, noise)
    say(f"writing {len(activities.lead):,} activities")
    with _set_aside(folder), folder_atomically(folder) as fresh:
        (fresh / "raw").mkdir()
        (fresh / "truth").mkdir()
        write_raw(fresh / "raw", market, record, activities, extras)
        write_mapping(fresh / "mapping.yaml", record)
        write_truth(fresh / "truth", market, record)
    return Summary(
        folder=str(folder),
        leads=options.leads,
        companies=len(record.people.company_codes),
        activities=len(record.lead),
        raw_rows=len(activities.lead),
        stage_entries=len(record.move_lead) + options.leads,
        observed_until=datetime.fromtimestamp(options.observed_until_us / MICROSECONDS_PER_SECOND, UTC).isoformat(),
        seconds=round(time.perf_counter() - began, 2),
    )


def _check_room(folder: Path, *, replace: bool) -> None:
    """Refuse a folder whose content is not ours to replace."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    holds = {path.name for path in folder.iterdir()}
    if holds and not replace:
        raise InputError(f"{folder} is not empty; choose another DIR or replace the market in it with --force")
    if not holds <= CONTENTS:
        other = min(holds - CONTENTS)
        raise InputError(f"{folder} holds `{other}`, which is not of a simulated market; choose another DIR")


@contextmanager
def _set_aside(folder: Path) -> Iterator[None]:
    """Move what is at `folder` out of the way; it comes back if the block fails, and goes if it succeeds."""
    if not folder.exists():
        yield
        return
    aside = folder.with_name(f".{folder.name}.old.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    try:
        yield
    except BaseException:
        aside.rename(folder)
        raise
    shutil.rmtree(aside)
