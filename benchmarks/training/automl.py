"""FLAML, given the same seconds on the same rows and features: is what training ships worse anywhere?

Usage: python -m benchmarks.training.automl [--data FOLDER] [--sets NAME ...] [--seeds 3] [--leads 20000] [--json]

Ours is `training.fitting.make` with its defaults, from the ladder to calibration. It is timed, and FLAML
(C. Wang and others, 2021, arXiv:1911.04706) gets as many seconds of the clock, `--factor` times as many if asked for,
and never less than five. Both learn from the same training rows with the same weights, and are measured on the same
later rows. FLAML gets every feature that ours has: categories as categories, the rule points as a column, and, since it
replaces nulls by medians, a column for each that says where it was null. It may use all processors and minimises log
loss, and after its seconds it fits its best recipe to all rows.

A model of ours learns from settled rows only, where there are enough (`training.settled`): of newer ones only successes
are known. Where these differ from all training rows, FLAML is run on both, each time with the same seconds, and ours is
held against the one with the lower log loss on the test rows. That choice looks at the test rows, which favours FLAML
in log loss, and in log loss only: its AUC is that of the same answer, whether or not the other one's is higher.

FLAML validates by lead (`split_type="group"`), as ours does. A split by time would be unfair to it: of the newest
training rows only quick outcomes are known, so it would choose by rows that are nearly all successes.

The simulated market and, with the folder of the public data sets, BPIC 2012, X Education and Olist. Where ours refuses
to fit a model, what it ships instead is measured. With several seeds both are trained with each, the simulator on
another market each time; differences are means, and their standard errors those of a paired bootstrap over leads (on a
public data set they share the test rows, so they do not shrink with more seeds). `cpu_seconds` tell whether the machine
was shared: then equal seconds of the clock are not equal work.

Exit status: 0 ours is nowhere worse beyond one standard error, in log loss and AUC, and better in log loss on most
sets, 1 it is not, 2 bad usage or input, or FLAML is not installed (extra `bench`).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import BPIC2012, OLIST, XEDUCATION_CREATION, Question, check_files
from benchmarks.training import bars
from benchmarks.training.command import Say, attempted
from benchmarks.training.flaml_search import MISSING, Answer, flaml, installed, timed
from benchmarks.training.market import Market, real, simulated
from leadlight.errors import InputError
from leadlight.metrics import log_loss
from scoring.scale import probabilities
from training import evaluate, fitting
from training.comparison import DECISIVE, LARGER_IS_BETTER, Comparison, Metric
from training.influence import columns_of
from training.options import Options
from training.rows import Rows
from training.settled import settled

Floats = NDArray[np.float64]

SIMULATOR: Final = "simulator"
QUESTIONS: Final[Mapping[str, Question]] = {one.key: one for one in (BPIC2012, XEDUCATION_CREATION, OLIST)}
SETS: Final = (SIMULATOR, *QUESTIONS)
LEADS: Final = 20_000
SEEDS: Final = 3
# In less FLAML cannot finish a first recipe.
LEAST_SECONDS: Final = 5.0
OURS: Final = "ours"
FLAML: Final = "flaml"
ALL: Final = "all"
SETTLED: Final = "settled"


@dataclass(frozen=True, slots=True)
class Run:
    """Both on one market with one seed.

    Attributes:
        seed: of everything drawn.
        ours: the product's.
        flaml: FLAML's; the better of two where it learnt from settled rows too.
        comparison: of both on the test rows.
        learnt_from: which training rows FLAML's answer comes from, `ALL` or `SETTLED`.
        tried: which rows FLAML learnt from -> its log loss on the test rows; None where it finished nothing.
        unfinished: of these, why; what FLAML said where it stopped with an error.
    """

    seed: int
    ours: Answer
    flaml: Answer
    comparison: Comparison
    learnt_from: str = ALL
    tried: Mapping[str, float | None] = field(default_factory=dict)
    unfinished: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        both = {OURS: self.ours, FLAML: self.flaml}
        return {
            "seed": self.seed,
            "fitted": {name: one.what for name, one in both.items()},
            "seconds": {name: round(one.seconds, 1) for name, one in both.items()},
            "cpu_seconds": {name: round(one.cpu_seconds, 1) for name, one in both.items()},
            **{metric: {name: self.value(metric, name) for name in both} for metric in DECISIVE},
            "difference": {metric: self.difference(metric) for metric in DECISIVE},
            "flaml_learnt_from": self.learnt_from,
            "flaml_log_loss": dict(self.tried),
            "flaml_unfinished": dict(self.unfinished),
        }

    def value(self, metric: Metric, name: str) -> float | None:
        """Give a figure; None where it is not defined."""
        found = self.comparison.metrics[metric][name]
        return None if found is None else found.value

    def difference(self, metric: Metric) -> dict[str, float | None]:
        """Give ours minus FLAML's, with its standard error."""
        found = self.comparison.differences[metric][FLAML]
        if found is None:
            return {"value": None, "standard_error": None}
        return {"value": found.value, "standard_error": found.standard_error}


