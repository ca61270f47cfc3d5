"""Do 90 % intervals of segment conversion rates hold the true rate, and does borrowing from the whole help?

Usage: python -m benchmarks.training.segments [--seeds 3] [--leads 20000] [--json]

Each seed simulates a large record, which goes through ingest, hygiene, split and features as in training. Its leads are
dealt out twice: to companies of 200, 400 and 800 leads, and again to companies of 5,000. Each company is a market of
its own, and learns from its own leads alone: segments are the values of its eight attributes (industry, company size,
target company, prefecture, department, job title, role, acquisition channel), in the small companies most of them of a
few dozen leads and a handful of successes. What is read, though, was decided on the whole record: categories, the
catalog of features and the audit. A company by itself would know a rare value as `(others)`, or not at all.

There are three common scores, which are what training makes of companies of such sizes. Of the small ones: the rule
card, fitted to the company's outcomes (it knows little of the attributes, so that segments differ), and the scorecard
(it knows those that count most, so that less is left to differ; none where the company has too few successes for it).
Of the large ones: the model by the usual recipe. All are predictions for leads that were not learnt from, calibrated as
training does it. The true rate of a segment is the mean of the simulator's true probabilities over its settled rows,
those that intervals are made of; its true offset is what brings the mean of the common score there. As in training, the
model's intervals take nothing between segments from the model, which learnt them from the same outcomes.

Exit status: 0 the coverage lies in 87-93 %, in all and for each score, over at least 1,000 segments of companies, each
counted once whatever scores it has; 1 it does not, or these are fewer; 2 bad usage or input.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.training import bars
from benchmarks.training.command import attempted
from benchmarks.training.market import AGES, HORIZON, Market, rows_of
from leadlight.ingest.pipeline import ingest
from leadlight.metrics import log_losses_of_log_odds
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from scoring.scale import logit
from training import blend, calibrate, encode, level, pooling, scorecard, tune
from training.ladder import LEAST_WINS
from training.options import Options
from training.pooling import Way
from training.prior import Line, Prior, fit_rules
from training.rows import Rows, lead_hash
from training.settled import ended, of_ended, settled

Floats = NDArray[np.float64]
Say = Callable[[str], None]
Score = Literal["rules", "scorecard", "model"]
Side = Literal["below", "above"]

SCORES: Final[tuple[Score, ...]] = get_args(Score)
SEEDS: Final = 3
LEADS: Final = 20_000
CUT: Final = 0.8
# Leads of the companies of the first deal, in turn, and of those of the second, which have a model.
SIZES: Final = (200, 400, 800)
LARGE: Final = (5_000,)
# What the second deal adds to the seed of the first.
AGAIN: Final = 1_000
# Groups of segments by their leads, and by the standard deviation of the true offsets of their company's column.
BY_LEADS: Final = (("under 30 leads", 0, 30), ("30 to 100 leads", 30, 100), ("100 leads and more", 100, 10**9))
BY_SPREAD: Final = (("under 0.1", 0.0, 0.1), ("0.1 to 0.3", 0.1, 0.3), ("0.3 and more", 0.3, np.inf))
# True rates are kept so far from 0 and 1 that they have log-odds.
LEAST_PROBABILITY: Final = 1e-12
TRUTH: Final = "true_probability"
# The column on which the three ways are compared: its values differ most.
COMPARED: Final = "acquisition_channel"


@dataclass(frozen=True, slots=True)
class Found:
    """One segment of one company under one common score.

    Attributes:
        company: its name; each deal has its own.
        score: the common score.
        column: attribute.
        value: of the attribute.
        leads: with a settled row.
        true: rate.
        rate: as estimated.
        low: lower end of its interval.
        high: upper end.
        spread: standard deviation of the true offsets of the company's column, log-odds, weighted by settled rows.
    """

    company: str
    score: Score
    column: str
    value: str
    leads: int
    true: float
    rate: float
    low: float
    high: float
    spread: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the true rate."""
        return not (self.below or self.above)

    @property
    def below(self) -> bool:
        """Whether the true rate lies below the interval."""
        return self.true < self.low

    @property
    def above(self) -> bool:
        """Whether the true rate lies above the interval."""
        return self.true > self.high


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
        known = with_truth(market.known, folder)
    found: list[Found] = []
    losses: list[dict[Way, float]] = []
    for name, rows in companies(known, SIZES, seed):
        scores = scores_of(rows, market, seed)
        for score, z in scores.items():
            found += segments_of(name, rows, z, market, score=score)
        compared = three_ways(rows, scores["rules"], market, seed) if "rules" in scores else None
        losses += [] if compared is None else [compared]
    for name, rows in companies(known, LARGE, seed + AGAIN):
        learnt, log_odds = model_of(rows, market, seed)
        found += [] if log_odds is None else segments_of(name, learnt, log_odds, market, score="model")
    say(f"record {seed}: {len(found):,} intervals, {coverage(found) or 0:.1%} of them hold the true rate")
    return found, losses


