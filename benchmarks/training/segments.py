"""Do 90 % intervals of segment conversion rates hold the true rate, and does borrowing from the whole help?

Usage: python -m benchmarks.training.segments [--seeds 3] [--leads 20000] [--json]

Each seed simulates a large record, which goes through ingest, hygiene, split and features as in training. A third of
its leads teach a common model; the others are dealt out to companies of 200, 400 and 800 leads. Each company is a
market of its own: segments are the values of its eight attributes (industry, company size, target company, prefecture,
department, job title, role, acquisition channel), most of them of a few dozen leads and a handful of successes.

There are two common scores: the rule card, fitted to the company's outcomes (it knows little of the attributes, so
that segments differ), and the model (it knows them, so that hardly anything is left to differ). The true rate of a
segment is the weighted mean of the simulator's true probabilities over its training rows.

Exit status: 0 the coverage lies in 87-93 %, in all and for each score, 1 it does not, 2 bad usage or input.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.command import attempted
from benchmarks.training.market import AGES, HORIZON, Market, rows_of
from leadlight.ingest.pipeline import ingest
from leadlight.metrics import log_losses_of_log_odds
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from training import calibrate, pooling
from training.baselines import RulesLink
from training.fit import Recipe, fit
from training.options import Options
from training.pooling import Way
from training.rows import Rows, lead_hash
from training.tune import USUAL

Floats = NDArray[np.float64]
Say = Callable[[str], None]
Score = Literal["rules", "model"]

SCORES: Final[tuple[Score, ...]] = ("rules", "model")
SEEDS: Final = 3
LEADS: Final = 20_000
TREES: Final = 100
CUT: Final = 0.8
TEACHERS: Final = 1 / 3
SIZES: Final = (200, 400, 800)
LOW: Final = 0.87
HIGH: Final = 0.93
# The column on which the three ways are compared: its values differ most.
COMPARED: Final = "acquisition_channel"


@dataclass(frozen=True, slots=True)
class Found:
    """One segment of one company under one common score."""

    company: str
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


def measure(seed: int, leads: int, say: Say) -> tuple[list[Found], list[dict[Way, float]]]:
    """Measure every company of one record.

    Returns:
        The segments, and the log losses of the three ways in every company where they can be compared.
    """
    say(f"record {seed}: {leads:,} leads")
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch:
        folder, room = Path(scratch) / "market", Workspace.at(Path(scratch) / "workspace")
        write_market(folder, MarketOptions(leads, seed))
        ingest(folder / "mapping.yaml", folder / "raw", room)
        asked = Options("sql", CUT, parse.builtin("standard"), horizon_us=HORIZON, ages_us=AGES)
        market = rows_of("simulator", room, asked)
        known = market.known
        truth = true_probability(folder, known.lead_ids.tolist(), known.frame["as_of"].to_numpy(), "sql", HORIZON)
    number = lead_hash(known.lead_ids, seed) / 2**32
    say(f"record {seed}: the common model")
    model = fit(known.take(number < TEACHERS), market.specs, Recipe(USUAL, TREES), seed)
    found: list[Found] = []
    losses: list[dict[Way, float]] = []
    for place, inside in enumerate(companies(number)):
        rows, name = known.take(inside), f"{seed}-{place}"
        scores: dict[Score, Floats] = {"rules": RulesOnly.learn(rows).raw(rows), "model": model.raw(rows)}
        for score, z in scores.items():
            found += segments_of(name, rows, z, truth[inside], market, score=score)
        compared = three_ways(rows, market, seed)
        losses += [] if compared is None else [compared]
    say(f"record {seed}: {len(found):,} market-segments, {coverage(found) or 0:.1%} covered")
    return found, losses


def companies(number: Floats) -> Iterator[NDArray[np.bool_]]:
    """Deal the leads that do not teach out to companies of the sizes in turn; gives the rows of each."""
    order = np.unique(number[number >= TEACHERS])
    start, turn = 0, 0
    while start + SIZES[turn % len(SIZES)] <= len(order):
        end = start + SIZES[turn % len(SIZES)]
        yield (number >= order[start]) & (number <= order[end - 1])
        start, turn = end, turn + 1


def segments_of(name: str, rows: Rows, z: Floats, truth: Floats, market: Market, *, score: Score) -> list[Found]:
    """Estimate the segments of every attribute, and put the true rate beside them."""
    found = []
    for place, spec in enumerate(market.specs):
        if not (spec.categorical and spec.attribute):
            continue
        codes = pooling.codes_of(rows.X[:, place], len(spec.categories))
        for code, part in enumerate(pooling.fit(rows, z, market.specs, place).segments):
            if part.rate is None or part.low is None or part.high is None:
                continue
            inside = codes == code
            true = float(np.average(truth[inside], weights=rows.weight[inside]))
            found.append(
                Found(name, score, spec.attribute, part.value, part.leads, true, part.rate, part.low, part.high)
            )
    return found


def three_ways(rows: Rows, market: Market, seed: int) -> dict[Way, float] | None:
    """Give the mean log loss of pooled, single and separate scores over the rules; None where a fold has one class."""
    places = [place for place, spec in enumerate(market.specs) if spec.categorical and spec.attribute == COMPARED]
    z = calibrate.out_of_fold(rows, RulesOnly.learn, seed)
    if not places or z is None:
        return None
    categories = len(market.specs[places[0]].categories)
    ways = pooling.three_ways(rows, z, places[0], categories, learn=RulesOnly.learn, seed=seed)
    return {
        way: float(np.average(log_losses_of_log_odds(rows.y, log_odds), weights=rows.weight))
        for way, log_odds in ways.items()
    }


def coverage(found: Sequence[Found]) -> float | None:
    """Give the share of segments whose interval holds the true rate; None without segments."""
    return float(np.mean([one.covered for one in found])) if found else None


def figures(found: Sequence[Found], losses: Sequence[dict[Way, float]]) -> dict[str, Any]:
    """Give the key of the bar and what stands behind it."""
    by_score = {score: [one for one in found if one.score == score] for score in SCORES}
    sizes = (("under 30 leads", 0, 30), ("30 to 100 leads", 30, 100), ("100 leads and more", 100, 10**9))
    return {
        "interval_coverage": coverage(found),
        "details": {
            "companies": len({one.company for one in found}),
            "market_segments": {score: len(part) for score, part in by_score.items()},
            "coverage": {score: coverage(part) for score, part in by_score.items()},
            "standard_error": {score: _error(part) for score, part in by_score.items()},
            "coverage_by_size": {
                name: coverage([one for one in found if low <= one.leads < high]) for name, low, high in sizes
            },
            "true_below": float(np.mean([one.true < one.low for one in found])) if found else None,
            "true_above": float(np.mean([one.true > one.high for one in found])) if found else None,
            "log_loss": {way: _mean([loss[way] for loss in losses]) for way in get_args(Way)},
            "pooled_minus": {way: _difference(losses, way) for way in ("single", "separate")},
            "compared_companies": len(losses),
        },
    }


def _error(found: Sequence[Found]) -> float | None:
    """Give the standard error of the coverage over companies, whose segments share their luck."""
    by_company: dict[str, list[bool]] = {}
    for one in found:
        by_company.setdefault(one.company, []).append(one.covered)
    if len(by_company) < 2:
        return None
    shares = np.array([np.mean(part) for part in by_company.values()])
    return float(shares.std(ddof=1) / np.sqrt(len(shares)))


def _difference(losses: Sequence[dict[Way, float]], way: Way) -> dict[str, float | None]:
    """Give the mean difference in log loss, pooled minus another way, with its standard error over companies."""
    differences = np.array([loss["pooled"] - loss[way] for loss in losses])
    error = float(differences.std(ddof=1) / np.sqrt(len(differences))) if len(differences) > 1 else None
    return {"mean": _mean(differences.tolist()), "standard_error": error}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def passed(found: dict[str, Any]) -> bool:
    """Tell whether the coverage lies in its range, in all and for each common score."""
    shares = [found["interval_coverage"], *found["details"]["coverage"].values()]
    return all(share is not None and LOW <= share <= HIGH for share in shares)


def run_seeds(seeds: int, leads: int, say: Say) -> dict[str, Any]:
    """Measure the records of seeds 0 .. seeds - 1 and give the figures."""
    results = [measure(seed, leads, say) for seed in range(seeds)]
    return figures([one for found, _ in results for one in found], [loss for _, losses in results for loss in losses])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of records, seeds 0, 1, ...")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of each record")
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
        print(f"interval_coverage {found['interval_coverage']} (bar: {LOW} to {HIGH})")
        print(json.dumps(found["details"], indent=1))
    return 0 if passed(found) else 1


if __name__ == "__main__":
    sys.exit(run())
