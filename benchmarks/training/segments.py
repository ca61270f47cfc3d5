"""Do 90 % intervals of segment conversion rates hold the true rate, and does borrowing from the whole help?

Usage: python -m benchmarks.training.segments [--markets 26] [--leads 2500] [--json]

Every market is simulated with its own seed and goes through ingest, split and features as in training. Segments are
the values of its eight attributes (industry, company size, target company, prefecture, department, job title, role,
acquisition channel), among them some of a handful of leads. There are two common scores: the rule card (which knows
little of the attributes, so that segments differ) and a booster (which knows them, so that hardly anything is left to
differ).
The true rate of a segment is the weighted mean of the simulator's true probabilities over its training rows.

Exit status: 0 both coverages lie in 87-93 %, 1 one does not, 2 bad usage or input.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.training.market import AGES, HORIZON, Market, rows_of
from leadlight.errors import LeadlightError
from leadlight.ingest.pipeline import ingest
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from training import calibrate, pooling
from training.baselines import RulesLink
from training.fit import Recipe, fit
from training.options import Options
from training.rows import Rows
from training.tune import USUAL

Floats = NDArray[np.float64]
Say = Callable[[str], None]
Score = Literal["rules", "model"]

SCORES: Final[tuple[Score, ...]] = ("rules", "model")
TREES: Final = 80
CUT: Final = 0.8
LOW: Final = 0.87
HIGH: Final = 0.93
# The column on which the three ways are compared: its values differ most.
COMPARED: Final = "acquisition_channel"


@dataclass(frozen=True, slots=True)
class Found:
    """One segment of one market under one common score."""

    market: int
    score: Score
    column: str
    value: str
    leads: int
    true: float
    rate: float
    low: float
    high: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the true rate."""
        return self.low <= self.true <= self.high


@dataclass(frozen=True, slots=True)
class RulesOnly:
    """The rule link as something that learns from rows."""

    link: RulesLink

    @classmethod
    def learn(cls, rows: Rows) -> "RulesOnly":
        """Fit the link."""
        return cls(RulesLink.fit(rows.points, rows.y, rows.weight))

    def raw(self, rows: Rows) -> Floats:
        """Give log-odds, shape (n,)."""
        return self.link.log_odds(rows.points)


def measure(seed: int, leads: int, say: Say) -> tuple[list[Found], dict[str, float] | None]:
    """Measure every segment of one market under both scores; the three ways are compared under the rules.

    Returns:
        The segments, and the mean log loss of `pooled`, `single` and `separate`; None where one class leaves nothing.
    """
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch:
        folder, room = Path(scratch) / "market", Workspace.at(Path(scratch) / "workspace")
        write_market(folder, MarketOptions(leads, seed))
        ingest(folder / "mapping.yaml", folder / "raw", room)
        asked = Options("sql", CUT, parse.builtin("standard"), horizon_us=HORIZON, ages_us=AGES)
        market = rows_of("simulator", room, asked)
        known = market.known
        truth = true_probability(folder, known.lead_ids.tolist(), known.frame["as_of"].to_numpy(), "sql", HORIZON)
    found: list[Found] = []
    losses: dict[str, float] | None = None
    for score in SCORES:
        z = common(score, market, seed)
        if z is None:
            continue
        found += segments_of(market, z, truth, seed, score)
        if score == "rules":
            losses = three_ways(market, z, seed)
    share = np.mean([one.covered for one in found]) if found else np.nan
    counted = f"{len(known):,} rows, {int(known.y.sum()):,} positive, {len(found)} segments"
    say(f"market {seed}: {counted}, {share:.0%} covered")
    return found, losses


def common(score: Score, market: Market, seed: int) -> Floats | None:
    """Give the calibrated log-odds of the common score, out of fold; None where there is too little of one outcome."""
    known = market.known
    if score == "rules":
        found = calibrate.choose(calibrate.out_of_fold(known, RulesOnly.learn, seed), known)
    else:
        recipe = Recipe(USUAL, TREES)
        raw = calibrate.out_of_fold(known, lambda part: fit(part, market.specs, recipe, seed), seed)
        found = calibrate.choose(raw, known)
    return found.held_out


