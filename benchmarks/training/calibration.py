"""Does a probability mean what it says: on the newest slice, and after the base rate moved from 5 % to 20 %.

Usage: python -m benchmarks.training.calibration [--seeds 2] [--leads 100000] [--json]

Each seed simulates a market of 18 months, and trains on it as `leadlight train` does (target sql, horizon 60 days, cut
at 60 % of the leads). The newest slice is every mature snapshot after the cut, at each of three ages.

For the moved base rate, leads at the age of 30 days are dealt into three parts (by hash) and drawn by their outcome
without replacement: the first until 5 % are successes (matured leads, what is known), the others until 20 % are. The
second part is scored and its outcomes are not looked at: from its scores comes the correction. The third is measured
before and after.

`ece_newest` and `ece_after_shift` are those of the slice that comes nearest to its bar or lies furthest above it; the
bar is the product's (the larger of 0.02 and the ECE of a perfect model in the worst of 20 test sets of this size).

Exit status: 0 the bars are passed, 1 one is missed, 2 bad usage or input.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.measure import throw_away_key
from benchmarks.training import bars
from benchmarks.training.command import attempted
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from scoring.scale import probabilities
from training import reliability, shift
from training.evaluate import ECE_LIMIT
from training.options import Options
from training.pipeline import Trained, train
from training.reliability import Slice
from training.rows import lead_hash

Floats = NDArray[np.float64]
Say = Callable[[str], None]

AGES: Final = (DAY, 7 * DAY, 30 * DAY)
MOVED_AGE: Final = 30 * DAY
HORIZON: Final = 60 * DAY
CUT: Final = 0.6
SEEDS: Final = 2
LEADS: Final = 100_000
TRIALS: Final = 8
BEFORE: Final = 0.05
AFTER: Final = 0.20
# Probabilities are turned back into log-odds no nearer to 0 and 1 than this.
FLOOR: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Moved:
    """The moved base rate in one market.

    Attributes:
        seed: of the market and everything drawn.
        known: share of successes among the matured leads.
        drawn: share of successes after the drawing.
        estimated: base rate as estimated from the scores of one half.
        alarm: whether the change was found to be beyond noise.
        quiet: whether there was no alarm on leads drawn like the matured ones.
        uncorrected: the other half before the correction.
        corrected: after it.
    """

    seed: int
    known: float
    drawn: float
    estimated: float
    alarm: bool
    quiet: bool
    uncorrected: Slice
    corrected: Slice


def measure(seed: int, leads: int, say: Say) -> tuple[tuple[Slice, ...], Moved]:
    """Train on one market, and measure its newest slice and the moved base rate."""
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch, throw_away_key():
        say(f"market {seed}: {leads:,} leads")
        room = Workspace.at(Path(scratch) / "workspace")
        market = Path(scratch) / "market"
        write_market(market, MarketOptions(leads, seed))
        ingest(market / "mapping.yaml", market / "raw", room)
        card = parse.builtin("standard")
        asked = Options("sql", CUT, card, horizon_us=HORIZON, ages_us=AGES, trials=TRIALS, seed=seed)
        trained = train(room, asked, say=lambda text: say(f"market {seed}: {text}"))
        newest = newest_slices(trained, seed)
        moved = move(trained, seed)
    for part in (*newest, moved.uncorrected, moved.corrected):
        say(f"market {seed}: {_line(part)}")
    return newest, moved


def newest_slices(trained: Trained, seed: int) -> tuple[Slice, ...]:
    """Give the reliability of every age of the test side."""
    test = trained.test
    return reliability.slices(test["label"].to_numpy(), test["model"].to_numpy(), seed, age=test["age"].to_numpy())


def move(trained: Trained, seed: int) -> Moved:
    """Draw leads by outcome, correct by the scores of one part, and measure another."""
    test = trained.test.filter(pl.col("age") == MOVED_AGE)
    z, y = log_odds(test["model"].to_numpy()), test["label"].to_numpy()
    part = lead_hash(test["lead_id"].to_numpy().astype(object), seed) % 3
    random = np.random.default_rng(seed)
    matured, quiet, scored, rest = (
        np.flatnonzero(part == number)[drawn_by_outcome(y[part == number], share, random)]
        for number, share in ((0, BEFORE), (1, BEFORE), (1, AFTER), (2, AFTER))
    )
    found = shift.against(z[scored], z[matured], y[matured])
    before, after = (
        reliability.slices(y[rest], probabilities(z[rest] + change), seed)[0] for change in (0.0, found.log_odds)
    )
    return Moved(
        seed=seed,
        known=float(y[matured].mean()),
        drawn=float(y[scored].mean()),
        estimated=found.after,
        alarm=found.alarm,
        quiet=not shift.against(z[quiet], z[matured], y[matured]).alarm,
        uncorrected=before,
        corrected=after,
    )


def log_odds(p: Floats) -> Floats:
    """Turn probabilities back into log-odds, shape (n,)."""
    kept = np.clip(p, FLOOR, 1 - FLOOR)
    return np.asarray(np.log(kept) - np.log1p(-kept), dtype=np.float64)


def drawn_by_outcome(y: Floats, share: float, random: np.random.Generator) -> NDArray[np.intp]:
    """Give rows of which a share is positive: all of one outcome, and as many of the other without replacement."""
    positives, negatives = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    wanted = round(len(positives) * (1 - share) / share)
    if wanted <= len(negatives):
        negatives = random.choice(negatives, wanted, replace=False)
    else:
        positives = random.choice(positives, round(len(negatives) * share / (1 - share)), replace=False)
    return np.sort(np.concatenate([positives, negatives]))


def bar_of(part: Slice) -> float:
    """Give the product's bar of a slice."""
    return max(part.bar, ECE_LIMIT)


