"""Kill tuning again and again, resume it each time, and count finished trials that are gone.

Usage: python -m benchmarks.training.resume [--kills 8] [--json]

A worker process tunes on rows drawn from a seed and says after each trial how many are finished. It is killed (SIGKILL)
at a moment drawn from the seed, mostly in the middle of a trial, and started again on the same file of studies, until
the study is whole. Finished trials that were said and are not in the file are lost. The result must be that of an
undisturbed run, trial by trial.

Exit status: 0 nothing was lost and the result is the same, 1 otherwise.
"""

import argparse
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.training import bars
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace
from training import study, tune
from training.rows import Rows

TRIALS: Final = 12
SEED: Final = 0
LEADS: Final = 1_500
SPECS: Final = tuple(
    FeatureSpec(name, "fit", "number", attribute=name) for name in ("a", "b", "c", "d", "e", "f", "g", "h")
)


def rows(leads: int = LEADS, seed: int = SEED) -> Rows:
    """Draw two rows per lead, whose outcome follows three of eight numbers and the points."""
    random = np.random.default_rng(seed)
    n = 2 * leads
    X = random.normal(size=(n, len(SPECS)))
    X[random.random(X.shape) < 0.1] = np.nan
    points = random.integers(0, 40, n).astype(np.float64)
    log_odds = -3.0 + np.nan_to_num(X[:, 0]) + 0.7 * np.nan_to_num(X[:, 1] * X[:, 2]) + points / 20
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    frame = pl.DataFrame({"lead_id": [f"lead-{at // 2}" for at in range(n)], "as_of": np.arange(n), "label": y})
    return Rows(frame, X, points, y, np.ones(n))


def work(folder: Path, trials: int) -> None:
    """Tune with the studies of a workspace and say what is finished, a JSON object a line."""

    def progress(done: int, _total: int) -> None:
        print(json.dumps({"finished": done}), flush=True)

    studies = study.address(Workspace.at(folder))
    tuned = tune.tune(rows(), SPECS, trials=trials, seed=SEED, progress=progress, studies=studies)
    print(json.dumps({"result": _plain(tuned)}), flush=True)


def measure(kills: int = 8, trials: int = TRIALS) -> dict[str, Any]:
    """Kill and resume; give `resume_lost_trials` and what goes with it.

    Args:
        kills: how often, spread over the study.
        trials: of the study.
    """
    random = np.random.default_rng(SEED)
    began = time.perf_counter()
    undisturbed = _plain(tune.tune(rows(), SPECS, trials=trials, seed=SEED))
    one = (time.perf_counter() - began) / trials
    lost, kept, done, result = 0, 0, 0, None
    with tempfile.TemporaryDirectory() as name:
        while result is None:
            # The next kill comes after one more trial, and somewhere in the one after that.
            until = kept + 1 if done < kills and kept + 1 < trials else None
            said, result = _one_life(Path(name), trials, until, float(random.random()) * one)
            kept = _finished(Path(name))
            lost += max(0, said - kept)
            done += result is None
    return {
        "resume_lost_trials": lost,
        "resume_kills": done,
        "resume_same_result": result == undisturbed,
        "trials": trials,
    }


def _one_life(folder: Path, trials: int, until: int | None, delay: float) -> tuple[int, Any]:
    """Let a worker live until it said that so many trials are finished, and a little longer; None = to its end.

    Returns:
        How many it said are finished, and its result (None if it was killed).
    """
    command = [sys.executable, "-m", "benchmarks.training.resume", "--work", str(folder), "--trials", str(trials)]
    said, result, killed = 0, None, False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:  # noqa: S603  (our own module)
        for line in worker.stdout or ():
            told = json.loads(line)
            said, result = told.get("finished", said), told.get("result")
            if not killed and until is not None and said >= until:
                time.sleep(delay)
                worker.send_signal(signal.SIGKILL)
                killed = True
    if result is None and not killed:
        raise RuntimeError(f"the worker ended with status {worker.returncode} before its work was done")
    return said, result


def _finished(folder: Path) -> int:
    """Count the finished trials in the file of studies, without the code that wrote them."""
    with contextlib.closing(sqlite3.connect(Workspace.at(folder).studies_db)) as file:
        question = "SELECT count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
        return int(file.execute(question).fetchone()[0])


def _plain(tuned: tune.Tuned) -> dict[str, Any]:
    """Give everything that was tuned as JSON gives it back."""
    trials = [
        {**trial.recipe.to_json(), "log_loss": trial.log_loss, "by_fold": list(trial.by_fold), "pruned": trial.pruned}
        for trial in tuned.trials
    ]
    plain: dict[str, Any] = json.loads(json.dumps({"recipe": tuned.recipe.to_json(), "trials": trials}))
    return plain


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8, help="how often the worker is killed")
    parser.add_argument("--trials", type=int, default=TRIALS, help="of the study")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work is not None:
        work(options.work, options.trials)
        return 0
    found = measure(options.kills, options.trials)
    if options.json:
        print(json.dumps(found))
    else:
        same = "the same as" if found["resume_same_result"] else "NOT the same as"
        print(f"killed {found['resume_kills']} times: {found['resume_lost_trials']} finished trials lost")
        print(f"the result is {same} that of an undisturbed run of {found['trials']} trials")
    return 1 if bars.missed(found) else 0


if __name__ == "__main__":
    sys.exit(run())
