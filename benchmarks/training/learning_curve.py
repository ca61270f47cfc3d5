"""The ladder as outcomes come in: log loss on later leads with 0 to 1,600 wins known, against rules and base rate.

Usage: python -m benchmarks.training.learning_curve [--seeds 50] [--leads 30000] [--data FOLDER] [--json]

For a size of k wins, a seed draws leads of the training side in random order until the next one would be the win number
k + 1: a small company on the same market, with its natural number of losses. With 0 wins there are 0 losses, that is,
no outcome. Everything else is as in training: each scorer sees those leads' known outcomes and no more, and is measured
on all mature snapshots at or after the cut, the same for every seed.

`rules` in ladder_win_share_25 are two, and the ladder must be lower than both: the card with its prior (what a marketer
has who draws up a card and never fits it to outcomes; on this market that prior is far off, and the base rate is
better), and the card fitted to the same outcomes by maximum likelihood (`fitted_rules`: `baselines.RulesLink`, what
every comparison of the product calls `rules`). ladder_win_share_25_prior asks for the first only.
ladder_worse_than_rules looks at each of the two on its own. `model` is the plain model without a ladder: the usual
recipe over the rules.

Exit status: 0 the bars are passed, 1 one is missed, 2 bad usage or input.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.sets import QUESTIONS, check_files
from benchmarks.training.command import attempted
from benchmarks.training.market import Market, Say, real, simulated
from leadlight.metrics import log_losses_of_log_odds
from training import baselines, ladder
from training.ladder_needs import RUNGS
from training.prior import Prior
from training.rows import Rows, lead_hash

SIZES: Final = (0, 5, 10, 25, 50, 100, 400, 1_600)
SEEDS: Final = 50
LEADS: Final = 70_000  # so many that 1,600 of those before the cut succeeded
# Above so many wins a fifth of the seeds is measured: chance is small there, and fitting takes long.
LARGE: Final = 50
BAR_SIZE: Final = 25
BAR_SHARE: Final = 0.9
# "Worse" means beyond so many standard errors of the mean over the seeds.
ERRORS: Final = 2.0
# Rows to be measured on, at most: whole leads.
MOST_TEST_ROWS: Final = 30_000
SCORERS: Final = ("ladder", "prior", "fitted_rules", "base_rate", "model")


@dataclass(frozen=True, slots=True)
class Draw:
    """One seed at one size: the log loss of each scorer on the test rows, and the rung that the ladder chose.

    `model` is absent where one class of outcomes leaves nothing to fit; with no outcome only the prior is there.
    """

    seed: int
    rung: str
    log_loss: Mapping[str, float]

    @property
    def rules(self) -> float:
        """The better of the card with its prior and the card fitted to the outcomes."""
        return min(self.log_loss[name] for name in ("prior", "fitted_rules") if name in self.log_loss)


def drawn(rows: Rows, wins: int, seed: int) -> Rows | None:
    """Give the rows of a random company with so many winning leads; None where there are not so many."""
    number = lead_hash(rows.lead_ids, seed)
    winning = np.unique(number[rows.y == 1])
    if not wins:
        return rows.take(np.zeros(len(rows), dtype=np.bool_))
    if len(winning) < wins:
        return None
    end = winning[wins] if len(winning) > wins else np.inf
    return rows.take(number < end)


def measure(market: Market, rows: Rows, test: Rows, seed: int) -> Draw:
    """Fit every scorer on a company's rows and measure it on the test rows."""
    prior = Prior.of(market.card, market.split.target, rows.points)
    choice = ladder.choose(
        rows,
        market.specs,
        ladder.rungs(prior),
        cut=market.split.cut,
        horizon_us=market.split.horizon_us,
        seed=seed,
    )
    steps = {step.name: step for step in ladder.rungs(prior)}
    raw = {
        "ladder": steps[choice.rung].fit(rows, market.specs, seed).raw(test),
        "prior": prior.link.log_odds(test.points),
    }
    if len(rows):
        rate = baselines.base_rate(rows.y, rows.weight)
        raw["base_rate"] = np.full(len(test), np.log(rate / (1 - rate)))
        raw["fitted_rules"] = baselines.RulesLink.fit(rows.points, rows.y, rows.weight).log_odds(test.points)
        if 0 < rows.y.sum() < len(rows):
            raw["model"] = ladder.usual_model(rows, market.specs, seed).raw(test)
    losses = {name: float(np.mean(log_losses_of_log_odds(test.y, values))) for name, values in raw.items()}
    return Draw(seed, choice.rung, losses)


