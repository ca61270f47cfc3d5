"""The ladder as outcomes come in: log loss on later leads with 0 to 1,600 wins known, against rules and base rate.

Usage: python -m benchmarks.training.learning_curve [--seeds 5] [--draws 10] [--leads 70000] [--data FOLDER]
                                                    [--records NAME ...] [--json]

For a size of k wins, a draw takes leads of the training side in random order until the next one would be the win number
k + 1: a small company on the same market, with its natural number of losses. With 0 wins there are 0 losses, that is,
no outcome. `ladder` is what training makes of that company's known outcomes (`training.fitting.make`: rung, encodings,
tuning, calibration; no segment), with the default number of trials up to 50 wins and one above. `model` is the plain
model without a ladder (the usual recipe over the rules, neither tuned nor calibrated); no bar looks at it. Each is
measured on mature snapshots at or after the cut, the same for every draw of a market: of more than 30,000 those of
leads chosen by a hash, about so many.

Only rows are drawn. Catalog, category codes, the audit's verdicts and hygiene are those of the whole market of 70,000
leads (of the whole public data set), of which so small a company would know little: that is kind to scorecard and
model, and so to a ladder that climbs to them, and does nothing for the rules.

A draw says something about companies on its market; what holds in other markets, only other markets can say. So there
are 5 simulated markets (`--seeds`) with 10 draws each, above 50 wins 2 each: means are means over markets, and their
standard errors those of the market means, paired. A public data set is one market: it gives twice as many draws as a
simulated one, and since these overlap and share their test rows, the standard error over them is that of the drawing
alone, and too small for a statement about other records.

`rules` in ladder_win_share_25 are two, and the ladder must be lower than both: the card with its prior (what a marketer
has who draws up a card and never fits it to outcomes; on these markets that prior is far off, and the base rate is
better), and the card fitted to the same outcomes by maximum likelihood (`fitted_rules`: `baselines.RulesLink`, what
every comparison of the product calls `rules`). ladder_win_share_25_prior asks for the first only.

ladder_worse_than_rules looks at each of the two on its own, on every record and at every size: the ladder's mean must
not be higher beyond two standard errors. With no outcome the trained scorer must answer what the prior answers. One
catastrophe among many draws makes the mean worse and its standard error too; so ladder_far_worse_share tells, per
record and size, in what share of the draws the ladder is worse by more than 0.01 nats than the better of the two.

Exit status: 0 the bars are passed, 1 one is missed, 2 bad usage or input.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import QUESTIONS, check_files
from benchmarks.training import bars
from benchmarks.training.command import attempted
from benchmarks.training.market import Market, Say, real, simulated
from leadlight.errors import InputError
from leadlight.metrics import log_losses_of_log_odds
from training import baselines, fitting, ladder
from training.influence import columns_of
from training.ladder_needs import RUNGS
from training.options import Options
from training.prior import Prior
from training.rows import Rows, lead_hash

Floats = NDArray[np.float64]
Line = Mapping[str, Any]

SIMULATOR: Final = "simulator"
SIZES: Final = (0, 5, 10, 25, 50, 100, 400, 1_600)
# Simulated markets, and draws from each.
SEEDS: Final = 5
DRAWS: Final = 10
# A public data set is the only one of its kind: so many times the draws of a simulated market.
DRAWS_OF_A_SET: Final = 2
LEADS: Final = 70_000  # so many that about 1,600 of those before the cut succeeded
# Above so many wins a fifth of the draws is measured, with one trial: chance is small there, and fitting takes long.
LARGE: Final = 50
BAR_SIZE: Final = 25
# "Worse" means beyond so many standard errors of the mean over the markets.
ERRORS: Final = 2.0
# "Far worse" than the better of the rules means by more than so much, in nats.
FAR: Final = 0.01
# Log-odds that differ by no more than this are equal.
EQUAL: Final = 1e-9
# Rows to be measured on, at most: whole leads.
MOST_TEST_ROWS: Final = 30_000
RECORDS: Final = (SIMULATOR, *(one.key for one in QUESTIONS))
SCORERS: Final = ("ladder", "prior", "fitted_rules", "base_rate", "model")
RULES: Final = ("prior", "fitted_rules")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn from a market.

    Attributes:
        sizes: numbers of wins.
        draws: random companies of each size, a fifth as many above `LARGE` wins, one without outcomes.
        trials: recipes that tuning tries; None = as many as training's default, one above `LARGE` wins.
    """

    sizes: tuple[int, ...] = SIZES
    draws: int = DRAWS
    trials: int | None = None

    def seeds(self, size: int, market: int) -> range:
        """Give the seeds of the draws of a size, other ones in every market."""
        count = 1 if not size else self.draws if size <= LARGE else max(1, self.draws // 5)
        return range(market * self.draws, market * self.draws + count)

    def asked(self, market: Market, size: int, seed: int) -> Options:
        """Give what training is asked for."""
        options = Options(market.split.target, market.split.cut, market.card, seed=seed)
        trials = 1 if self.trials is None and size > LARGE else self.trials
        return options if trials is None else replace(options, trials=trials)


@dataclass(frozen=True, slots=True)
class Draw:
    """One company of one size: the log loss of each scorer on the test rows, and the rung that the ladder chose.

    `model` is absent where one class of outcomes leaves nothing to fit; with no outcome only the prior is there.

    Attributes:
        market: its number.
        rung: that the ladder chose.
        log_loss: scorer -> mean log loss.
        off_prior: by how much the ladder's log-odds differ from the prior's at most.
    """

    market: int
    rung: str
    log_loss: Mapping[str, float]
    off_prior: float = 0.0

    @property
    def rules(self) -> float:
        """The better of the card with its prior and the card fitted to the outcomes."""
        return min(self.log_loss[name] for name in RULES if name in self.log_loss)


@dataclass(frozen=True, slots=True)
class Difference:
    """The ladder's mean log loss minus another scorer's, with its standard error over markets."""

    mean: float
    standard_error: float | None

    @property
    def worse(self) -> bool:
        """Whether it is above 0 beyond two standard errors; without one, above 0."""
        return self.mean > ERRORS * (self.standard_error or 0.0)


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


def measure(market: Market, rows: Rows, test: Rows, asked: Options, number: int = 0) -> Draw:
    """Let every scorer learn from a company's rows and measure it on the test rows."""
    made = fitting.make(rows, market.specs, market.split, asked)
    raw = {
        "ladder": made.scorer.log_odds(columns_of(made.scorer, market.specs, test.X), test.points),
        "prior": Prior.of(market.card, market.split.target, rows.points).link.log_odds(test.points),
    }
    if len(rows):
        rate = baselines.base_rate(rows.y, rows.weight)
        raw["base_rate"] = np.full(len(test), np.log(rate / (1 - rate)))
        raw["fitted_rules"] = baselines.RulesLink.fit(rows.points, rows.y, rows.weight).log_odds(test.points)
        if 0 < rows.y.sum() < len(rows):
            raw["model"] = ladder.usual_model(rows, market.specs, asked.seed).raw(test)
    losses = {name: float(np.mean(log_losses_of_log_odds(test.y, values))) for name, values in raw.items()}
    off = float(np.abs(raw["ladder"] - raw["prior"]).max())
    return Draw(number, made.notes["ladder"]["rung"], losses, off)


def curve(market: Market, plan: Plan, say: Say, number: int = 0) -> dict[int, list[Draw]]:
    """Measure every size that the market has wins for.

    Args:
        market: its rows.
        plan: what is drawn.
        say: told a line per size.
        number: of the market.
    """
    leads = lead_hash(market.test.lead_ids, 0)
    test = market.test.take(leads < 2**32 * min(1.0, MOST_TEST_ROWS / max(len(market.test), 1)))
    found: dict[int, list[Draw]] = {}
    for size in plan.sizes:
        rows = ((seed, drawn(market.known, size, seed)) for seed in plan.seeds(size, number))
        draws = [
            measure(market, one, test, plan.asked(market, size, seed), number) for seed, one in rows if one is not None
        ]
        if draws:
            found[size] = draws
            say(f"{market.name} {number}, {_told(line_of(size, draws))}")
    return found


def merged(markets: Iterator[Mapping[int, Sequence[Draw]]]) -> list[dict[str, Any]]:
    """Put the draws of markets together, one market after the other, and give a line per size."""
    found: dict[int, list[Draw]] = {}
    for one in markets:
        for size, draws in one.items():
            found.setdefault(size, []).extend(draws)
    return [line_of(size, draws) for size, draws in found.items()]


def line_of(size: int, draws: Sequence[Draw]) -> dict[str, Any]:
    """Give what was found at a size: means over markets, differences, shares of draws, and the rungs chosen."""
    minus = {name: against(draws, name) for name in RULES if all(name in draw.log_loss for draw in draws)}
    off = max(draw.off_prior for draw in draws)
    return {
        "wins": size,
        "markets": len({draw.market for draw in draws}),
        "draws": len(draws),
        "log_loss": {name: _loss(draws, name) for name in SCORERS},
        "minus": {name: asdict(one) for name, one in minus.items()},
        "worse": any(one.worse for one in minus.values()) if size else off > EQUAL,
        "off_prior": None if size else off,
        "far_worse_share": float(np.mean([draw.log_loss["ladder"] > draw.rules + FAR for draw in draws])),
        "win_share": win_share(draws) if size else None,
        "win_share_fitted": win_share(draws, fitted=True) if size else None,
        "rungs": {rung: sum(draw.rung == rung for draw in draws) for rung in RUNGS},
    }


def against(draws: Sequence[Draw], name: str) -> Difference:
    """Hold the ladder's log loss against another scorer's.

    One market alone gives the standard error over its draws; a single draw gives none.
    """
    differences = [draw.log_loss["ladder"] - draw.log_loss[name] for draw in draws]
    means = _by_market(draws, differences)
    values = means if len(means) > 1 else np.array(differences)
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Difference(float(means.mean()), error)


def win_share(draws: Sequence[Draw], *, fitted: bool = False) -> float:
    """Give the share of draws in which the ladder's log loss is lower than that of the rules and of the base rate.

    Args:
        draws: those of a size.
        fitted: whether the rules fitted to the same outcomes must be beaten too.
    """
    rivals = [min(draw.rules if fitted else draw.log_loss["prior"], draw.log_loss["base_rate"]) for draw in draws]
    return float(np.mean([draw.log_loss["ladder"] < rival for draw, rival in zip(draws, rivals, strict=True)]))


def _loss(draws: Sequence[Draw], name: str) -> float | None:
    having = [draw for draw in draws if name in draw.log_loss]
    return float(_by_market(having, [draw.log_loss[name] for draw in having]).mean()) if having else None


def _by_market(draws: Sequence[Draw], values: Sequence[float]) -> Floats:
    """Give the mean of each market's values."""
    of = np.array([draw.market for draw in draws])
    return np.array([np.mean(np.array(values)[of == market]) for market in np.unique(of)])


def _told(line: Line) -> str:
    losses = ", ".join(f"{key} {value:.4f}" for key, value in line["log_loss"].items() if value is not None)
    rungs = ", ".join(f"{rung} {count}" for rung, count in line["rungs"].items() if count)
    share = "" if line["win_share"] is None else f"; lower than rules and base rate in {line['win_share']:.0%}, "
    if share:
        share += f"than fitted rules too in {line['win_share_fitted']:.0%}"
    far = f"; far worse in {line['far_worse_share']:.0%}"
    return f"{line['wins']:,} wins, {line['draws']} draws: {losses}{share}{far}; rungs: {rungs}"


def figures(found: Mapping[str, Sequence[Line]]) -> dict[str, Any]:
    """Give the figures of the bars.

    Args:
        found: record -> its lines. Wins are counted on the simulator only, and no share is given where that was left
            out; where the ladder is worse, on every record.
    """
    at_bar = [line for line in found.get(SIMULATOR, ()) if line["wins"] == BAR_SIZE]
    lines = {f"{name} {line['wins']}": line for name, of in found.items() for line in of}
    shares = {
        "ladder_win_share_25": at_bar[0]["win_share_fitted"] if at_bar else None,
        "ladder_win_share_25_prior": at_bar[0]["win_share"] if at_bar else None,
    }
    return (shares if SIMULATOR in found else {}) | {
        "ladder_worse_than_rules": [name for name, line in lines.items() if line["worse"]],
        "ladder_far_worse_share": {name: line["far_worse_share"] for name, line in lines.items()},
    }


def measured(
    leads: int, plan: Plan, seeds: int, data: Path | None, say: Say, *, records: Sequence[str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Measure the simulated markets, and the public sets where their folder is given; record -> its lines.

    One market is in memory at a time. With `records` only these are measured.

    Raises:
        InputError: a public set is asked for, and the folder is not there.
    """
    if data is not None:
        check_files(data)
    asked = RECORDS if records is None else tuple(records)
    found: dict[str, list[dict[str, Any]]] = {}
    if SIMULATOR in asked:
        found[SIMULATOR] = merged(curve(simulated(leads, number, say), plan, say, number) for number in range(seeds))
    alone = replace(plan, draws=plan.draws * DRAWS_OF_A_SET)
    for one in QUESTIONS:
        if one.key in asked and data is not None:
            found[one.key] = merged(iter([curve(real(one, data, say), alone, say)]))
        elif records is not None and one.key in asked:
            raise InputError(f"{one.key}: --data is missing; give the folder that holds the public data sets")
    return found


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="simulated markets, seeds 0, 1, ...")
    parser.add_argument("--draws", type=int, default=DRAWS, help="random companies per market and size")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of each simulated market")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of wins")
    parser.add_argument("--trials", type=int, help=f"of tuning (default: training's own up to {LARGE} wins, 1 above)")
    parser.add_argument("--data", type=Path, help="folder of the public data sets, to measure them too")
    parser.add_argument("--records", nargs="+", choices=RECORDS, help="those to measure (default: all that are there)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if min(options.seeds, options.draws, options.trials or 1) < 1 or min(options.sizes) < 0:
        parser.error("--seeds, --draws and --trials must be at least 1, --sizes not negative")
    plan = Plan(tuple(options.sizes), options.draws, options.trials)
    found = attempted(
        lambda say: measured(options.leads, plan, options.seeds, options.data, say, records=options.records)
    )
    if found is None:
        return 2
    keys = figures(found)
    if options.json:
        real_sets = {name: lines for name, lines in found.items() if name != SIMULATOR}
        print(json.dumps({**keys, SIMULATOR: found.get(SIMULATOR), "real": real_sets or None}, allow_nan=False))
    else:
        for key, value in keys.items():
            print(f"{key}: {value}")
    missed = bars.missed(keys)
    for bar in missed:
        print(f"MISSED: {bar.key}: {bar.found} ({bar.demand})", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(run())