def with_truth(rows: Rows, folder: Path) -> Rows:
    """Put the simulator's true probabilities beside the rows, as a column that no training reads."""
    truth = true_probability(folder, rows.lead_ids.tolist(), rows.frame["as_of"].to_numpy(), "sql", HORIZON)
    return replace(rows, frame=rows.frame.with_columns(pl.Series(TRUTH, truth)))


def model_of(rows: Rows, market: Market, seed: int) -> tuple[Rows, Floats | None]:
    """Learn a model from a company as training does without a search.

    Returns:
        The rows that it learns from, attributes as they were, and their calibrated log-odds by leads that were not
        learnt from, shape (n,); None where there are too few outcomes for it, or a fold without any.
    """
    known = settled(rows, market.specs)
    if rows.wins() < LEAST_WINS["model"]:
        return known, None
    ready = encode.prepare(known, market.specs, market.split.horizon_us, seed)
    recipe = tune.tune(ready.rows, ready.specs, trials=1, seed=seed).recipe
    raw = blend.choose(ready.rows, ready.specs, recipe, seed).raw
    return known, calibrate.choose(raw, ready.rows).held_out


def scores_of(rows: Rows, market: Market, seed: int) -> dict[Score, Floats]:
    """Give the calibrated log-odds of a company by leads that were not learnt from, shape (n,).

    A score is left out where there are too few outcomes for it, or a fold without any.

    Args:
        rows: of the company.
        market: that they are from.
        seed: of the folds.
    """
    bare = replace(rows, X=rows.X[:, :0])
    raw = {"rules": calibrate.out_of_fold(bare, _rules_of(rows, market), seed)}
    if rows.wins() >= LEAST_WINS["scorecard"]:
        raw["scorecard"] = calibrate.out_of_fold(rows, _scorecard_of(rows, market, seed), seed)
    found = {score: calibrate.choose(z, rows).held_out for score, z in raw.items()}
    return {score: z for score in SCORES if (z := found.get(score)) is not None}


def _prior(rows: Rows, market: Market) -> Prior:
    return Prior.of(market.card, market.split.target, rows.points)


def _rules_of(rows: Rows, market: Market) -> Callable[[Rows], Line]:
    """Give what fits the rule card's line to rows of a company."""
    return partial(fit_rules, prior=_prior(rows, market))


def _scorecard_of(rows: Rows, market: Market, seed: int) -> Callable[[Rows], scorecard.Scorecard]:
    """Give what fits a scorecard to rows of a company."""
    prior = _prior(rows, market)
    return lambda inside: scorecard.fit(inside, market.specs, seed, prior=prior)


def companies(rows: Rows, sizes: Sequence[int], seed: int) -> Iterator[tuple[str, Rows]]:
    """Deal all leads out at random to companies of the sizes in turn; gives the name and the rows of each."""
    number = lead_hash(rows.lead_ids, seed)
    order = np.unique(number)
    start, turn = 0, 0
    while start + sizes[turn % len(sizes)] <= len(order):
        end = start + sizes[turn % len(sizes)]
        yield f"{seed}-{turn}", rows.take((number >= order[start]) & (number <= order[end - 1]))
        start, turn = end, turn + 1


def segments_of(name: str, rows: Rows, z: Floats, market: Market, *, score: Score) -> list[Found]:
    """Estimate the segments of every attribute, and put the true rate beside them."""
    found = []
    was = ended(rows)
    truth = rows.frame[TRUTH].to_numpy()[was]
    for place, spec in enumerate(market.specs):
        if not (spec.categorical and spec.attribute):
            continue
        codes = pooling.codes_of(rows.X[was, place], len(spec.categories))
        spread = true_spread(z[was], truth, codes)
        for code, part in enumerate(pooling.fit(rows, z, market.specs, place, learnt=score == "model").segments):
            if part.rate is None or part.low is None or part.high is None:
                continue
            estimated = (part.rate, part.low, part.high)
            true = float(truth[codes == code].mean())
            found.append(Found(name, score, spec.attribute, part.value, part.leads, true, *estimated, spread))
    return found


