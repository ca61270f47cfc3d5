"""Studies whose trials take no time: a valley in three parameters."""

import sqlite3
from contextlib import closing
from pathlib import Path

from training.study import Outcome, Question, Range, Study

SPACE = {"x": Range(-5.0, 5.0), "rate": Range(0.01, 1.0, log=True), "depth": Range(2, 6, whole=True)}
USUAL = {"x": 4.0, "rate": 0.5, "depth": 3}
ROOT = Path(__file__).parents[2]


def question(name="tuning-a", seed=3):
    return Question(name, SPACE, USUAL, seed)


def valley(attempt):
    values = attempt.values
    objective = (values["x"] - 1) ** 2 + abs(values["rate"] - 0.1) + abs(values["depth"] - 4)
    return Outcome(objective, {"place": attempt.place, "values": dict(values), "objective": objective})


def url(folder):
    return f"sqlite:///{folder}/studies.db"


def run(trials, where=None, *, asked=None, measure=valley, **more):
    with Study.opened(asked or question(), where) as study:
        return study.run(measure, trials, **more)


def states(folder):
    with closing(sqlite3.connect(Path(folder) / "studies.db")) as file:
        return [state for (state,) in file.execute("SELECT state FROM trials ORDER BY number")]


def interrupted_after(count):
    """Measure so many and be interrupted in the next."""
    left = iter(range(count))

    def measure(attempt):
        if next(left, None) is None:
            raise InterruptedError
        return valley(attempt)

    return measure
