"""What the interval of a score holds, and what it does not: measured where true probabilities are known.

Usage: python -m benchmarks.training.venn_abers [--leads 20000] [--seeds 1] [--json]

Each seed simulates a market, trains on it as `leadlight train --target sql` does (horizon 60 days, ages 1, 7 and 30
days, cut at 60 % of the leads), and gives every test snapshot its interval as served. Snapshots are put into bands
of equal size by their probability. For each band:

    inside      share of the snapshots whose own true probability (the simulator's) lies in their interval
    true rate   mean true probability of the band
    low, high   mean ends of the intervals
    sampling    standard error of the observed rate of as many leads as the band has in training: what a confidence
                interval of the rate would have to allow for, on either side

A Venn-ABERS interval promises nothing of `inside`: of its two ends one is calibrated, that is all.

Exit status: 0 measured, 2 bad usage or input.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import throw_away_key
from benchmarks.training.command import Say, run_markets
from benchmarks.training.market import AGES, HORIZON
from leadlight.errors import NotEnoughDataError
from leadlight.ingest.pipeline import ingest
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from training.options import Options
from training.pipeline import train

Floats = NDArray[np.float64]

LEADS: Final = 20_000
SEEDS: Final = 1
CUT: Final = 0.6
TRIALS: Final = 4
BANDS: Final = 5


@dataclass(frozen=True, slots=True)
class Band:
    """Test snapshots of similar probability; see the module for what each number is.

    Attributes:
        rows: snapshots.
        probability: mean probability.
        true_rate: mean true probability.
        observed: share of successes.
        low: mean lower end.
        high: mean upper end.
        inside: share of snapshots whose own true probability lies in their interval.
        sampling: standard error of the rate of as many leads as the training rows of a band come from.
    """

    rows: int
    probability: float
    true_rate: float
    observed: float
    low: float
    high: float
    inside: float
    sampling: float


def bands(p: Floats, truth: Floats, y: Floats, ends: tuple[Floats, Floats], leads: int) -> tuple[Band, ...]:
    """Put snapshots into bands by probability, lowest first.

    Args:
        p: probabilities, shape (n,).
        truth: true ones, shape (n,).
        y: outcomes, shape (n,).
        ends: lower and upper ends as served, shape (n,) each.
        leads: leads that the intervals were fitted on.
    """
    found = []
    for part in np.array_split(np.argsort(p, kind="stable"), BANDS):
        low, high = (end[part] for end in ends)
        rate = float(truth[part].mean())
        found.append(
            Band(
                rows=len(part),
                probability=float(p[part].mean()),
                true_rate=rate,
                observed=float(y[part].mean()),
                low=float(low.mean()),
                high=float(high.mean()),
                inside=float(np.mean((low <= truth[part]) & (truth[part] <= high))),
                sampling=float(np.sqrt(rate * (1 - rate) * BANDS / leads)),
            )
        )
    return tuple(found)


def measure(seed: int, leads: int, say: Say) -> dict[str, Any]:
    """Train on one market and measure its intervals.

    Raises:
        NotEnoughDataError: what was trained has no interval, or there is no test snapshot.
    """
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch, throw_away_key():
        market, room = Path(scratch) / "market", Workspace.at(Path(scratch) / "workspace")
        say(f"market {seed}: {leads:,} leads")
        write_market(market, MarketOptions(leads, seed))
        ingest(market / "mapping.yaml", market / "raw", room)
        card = parse.builtin("standard")
        asked = Options("sql", CUT, card, horizon_us=HORIZON, ages_us=AGES, trials=TRIALS, seed=seed)
        found = train(room, asked, oracle=partial(true_probability, market), say=lambda text: say(f"{seed}: {text}"))
    test, scorer = found.test, found.bundle.scorer
    if scorer.interval is None or not test.height:
        raise NotEnoughDataError(f"{leads:,} leads give no interval to measure; simulate more")
    p = test["model"].to_numpy()
    low, high = scorer.interval.of(np.log(p) - np.log1p(-p))
    known = found.bundle.training["train"]["leads"]
    ends = np.minimum(low, p), np.maximum(high, p)
    return {
        "seed": seed,
        "leads": leads,
        "train_leads": known,
        "rung": found.bundle.training["ladder"]["rung"],
        "bands": [asdict(band) for band in bands(p, test["oracle"].to_numpy(), test["label"].to_numpy(), ends, known)],
    }


def show(market: Mapping[str, Any]) -> None:
    """Print a market, a line for each band."""
    print(f"market {market['seed']}, rung {market['rung']}, {market['train_leads']:,} leads learnt from")
    for band in market["bands"]:
        print(_line(band))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    return run_markets(__doc__, arguments, measure, show, leads=LEADS, seeds=SEEDS)


def _line(band: dict[str, Any]) -> str:
    return (
        f"  probability {band['probability']:6.1%}  true rate {band['true_rate']:6.1%}  "
        f"observed {band['observed']:6.1%}  interval {band['low']:6.1%} to {band['high']:6.1%}  "
        f"inside {band['inside']:4.0%}  sampling +-{band['sampling']:.1%}"
    )


if __name__ == "__main__":
    sys.exit(run())