def curve(market: Market, sizes: Sequence[int], seeds: int, say: Say) -> dict[int, list[Draw]]:
    """Measure every size that the market has wins for."""
    leads = lead_hash(market.test.lead_ids, 0)
    test = market.test.take(leads < 2**32 * min(1.0, MOST_TEST_ROWS / max(len(market.test), 1)))
    found: dict[int, list[Draw]] = {}
    for size in sizes:
        count = 1 if not size else seeds if size <= LARGE else max(seeds // 5, min(seeds, 3))
        rows = ((seed, drawn(market.known, size, seed)) for seed in range(count))
        draws = [measure(market, chosen, test, seed) for seed, chosen in rows if chosen is not None]
        if draws:
            found[size] = draws
            say(_line(market.name, size, draws))
    return found


def win_share(draws: Sequence[Draw], *, fitted: bool = False) -> float:
    """Give the share of seeds in which the ladder's log loss is lower than that of the rules and of the base rate.

    Args:
        draws: the seeds of a size.
        fitted: whether the rules fitted to the same outcomes must be beaten too.
    """
    rivals = [min(draw.rules if fitted else draw.log_loss["prior"], draw.log_loss["base_rate"]) for draw in draws]
    return float(np.mean([draw.log_loss["ladder"] < rival for draw, rival in zip(draws, rivals, strict=True)]))


def worse_than_rules(found: Mapping[int, Sequence[Draw]]) -> list[int]:
    """Give the sizes at which the ladder is worse than the rules beyond two standard errors; at 0, if it differs."""
    return [size for size, draws in found.items() if _worse(size, draws)]


def _worse(size: int, draws: Sequence[Draw]) -> bool:
    differences = {
        name: np.array([draw.log_loss["ladder"] - draw.log_loss[name] for draw in draws])
        for name in ("prior", "fitted_rules")
        if all(name in draw.log_loss for draw in draws)
    }
    if not size:
        return bool(np.any(differences["prior"] != 0))
    return any(
        values.mean() > ERRORS * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else values[0] > 0
        for values in differences.values()
    )


def summary(found: Mapping[int, Sequence[Draw]]) -> list[dict[str, Any]]:
    """Give a line per size: seeds, mean log loss of each scorer, and how often each rung was chosen."""
    return [
        {
            "wins": size,
            "seeds": len(draws),
            "log_loss": {name: _mean(draws, name) for name in SCORERS},
            "win_share": win_share(draws) if size else None,
            "win_share_fitted": win_share(draws, fitted=True) if size else None,
            "rungs": {rung: sum(draw.rung == rung for draw in draws) for rung in RUNGS},
        }
        for size, draws in found.items()
    ]


def _mean(draws: Sequence[Draw], name: str) -> float | None:
    values = [draw.log_loss[name] for draw in draws if name in draw.log_loss]
    return float(np.mean(values)) if values else None


def _line(name: str, size: int, draws: Sequence[Draw]) -> str:
    found = summary({size: draws})[0]
    losses = ", ".join(f"{key} {value:.4f}" for key, value in found["log_loss"].items() if value is not None)
    rungs = ", ".join(f"{rung} {count}" for rung, count in found["rungs"].items() if count)
    share = "" if found["win_share"] is None else f"; lower than rules and base rate in {found['win_share']:.0%}, "
    if share:
        share += f"than fitted rules too in {found['win_share_fitted']:.0%}"
    return f"{name}, {size:,} wins, {len(draws)} seeds: {losses}{share}; rungs: {rungs}"


def figures(found: Mapping[int, Sequence[Draw]]) -> dict[str, Any]:
    """Give the figures of the bars, from the simulator's curve."""
    return {
        "ladder_win_share_25": win_share(found[BAR_SIZE], fitted=True) if BAR_SIZE in found else None,
        "ladder_win_share_25_prior": win_share(found[BAR_SIZE]) if BAR_SIZE in found else None,
        "ladder_worse_than_rules": worse_than_rules(found),
    }


def passed(keys: Mapping[str, Any]) -> bool:
    """Tell whether the bars are passed."""
    share = keys["ladder_win_share_25"]
    return share is not None and share >= BAR_SHARE and not keys["ladder_worse_than_rules"]


def measured(leads: int, sizes: Sequence[int], seeds: int, data: Path | None, say: Say) -> dict[str, Any]:
    """Measure the simulated market, and the public sets where their folder is given."""
    found = curve(simulated(leads, 1, say), sizes, seeds, say)
    sets: dict[str, Any] = {}
    if data is not None:
        check_files(data)
        sets = {question.key: summary(curve(real(question, data, say), sizes, seeds, say)) for question in QUESTIONS}
    return {"simulator": found, "real": sets}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="random companies per size")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of the simulated market")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of wins")
    parser.add_argument("--data", type=Path, help="folder of the public data sets, to measure them too")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1 or min(options.sizes) < 0:
        parser.error("--seeds must be at least 1, --sizes not negative")
    answer = attempted(lambda say: measured(options.leads, options.sizes, options.seeds, options.data, say))
    if answer is None:
        return 2
    found, sets = answer["simulator"], answer["real"]
    keys = figures(found)
    if options.json:
        print(json.dumps({**keys, "simulator": summary(found), "real": sets or None}, allow_nan=False))
    else:
        print(f"ladder_win_share_25: {keys['ladder_win_share_25']} (bar: at least {BAR_SHARE})")
        print(f"ladder_win_share_25_prior: {keys['ladder_win_share_25_prior']} (the weaker demand: no bar)")
        print(f"ladder_worse_than_rules: {keys['ladder_worse_than_rules']} (bar: at no size)")
    return 0 if passed(keys) else 1


if __name__ == "__main__":
    sys.exit(run())