def segments_of(market: Market, z: Floats, truth: Floats, seed: int, score: Score) -> list[Found]:
    """Estimate the segments of every attribute, and put the true rate beside them."""
    known, found = market.known, []
    for place, spec in enumerate(market.specs):
        if not (spec.categorical and spec.attribute):
            continue
        codes = pooling.codes_of(known.X[:, place], len(spec.categories))
        pooled = pooling.fit(known, z, market.specs, place)
        for code, part in enumerate(pooled.segments):
            if part.rate is None or part.low is None or part.high is None:
                continue
            inside = codes == code
            true = float(np.average(truth[inside], weights=known.weight[inside]))
            found.append(
                Found(seed, score, spec.attribute, part.value, part.leads, true, part.rate, part.low, part.high)
            )
    return found


def three_ways(market: Market, z: Floats, seed: int) -> dict[str, float] | None:
    """Give the mean log loss of pooled, single and separate scores; None where the column has no feature."""
    places = [place for place, spec in enumerate(market.specs) if spec.categorical and spec.attribute == COMPARED]
    if not places:
        return None
    categories = len(market.specs[places[0]].categories)
    compared = pooling.compare(market.known, z, places[0], categories, learn=RulesOnly.learn, seed=seed)
    losses = compared.metrics["log_loss"]
    return {name: estimate.value for name, estimate in losses.items() if estimate is not None}


def coverage(found: Sequence[Found]) -> float | None:
    """Give the share of segments whose interval holds the true rate; None without segments."""
    return float(np.mean([one.covered for one in found])) if found else None


def figures(found: Sequence[Found], losses: Sequence[dict[str, float] | None]) -> dict[str, Any]:
    """Give the key of the bar and what stands behind it."""
    by_score = {score: [one for one in found if one.score == score] for score in SCORES}
    known = [loss for loss in losses if loss is not None]
    sizes = (("under 50 leads", 0, 50), ("50 to 300 leads", 50, 300), ("300 leads and more", 300, 10**9))
    return {
        "interval_coverage": coverage(found),
        "details": {
            "markets": len({one.market for one in found}),
            "market_segments": {score: len(part) for score, part in by_score.items()},
            "coverage": {score: coverage(part) for score, part in by_score.items()},
            "coverage_by_size": {
                name: coverage([one for one in found if low <= one.leads < high]) for name, low, high in sizes
            },
            "below": float(np.mean([one.true < one.low for one in found])) if found else None,
            "above": float(np.mean([one.true > one.high for one in found])) if found else None,
            "log_loss": {
                way: float(np.mean([loss[way] for loss in known])) if known else None
                for way in ("pooled", "single", "separate")
            },
            "pooled_best_in": sum(loss["pooled"] <= min(loss.values()) for loss in known),
            "compared_markets": len(known),
        },
    }


def passed(found: dict[str, Any]) -> bool:
    """Tell whether the coverage lies in its range, in all and for each common score."""
    shares = [found["interval_coverage"], *found["details"]["coverage"].values()]
    return all(share is not None and LOW <= share <= HIGH for share in shares)


def run_markets(markets: int, leads: int, say: Say) -> dict[str, Any]:
    """Measure markets 0 .. markets - 1 and give the figures."""
    results = [measure(seed, leads, say) for seed in range(markets)]
    return figures([one for found, _ in results for one in found], [losses for _, losses in results])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=26, help="number of markets, seeds 0, 1, ...")
    parser.add_argument("--leads", type=int, default=2_500, help="leads of each market")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.markets < 1:
        parser.error("--markets must be at least 1")
    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    try:
        found = run_markets(options.markets, options.leads, say)
    except LeadlightError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found, allow_nan=False))
    else:
        print(f"interval_coverage {found['interval_coverage']} (bar: {LOW} to {HIGH})")
        print(json.dumps(found["details"], indent=1))
    return 0 if passed(found) else 1


if __name__ == "__main__":
    sys.exit(run())
