"""Clean data sets into which leaks are planted: simulated markets and the loan applications of BPIC 2012, in memory.

What their mappings declare of the attributes is taken away: the audit has to see for itself that they are honest.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.measure import ROOT, options_of
from benchmarks.sets import BPIC2012
from features import hygiene as of_tables
from features import tables as tables_of
from features.tables import Tables
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY, Target
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.write import write_market
from leadlight.workspace import TablesInfo, Workspace
from rules import parse
from training.options import Options, make_split
from training.split import Split

LEADS: Final = 12_000
SIMULATOR: Final = "simulator"
# Of a simulated market opportunities are foreseen: of 12,000 leads too few become customers before the cut.
TARGET: Final[Target] = "opportunity"
HORIZON: Final = 120 * DAY


@dataclass(frozen=True, slots=True)
class Clean:
    """A data set without leaks.

    Attributes:
        name: of the set.
        seed: of the market; 0 for real data.
        tables: in memory, as hygiene leaves them.
        info: what is known of them, with nothing declared.
        split: target, horizon and cut.
    """

    name: str
    seed: int
    tables: Tables
    info: TablesInfo
    split: Split


def undeclared(info: TablesInfo) -> TablesInfo:
    """Give what is known of tables with every attribute's time unknown."""
    return replace(info, attributes=tuple(replace(one, known_at="unknown") for one in info.attributes))


def clean_sets(data: Path | None, seeds: int, leads: int = LEADS) -> Iterator[Clean]:
    """Yield a simulated market per seed, then BPIC 2012 where the folder of the data sets is given."""
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as scratch:
            market = Path(scratch) / "market"
            write_market(market, MarketOptions(leads=leads, seed=seed))
            asked = Options(TARGET, 0.7, parse.builtin("standard"), horizon_us=HORIZON)
            yield _ingested(market / "mapping.yaml", market / "raw", asked, SIMULATOR, seed)
    if data is not None:
        asked = options_of(BPIC2012, parse.builtin("standard"))
        yield _ingested(ROOT / "examples" / "bpic2012" / "mapping.yaml", data / "bpic2012", asked, BPIC2012.key, 0)


def _ingested(mapping: Path, raw: Path, asked: Options, name: str, seed: int) -> Clean:
    """Ingest raw files in a folder that is thrown away, and keep the tables in memory."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Workspace.at(Path(scratch) / "workspace")
        ingest(mapping, raw, room)
        tables = in_memory(of_tables.of_workspace(room).tables)
        info = undeclared(room.tables_info())
    return Clean(name, seed, tables, info, make_split(tables, info, asked))


def in_memory(tables: Tables) -> Tables:
    """Read lazy tables once."""
    return tables_of.Tables(
        tables.leads.collect().lazy(),
        tables.activities.collect().lazy(),
        tables.stages.collect().lazy(),
        tables.changes.collect().lazy(),
        tables.in_order,
    )
