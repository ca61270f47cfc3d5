"""How far off are the probabilities of leads that are older than those learnt from?

Usage: python -m benchmarks.training.old_leads [--leads 20000] [--seeds 1] [--json]

Most open leads of a company are old. Each seed simulates a market of 18 months and trains on it twice as `leadlight
train --target sql --horizon 60d` does: with ages up to 60 days, and with the usual ones (`training.ages`), which reach
as far as the training side shows. Both score every snapshot of the test side at ages up to 500 days, whether its
outcome is known or not: the simulator's true probability of each is. `ratio` is the mean probability over the mean true
one at an age, 1 where the score is right.

Exit status: 0 measured, 2 bad usage or input.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.measure import throw_away_key
from benchmarks.training.command import Say, run_markets
from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from training import ages
from training.assess import scored
from training.options import Options
from training.pipeline import train

LEADS: Final = 20_000
CUT: Final = 0.7
HORIZON: Final = 60 * DAY
TRIALS: Final = 8
SCORED_AT: Final = tuple(days * DAY for days in (1, 7, 30, 60, 90, 120, 180, 270, 365, 500))
# What is trained with, by the name that it is told under; without any the usual ages are taken.
ASKED: Final = {"up to 60d": ages.YOUNG, "usual": ()}


@dataclass(frozen=True, slots=True)
class AtAge:
    """The open leads of one age.

    Attributes:
        age: as durations are written.
        leads: how many.
        probability: mean.
        true: mean true probability.
        ratio: of the two.
    """

    age: str
    leads: int
    probability: float
    true: float
    ratio: float


def by_age(frame: pl.DataFrame) -> tuple[AtAge, ...]:
    """Give mean and true probability at each age, youngest first.

    Args:
        frame: `age` (int64 µs), `probability`, `true`; one row per lead and age.
    """
    found = (
        frame.group_by("age")
        .agg(leads=pl.len(), probability=pl.col("probability").mean(), true=pl.col("true").mean())
        .with_columns(ratio=pl.col("probability") / pl.col("true"))
        .sort("age")
    )
    return tuple(
        AtAge(durations.write(row["age"]), row["leads"], row["probability"], row["true"], row["ratio"])
        for row in found.iter_rows(named=True)
    )


def measure(seed: int, leads: int, say: Say) -> dict[str, Any]:
    """Train on one market both ways, and measure each at every age.

    Raises:
        NotEnoughDataError: the market is too small to train on.
    """
    found: dict[str, Any] = {"seed": seed, "leads": leads}
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch, throw_away_key():
        market, room = Path(scratch) / "market", Workspace.at(Path(scratch) / "workspace")
        say(f"market {seed}: {leads:,} leads")
        write_market(market, MarketOptions(leads, seed))
        ingest(market / "mapping.yaml", market / "raw", room)
        for name, asked in ASKED.items():
            card = parse.builtin("standard")
            options = Options("sql", CUT, card, horizon_us=HORIZON, ages_us=asked, trials=TRIALS, seed=seed)
            bundle = train(room, options, say=lambda text: say(f"{seed}: {text}")).bundle
            learnt = [durations.write(age) for age in bundle.training["ages_us"]]
            told = [asdict(one) for one in by_age(_scored(room, bundle, market))]
            found[name] = {"rung": bundle.training["ladder"]["rung"], "ages": learnt, "by_age": told}
    return found


def _scored(room: Workspace, bundle: Bundle, market: Path) -> pl.DataFrame:
    """Score the test side with a bundle, the true probabilities beside it."""
    frame = scored(room, bundle, bundle.training["test_from"], room.tables_info().observed_until, SCORED_AT)
    truth = true_probability(market, frame["lead_id"].to_list(), frame["as_of"].to_numpy(), "sql", HORIZON)
    return frame.with_columns(pl.Series("true", truth))


def show(market: Mapping[str, Any]) -> None:
    """Print a market, a line for each way and age."""
    for name in ASKED:
        part = market[name]
        print(f"seed {market['seed']}, {name}: rung {part['rung']}, learnt and tested at {', '.join(part['ages'])}")
        for one in part["by_age"]:
            print(
                f"  {one['age']:>5}  {one['leads']:>6,} leads  probability {one['probability']:6.2%}  "
                f"true {one['true']:6.2%}  ratio {one['ratio']:.2f}"
            )


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    return run_markets(__doc__, arguments, measure, show, leads=LEADS, seeds=1)


if __name__ == "__main__":
    sys.exit(run())