def ours(market: Market, test: Rows, seed: int) -> Answer:
    """Train as the product does, from the ladder to calibration."""
    options = Options(market.split.target, market.split.cut, market.card, seed=seed)

    def fit() -> tuple[Floats, str]:
        made = fitting.make(market.known, market.specs, market.split, options)
        log_odds = made.scorer.log_odds(columns_of(made.scorer, market.specs, test.X), test.points)
        return probabilities(log_odds), str(made.notes["ladder"]["rung"])

    return timed(fit)


def run_once(market: Market, seed: int, factor: float, say: Say) -> Run:
    """Train both on a market and compare them on its test rows."""
    test = market.test
    say(f"{market.name}, seed {seed}: {len(market.known):,} rows to learn from, {len(test):,} to be tested on")
    mine = ours(market, test, seed)
    say(f"{market.name}, seed {seed}: ours is a {mine.what} after {mine.seconds:.0f} s; now FLAML")
    seconds = max(factor * mine.seconds, LEAST_SECONDS)
    answers = {
        name: flaml(replace(market, known=rows), test, seed, seconds) for name, rows in learnt_from(market).items()
    }
    tried = {name: loss_of(one, test) for name, one in answers.items()}
    better = min(tried, key=lambda name: np.inf if (loss := tried[name]) is None else loss)
    scores = {OURS: mine.probability, FLAML: answers[better].probability}
    age = test.frame["age"].to_numpy()
    comparison = evaluate.compare(test.y, scores, test.lead_ids, seed, reference=OURS, age=age, each_age=False)
    unfinished = {name: one.what for name, one in answers.items() if one.probability is None}
    run = Run(seed, mine, answers[better], comparison, better, tried, unfinished)
    say(f"{market.name}, seed {seed}: {json.dumps(run.to_json())}")
    return run


def learnt_from(market: Market) -> dict[str, Rows]:
    """Give the training rows, and the settled ones where a model of ours would learn from these instead."""
    old = settled(market.known, market.specs)
    same = len(old) == len(market.known) and np.array_equal(old.weight, market.known.weight)
    return {ALL: market.known} if same else {ALL: market.known, SETTLED: old}


def loss_of(answer: Answer, test: Rows) -> float | None:
    """Give the log loss of an answer on the test rows; None where nothing was finished."""
    return None if answer.probability is None else log_loss(test.y, answer.probability)


def markets(name: str, data: Path | None, seeds: int, leads: int, say: Say) -> Iterator[Market]:
    """Yield the market of each seed: another simulated one each time, the same rows of a public data set."""
    if name == SIMULATOR:
        yield from (simulated(leads, seed, say) for seed in range(seeds))
        return
    if data is None:
        raise InputError(f"{name}: --data is missing; give the folder that holds the public data sets")
    question = QUESTIONS[name]
    market = real(question, data, say)
    if question.only_new:
        created = (market.test.frame["as_of"] - market.test.frame["age"]).to_numpy()
        market = replace(market, test=market.test.take(created >= market.split.cut))
    yield from [market] * seeds


