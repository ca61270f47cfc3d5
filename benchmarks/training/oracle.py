"""How near does a model come to the best score that the record allows? Its distance to the oracle's AUC.

Usage: python -m benchmarks.training.oracle [--seeds 3] [--leads 100000] [--json]

The oracle is `leadlight.simulate.true_probability`: the probability of the outcome given everything that happened to a
lead before as_of and its attributes. It knows the rules by which the market works, but not what is hidden in a lead: of
its type and mood it believes what its history tells, by exact filtering. So no score that looks at the past alone can
be expected to have a higher AUC. It reads the clean record, the model the export with its late, double and machine-made
rows; nothing else that it sees is hidden from the model.

The market goes through ingest, hygiene, audit, split, features, ladder, tuning and calibration exactly as `leadlight
train --target sql` does with nothing else set. `expected_gap` is the same distance with each test row's outcome
replaced by its true probability: what the gap would be with many times the test leads.

`oracle_gap` is the mean of the markets, with its standard error over them and the gap of the worst one.

Exit status: 0 the mean gap is at most 0.01, 1 it is not, 2 bad usage or input.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.features.work import peak_mb
from benchmarks.training import bars
from benchmarks.training.command import Say, attempted
from leadlight import metrics
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY
from leadlight.simulate.record import Options as MarketOptions
from leadlight.simulate.truth import true_probability
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import parse
from scoring.scale import probabilities
from training import evaluate, fitting
from training.baselines import RulesLink
from training.comparison import Comparison, Metric
from training.fitting import Made
from training.ground import Ground, prepare
from training.influence import columns_of
from training.options import Options

Floats = NDArray[np.float64]

LEADS: Final = 100_000
# Markets of which the gap that is held against the bar is the mean.
SEEDS: Final = 3
# As `leadlight train` does where nothing is said.
TEST_FROM: Final = 0.7
SCORERS: Final = ("oracle", "model", "rules")


def work(seeds: int, say: Say, leads: int = LEADS) -> dict[str, Any]:
    """Measure markets with seeds 0 .. seeds - 1; the gap is their mean."""
    found = [measure(seed, leads, say) for seed in range(seeds)]
    gaps = np.array([one["oracle_gap"] for one in found])
    return {
        "oracle_gap": float(gaps.mean()),
        "oracle_gap_standard_error": float(gaps.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else None,
        "oracle_gap_worst": float(gaps.max()),
        "oracle_markets": seeds,
        "markets": found,
    }


def measure(seed: int, leads: int, say: Say) -> dict[str, Any]:
    """Train on one market and compare with its oracle.

    Raises:
        NotEnoughDataError: the test rows hold one outcome only.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="leadlight-training-") as scratch:
        market, room = Path(scratch) / "market", Workspace.at(Path(scratch) / "workspace")
        say(f"market {seed}: {leads:,} leads")
        write_market(market, MarketOptions(leads, seed))
        ingest(market / "mapping.yaml", market / "raw", room)
        asked = Options("sql", TEST_FROM, parse.builtin("standard"), seed=seed)
        say(f"market {seed}: features")
        ground = prepare(room, asked)
        asked = replace(asked, card=ground.card)
        made = fitting.make(ground.known, ground.specs, ground.split, asked, said=lambda why: say(f"{seed}: {why}"))
        truth = oracle(market, ground)
    scores = {"oracle": truth, "model": of_model(made, ground), "rules": of_rules(ground)}
    rows = ground.test
    compared = evaluate.compare(rows.y, scores, rows.lead_ids, seed, age=rows.frame["age"].to_numpy())
    found = figures(compared, {name: expected_auc(truth, score) for name, score in scores.items()})
    say(f"market {seed}: {_line(found)}")
    return {"seed": seed, "leads": leads, **_asked(made, ground), **found, **_cost(start)}


def oracle(market: Path, ground: Ground) -> Floats:
    """Give the true probabilities of the test rows, shape (n,)."""
    frame, split = ground.test.frame, ground.split
    if split.horizon_us is None:
        raise InputError("the simulated market has a clock, and the question no horizon; give one")
    lead_ids, as_of = frame["lead_id"].to_list(), frame["as_of"].to_numpy()
    return true_probability(market, lead_ids, as_of, split.target, split.horizon_us)


def of_model(made: Made, ground: Ground) -> Floats:
    """Give the trained scorer's probabilities of the test rows, shape (n,)."""
    X = columns_of(made.scorer, ground.specs, ground.test.X)
    return probabilities(made.scorer.log_odds(X, ground.test.points))