def worst(parts: Sequence[Slice]) -> Slice:
    """Give the slice that comes nearest to its bar, or lies furthest above it."""
    return max(parts, key=lambda part: part.ece / bar_of(part))


def figures(newest: Sequence[Slice], moved: Sequence[Moved]) -> dict[str, Any]:
    """Give the keys of the bars and what stands behind them."""
    slice_, after = worst(newest), worst([one.corrected for one in moved])
    return {
        "ece_newest": slice_.ece,
        "ece_bar": bar_of(slice_),
        "ece_after_shift": after.ece,
        "ece_after_shift_bar": bar_of(after),
        "shift_alarm": all(one.alarm for one in moved),
        "details": {
            "slices": len(newest),
            "slices_within_noise": sum(part.within_noise for part in newest),
            "shifts": len(moved),
            "alarms": sum(one.alarm for one in moved),
            "false_alarms": sum(not one.quiet for one in moved),
            "corrected_within_noise": sum(one.corrected.within_noise for one in moved),
            "newest": [_plain(part) for part in newest],
            "moved": [
                asdict(one) | {"uncorrected": _plain(one.uncorrected), "corrected": _plain(one.corrected)}
                for one in moved
            ],
        },
    }


def run_seeds(seeds: int, leads: int, say: Say) -> dict[str, Any]:
    """Measure seeds 0 .. seeds - 1 and give the figures."""
    results = [measure(seed, leads, say) for seed in range(seeds)]
    return figures([part for newest, _ in results for part in newest], [moved for _, moved in results])


def _plain(part: Slice) -> dict[str, Any]:
    return {name: value for name, value in asdict(part).items() if name not in {"bins", "segment", "value"}}


def _line(part: Slice) -> str:
    age = "" if part.age_us is None else f"age {part.age_us / DAY:g} d, "
    return (
        f"{age}{part.rows:,} rows, expected {part.expected:.1%}, observed {part.observed:.1%}, "
        f"ECE {part.ece:.4f} (a perfect model: {part.bar:.4f})"
    )


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of markets, seeds 0, 1, ...")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of each market")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    found = attempted(lambda say: run_seeds(options.seeds, options.leads, say))
    if found is None:
        return 2
    if options.json:
        print(json.dumps(found, allow_nan=False))
    else:
        for key, value in found.items():
            if key != "details":
                print(f"{key:<22} {value}")
    return 1 if bars.missed(found) else 0


if __name__ == "__main__":
    sys.exit(run())