def summary(runs: Sequence[Run], *, independent: bool) -> dict[str, Any]:
    """Put the seeds of a set together: means, and whether ours is not worse.

    Args:
        runs: at least one.
        independent: whether they were tested on different rows, so that standard errors shrink with their number.
    """
    lines = [run.to_json() for run in runs]
    difference = {metric: _together([line["difference"][metric] for line in lines], independent) for metric in DECISIVE}
    lower = difference["log_loss"]["value"]
    return {
        "seeds": len(runs),
        **{
            key: {name: _mean([line[key][name] for line in lines]) for name in (OURS, FLAML)}
            for key in ("seconds", "cpu_seconds", *DECISIVE)
        },
        "difference": difference,
        "not_worse": {metric: not_worse(metric, **difference[metric]) for metric in DECISIVE},
        "better_log_loss": None if lower is None else lower < 0,
        "learnt_from": {name: sum(run.learnt_from == name for run in runs) for name in (ALL, SETTLED)},
        "runs": lines,
    }


def not_worse(metric: Metric, value: float | None, standard_error: float | None) -> bool | None:
    """Tell whether ours is not worse beyond one standard error; None where that is not defined.

    >>> not_worse("log_loss", 0.002, 0.003), not_worse("auc", -0.02, 0.01)
    (True, False)
    """
    if value is None or standard_error is None:
        return None
    return (-value if metric in LARGER_IS_BETTER else value) <= standard_error


def _together(differences: Sequence[Mapping[str, float | None]], independent: bool) -> dict[str, float | None]:
    errors = [one["standard_error"] for one in differences]
    known = [error for error in errors if error is not None]
    shared = float(np.mean(known)) if known else None
    apart = float(np.sqrt(np.sum(np.square(known))) / len(known)) if known else None
    error = None if len(known) < len(errors) else apart if independent else shared
    return {"value": _mean([one["value"] for one in differences]), "standard_error": error}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def measure(
    data: Path | None,
    seeds: int,
    say: Say,
    *,
    leads: int = LEADS,
    sets: Sequence[str] | None = None,
    factor: float = 1.0,
) -> dict[str, Any]:
    """Measure every set that can be measured; without the data folder the simulator only.

    Raises:
        InputError: FLAML is not installed, or a set was asked for whose data are not given.
    """
    if not installed():
        raise InputError(MISSING)
    names = sets or (SETS if data is not None else (SIMULATOR,))
    found = {}
    for name in names:
        runs = [
            run_once(market, seed, factor, say) for seed, market in enumerate(markets(name, data, seeds, leads, say))
        ]
        found[name] = summary(runs, independent=name == SIMULATOR)
    return {FLAML: found}


def show(sets: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the figures for reading, a line per set and metric."""
    for name, one in sets.items():
        seconds = ", ".join(f"{who} {one['seconds'][who]:.0f} s" for who in (OURS, FLAML))
        print(f"{name} ({seconds})")
        for metric in DECISIVE:
            value, error = one["difference"][metric]["value"], one["difference"][metric]["standard_error"]
            if value is None or error is None:
                print(f"  {metric:<9} not defined")
                continue
            told = "not worse" if one["not_worse"][metric] else "WORSE"
            figures = f"{one[metric][OURS]:.4f} against {one[metric][FLAML]:.4f}"
            print(f"  {metric:<9} {figures}, difference {value:+.4f}, standard error {error:.4f}: {told}")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="sets to measure (default: all that are there)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="repetitions, seeds 0, 1, ...")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of the simulated market")
    parser.add_argument("--factor", type=float, default=1.0, help="FLAML's seconds, as a multiple of ours")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1 or not 0 < options.factor < float("inf"):
        parser.error("--seeds must be at least 1, --factor above 0")
    found = attempted(lambda say: _asked(options, say))
    if found is None:
        return 2
    if options.json:
        print(json.dumps(found, allow_nan=False))
    else:
        show(found[FLAML])
    return 1 if bars.missed(found) else 0


def _asked(options: argparse.Namespace, say: Say) -> dict[str, Any]:
    if options.data is not None:
        check_files(options.data)
    return measure(options.data, options.seeds, say, leads=options.leads, sets=options.sets, factor=options.factor)


if __name__ == "__main__":
    sys.exit(run())