def true_spread(z: Floats, truth: Floats, codes: NDArray[np.intp]) -> float:
    """Give the standard deviation of the true offsets of segments, weighted by their rows.

    Args:
        z: log-odds of the common score, shape (m,).
        truth: true probabilities, shape (m,).
        codes: segment of each row, shape (m,).
    """
    offset, rows = np.zeros(0), np.zeros(0)
    for code in np.unique(codes):
        inside = codes == code
        count = int(inside.sum())
        mean = min(max(float(truth[inside].mean()), LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
        offset = np.append(offset, -level.excess(z[inside], np.full(count, logit(mean)), np.ones(count)))
        rows = np.append(rows, count)
    if not len(rows):
        return 0.0
    return float(np.sqrt(np.average((offset - np.average(offset, weights=rows)) ** 2, weights=rows)))


def three_ways(rows: Rows, z: Floats, market: Market, seed: int) -> dict[Way, float] | None:
    """Give the mean log loss of pooled, single and separate scores over the rules, on the settled rows of a company.

    None where there is no column to compare them on.
    """
    places = [place for place, spec in enumerate(market.specs) if spec.categorical and spec.attribute == COMPARED]
    if not places:
        return None
    categories = len(market.specs[places[0]].categories)
    ways = pooling.three_ways(rows, z, places[0], categories, learn=_rules_of(rows, market), seed=seed)
    y = of_ended(rows).y
    return {way: float(log_losses_of_log_odds(y, log_odds).mean()) for way, log_odds in ways.items()}


def coverage(found: Sequence[Found]) -> float | None:
    """Give the share of segments whose interval holds the true rate; None without segments."""
    return _mean([one.covered for one in found])


def figures(found: Sequence[Found], losses: Sequence[dict[Way, float]]) -> dict[str, Any]:
    """Give the keys of the bar and what stands behind them."""
    by_score = {score: [one for one in found if one.score == score] for score in SCORES}
    below, above = _mean([one.below for one in found]), _mean([one.above for one in found])
    by_score_covered = {score: coverage(part) for score, part in by_score.items()}
    return {
        "interval_coverage": coverage(found),
        "interval_coverage_by_score": by_score_covered,
        "interval_true_below": below,
        "interval_true_above": above,
        "interval_segments": len({(one.company, one.column, one.value) for one in found}),
        "details": {
            "companies": len({one.company for one in found}),
            "market_segments": {score: len(part) for score, part in by_score.items()},
            "coverage": by_score_covered,
            "standard_error": {score: _error(part, "covered") for score, part in by_score.items()},
            "coverage_by_size": {
                name: coverage([one for one in found if low <= one.leads < high]) for name, low, high in BY_LEADS
            },
            "coverage_by_spread": {
                name: _covered([one for one in found if low <= one.spread < high]) for name, low, high in BY_SPREAD
            },
            "true_below": below,
            "true_above": above,
            "tails": {score: {side: _tail(part, side) for side in get_args(Side)} for score, part in by_score.items()},
            "log_loss": {way: _mean([loss[way] for loss in losses]) for way in get_args(Way)},
            "pooled_minus": {way: _difference(losses, way) for way in ("single", "separate")},
            "compared_companies": len(losses),
        },
    }


def _covered(found: Sequence[Found]) -> dict[str, float | None]:
    """Give how many intervals there are, and what share of them holds the true rate."""
    return {"intervals": len(found), "coverage": coverage(found), "standard_error": _error(found, "covered")}


def _tail(found: Sequence[Found], side: Side) -> dict[str, float | None]:
    """Give the share of true rates on one side of their intervals, 5 % nominally, with its standard error."""
    return {"share": _mean([getattr(one, side) for one in found]), "standard_error": _error(found, side)}


def _error(found: Sequence[Found], told: Literal["covered"] | Side) -> float | None:
    """Give the standard error of a share over companies, whose segments share their luck."""
    by_company: dict[str, list[bool]] = {}
    for one in found:
        by_company.setdefault(one.company, []).append(getattr(one, told))
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
        (bar,) = [one for one in bars.bars_of(found) if one.key == "interval_coverage"]
        print(f"interval_coverage {bar.found} (bar: {bar.demand})")
        print(json.dumps(found["details"], indent=1))
    return 1 if bars.missed(found) else 0


if __name__ == "__main__":
    sys.exit(run())
