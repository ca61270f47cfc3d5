"""Training and test rows of a market or a data set, made as `leadlight train` makes them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import ROOT, options_of
from benchmarks.sets import Question
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.write import write_market
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace
from rules import parse
from rules.parse import Card
from training.ground import prepare
from training.options import Options
from training.rows import Rows
from training.split import Split

Say = Callable[[str], None]

# Leads are scored after a day, a week and a month; they become sql within 60 days or not.
AGES: Final = (DAY, 7 * DAY, 30 * DAY)
HORIZON: Final = 60 * DAY


@dataclass(frozen=True, slots=True)
class Market:
    """What one question to one record gives.

    Attributes:
        name: of the record.
        known: training rows.
        test: test rows, later in time.
        specs: one per column.
        card: rule card.
        split: the instants.
    """

    name: str
    known: Rows
    test: Rows
    specs: tuple[FeatureSpec, ...]
    card: Card
    split: Split


def rows_of(name: str, workspace: Workspace, options: Options) -> Market:
    """Prepare the workspace's rows as training does, audit included."""
    ground = prepare(workspace, options)
    return Market(name, ground.known, ground.test, ground.specs, ground.card, ground.split)


@contextmanager
def _workspace() -> Iterator[tuple[Path, Workspace]]:
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch:
        yield Path(scratch), Workspace.at(Path(scratch) / "workspace")


def simulated(leads: int, seed: int, say: Say) -> Market:
    """Simulate a market of 18 months and split it at 60 % of its leads, target sql."""
    with _workspace() as (scratch, workspace):
        say(f"simulating {leads:,} leads, seed {seed}")
        write_market(scratch / "market", MarketOptions(leads, seed))
        ingest(scratch / "market" / "mapping.yaml", scratch / "market" / "raw", workspace)
        asked = Options("sql", 0.6, parse.builtin("standard"), horizon_us=HORIZON, ages_us=AGES)
        return rows_of("simulator", workspace, asked)


def real(question: Question, data: Path, say: Say) -> Market:
    """Ingest a public data set and split it as its question says."""
    with _workspace() as (_, workspace):
        say(f"reading {question.key}")
        example = ROOT / "examples" / question.folder
        ingest(example / "mapping.yaml", data / question.folder, workspace)
        return rows_of(question.key, workspace, options_of(question, parse.read(example / "card.yaml")))