def of_rules(ground: Ground) -> Floats:
    """Give the probabilities of the rules, fitted to the outcomes known at the cut, shape (n,)."""
    known = ground.known
    return RulesLink.fit(known.points, known.y, known.weight).probability(ground.test.points)


def expected_auc(truth: Floats, score: Floats) -> float:
    """Give the AUC with every outcome replaced by its true probability.

    Formula: the sum of p_i (1 - p_j) ([s_i > s_j] + [s_i = s_j] / 2) over all pairs, divided by that of p_i (1 - p_j);
    a row beside itself counts as a tie.

    Args:
        truth: true probabilities p, shape (n,).
        score: any score s, shape (n,).

    Raises:
        NotEnoughDataError: every true probability is 0, or every one is 1.
    """
    outcomes = np.repeat([1.0, 0.0], len(truth))
    found = metrics.auc(outcomes, np.tile(score, 2), np.concatenate([truth, 1 - truth]))
    if found is None:
        raise NotEnoughDataError("every true probability is 0, or every one is 1: no AUC is defined")
    return found


def figures(compared: Comparison, expected: Mapping[str, float]) -> dict[str, Any]:
    """Give the gap, its standard error by leads, and the AUC of every scorer, in all and per age.

    Raises:
        NotEnoughDataError: the test rows hold one outcome only.
    """
    told = _aucs(compared)
    if told["oracle_gap"] is None:
        raise NotEnoughDataError(
            f"{compared.rows:,} test rows with {compared.positives:,} successes: no AUC is defined; simulate more leads"
        )
    return {
        **told,
        "expected_gap": expected["oracle"] - expected["model"],
        "expected_auc": dict(expected),
        "log_loss": _values(compared, "log_loss"),
        "calibrated": compared.ece_ok["model"],
        "by_age": [{"age_days": (part.age_us or 0) / DAY, **_aucs(part)} for part in compared.by_age],
    }


def _aucs(part: Comparison) -> dict[str, Any]:
    against = part.differences["auc"]["oracle"]
    return {
        "oracle_gap": None if against is None else -against.value,
        "standard_error": None if against is None else against.standard_error,
        "auc": _values(part, "auc"),
        "rows": part.rows,
        "positives": part.positives,
    }


def _values(part: Comparison, metric: Metric) -> dict[str, float | None]:
    found = part.metrics[metric]
    return {name: None if (one := found[name]) is None else one.value for name in SCORERS}


def _asked(made: Made, ground: Ground) -> dict[str, Any]:
    """Say what was trained: the question, the rung, the features, and what was learnt from."""
    known, split = ground.known, ground.split
    return {
        "target": split.target,
        "horizon_days": (split.horizon_us or 0) / DAY,
        "rung": made.notes["ladder"]["rung"],
        "features": len(ground.specs),
        "known": {"rows": len(known), "positives": int(known.y.sum())},
        "settled": made.notes.get("settled"),
        "recipe": made.notes.get("recipe"),
    }


def _cost(start: float) -> dict[str, float | int]:
    return {"seconds": round(time.perf_counter() - start, 1), "peak_mb": peak_mb()}


def _line(found: Mapping[str, Any]) -> str:
    auc = ", ".join(f"{name} {value:.4f}" for name, value in found["auc"].items())
    error = "not defined" if found["standard_error"] is None else f"{found['standard_error']:.4f}"
    return f"AUC {auc}; gap {found['oracle_gap']:.4f} (standard error {error}), expected {found['expected_gap']:.4f}"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of markets, seeds 0, 1, ...")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of each market")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    found = attempted(lambda say: work(options.seeds, say, options.leads))
    if found is None:
        return 2
    if options.json:
        print(json.dumps(found, allow_nan=False))
    else:
        show(found)
    return 1 if bars.missed(found) else 0


def show(found: Mapping[str, Any]) -> None:
    """Print the bar, and every market by age."""
    (bar,) = [one for one in bars.bars_of(found) if one.key == "oracle_gap"]
    print(f"oracle_gap {bar.found} (bar: {bar.demand})")
    for market in found["markets"]:
        print(f"market {market['seed']}: {_line(market)}")
        for part in market["by_age"]:
            if part["oracle_gap"] is not None:
                print(f"  age {part['age_days']:g} d: gap {part['oracle_gap']:.4f} ({part['positives']:,} successes)")


if __name__ == "__main__":
    sys.exit(run())
