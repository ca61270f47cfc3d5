"""Studies: what tuning has tried so far, in a database, so that it outlives the process that tries.

A study belongs to one question and is named by its fingerprint: another question never meets its trials. Every trial
has a *place* (0, 1, 2, ...). What is tried at a place follows from the seed, the place and the trials finished before,
never from the state of a process; a run that was killed and resumed tries what an undisturbed one would have tried.

Several processes may share a study, on one machine or on several. A trial says who is at work on it and when it was
last heard of. One whose process has ended (seen at once on the same machine) or was not heard of for `GRACE` seconds
has failed, and its place is tried again.
"""

import contextlib
import hashlib
import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import optuna
from optuna.trial import TrialState

from leadlight.errors import WorkspaceError
from leadlight.workspace import Workspace
from training.study_database import connect, read_clearly, told_clearly, without_password

# So many trials are drawn at random before what they found guides the next.
STARTUP: Final = 7
# Pruning compares with the median of the finished trials, once there are so many, from the second step on.
COMPARED: Final = 5
# A trial that was not heard of for so many seconds is given up; clocks of machines that share a study agree to this.
GRACE: Final = 600.0
# It says that it is alive, at the end of a step, when it last did so this long ago.
BEAT: Final = 20.0
# Seconds between two looks at the trials of others.
PAUSE: Final = 0.2
# Where a team says once, for every training, which database keeps its studies.
VARIABLE: Final = "LEADLIGHT_STUDIES"
CLAIM, HEARD, FOUND = "claim", "heard", "found"
FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)

# The runs of this process: a trial of this process that belongs to none of them was left behind.
_running: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class Range:
    """Where a parameter may lie, both ends included; `log`: drawn evenly in the logarithm; `whole`: integers only."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def distribution(self) -> Any:
        """Give it in Optuna's words."""
        if self.whole:
            return optuna.distributions.IntDistribution(int(self.low), int(self.high), log=self.log)
        return optuna.distributions.FloatDistribution(self.low, self.high, log=self.log)


@dataclass(frozen=True, slots=True)
class Question:
    """What a study answers.

    Attributes:
        name: fingerprint of everything that the answer depends on (see `fingerprint`).
        space: where each parameter may lie.
        usual: what is tried at place 0, a value per parameter.
        seed: of the draws.
    """

    name: str
    space: Mapping[str, Range]
    usual: Mapping[str, float | int]
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found.

    Attributes:
        objective: what is minimised; finite.
        found: what is to be kept of it, JSON.
        pruned: whether it was ended early.
    """

    objective: float
    found: Mapping[str, Any]
    pruned: bool = False


@dataclass(slots=True)
class Attempt:
    """A trial that this process is at work on.

    Attributes:
        place: its place.
        values: the parameters to be tried.
    """

    place: int
    values: Mapping[str, float | int]
    _asked: Any = field(repr=False)
    _where: str
    _heard: float = field(default_factory=time.time, repr=False)

    def hopeful(self, step: int, objective: float) -> bool:
        """Say what was reached after a step; False where the median of the finished trials had reached more by then.

        Args:
            step: number of the step, from 0.
            objective: the smallest objective so far.
        """
        with told_clearly(self._where):
            self._asked.report(objective, step)
            if time.time() - self._heard > BEAT:
                self._heard = time.time()
                self._asked.set_user_attr(HEARD, self._heard)
            return not self._asked.should_prune()


def fingerprint(*parts: str | bytes) -> str:
    """Name a question by everything that its answer depends on; each part counts with its length.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    digest = hashlib.blake2b(digest_size=10)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return f"tuning-{digest.hexdigest()}"


def address(workspace: Workspace, url: str | None = None) -> str:
    """Give the URL of the database of studies: asked for, else of the environment, else of a file in the workspace."""
    return url or os.environ.get(VARIABLE) or f"sqlite:///{workspace.studies_db.resolve()}"


class Study:
    """The trials of one question."""

    def __init__(self, study: Any, question: Question, sampler: "_Sampler", where: str) -> None:
        self._study, self._question, self._sampler, self._where = study, question, sampler, where
        self._token = secrets.token_hex(8)

    @classmethod
    @contextmanager
    def opened(cls, question: Question, url: str | None) -> Iterator[Self]:
        """Open the study of a question, or begin it.

        Args:
            question: the question.
            url: of the database (`sqlite:////path/studies.db`, `postgresql://user@host/name`); None = in memory.

        Raises:
            InputError: the URL cannot be read, or its driver is not installed.
            WorkspaceError: the database is damaged, cannot be reached or written.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        where = "memory" if url is None else without_password(url)
        storage = optuna.storages.InMemoryStorage() if url is None else connect(url, where)
        sampler = _Sampler(question)
        try:
            with read_clearly(where):
                study = optuna.create_study(
                    storage=storage,
                    study_name=question.name,
                    load_if_exists=True,
                    sampler=sampler,
                    pruner=optuna.pruners.MedianPruner(COMPARED, n_warmup_steps=1, n_min_trials=COMPARED),
                )
            yield cls(study, question, sampler, where)
        finally:
            storage.remove_session()
            if url is not None:
                storage.engine.dispose()

    def finished(self) -> dict[int, dict[str, Any]]:
        """Give what every finished trial found, by place, in the order of places.

        Raises:
            WorkspaceError: a trial cannot be read.
        """
        with read_clearly(self._where):
            trials = self._study.get_trials(deepcopy=False, states=FINISHED)
            found: dict[int, dict[str, Any]] = {}
            for trial in trials:
                found.setdefault(trial.user_attrs[CLAIM]["place"], trial.user_attrs[FOUND])
        return dict(sorted(found.items()))

    def run(
        self,
        measure: Callable[[Attempt], Outcome],
        trials: int,
        *,
        seconds: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[dict[str, Any]]:
        """Try until the places 0 .. trials - 1 are finished, by this process or by others; give what they found.

        Args:
            measure: tries what an attempt says.
            trials: number of places.
            seconds: no new trial begins after so long, once place 0 is finished; None = no limit.
            progress: called with (trials finished, trials) whenever there are more.

        Raises:
            WorkspaceError: the database cannot be read or written; what was finished before stays in it.
        """
        start, told = time.monotonic(), 0
        _running.add(self._token)
        try:
            while True:
                done = {place: found for place, found in self.finished().items() if place < trials}
                if progress is not None and len(done) > told:
                    progress(len(done), trials)
                told = len(done)
                late = 0 in done and seconds is not None and time.monotonic() - start > seconds
                if late or len(done) == trials:
                    return list(done.values())
                attempt = self._claim(trials)
                if attempt is None:
                    time.sleep(PAUSE)
                else:
                    self._try(attempt, measure)
        finally:
            _running.discard(self._token)

    def _claim(self, trials: int) -> Attempt | None:
        """Take the first free place; None where every place is finished or in the work of others."""
        with told_clearly(self._where):
            free = sorted(set(range(trials)) - self._held().keys())
            if not free:
                return None
            self._sampler.place = free[0]
            asked = self._study.ask({name: range_.distribution() for name, range_ in self._question.space.items()})
            claim = {"place": free[0], "worker": _worker(self._token), "at": time.time()}
            asked.set_user_attr(CLAIM, claim)
            if self._held()[free[0]] != asked.number:  # another process was faster
                self._study.tell(asked, state=TrialState.FAIL)
                return None
        return Attempt(free[0], dict(asked.params), asked, self._where)

    def _held(self) -> dict[int, int]:
        """Give the number of the first trial at each place that is finished or being worked on; give up dead ones."""
        held: dict[int, int] = {}
        with read_clearly(self._where):
            for trial in self._study.get_trials(deepcopy=False):
                if trial.state is TrialState.RUNNING and _abandoned(trial):
                    self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
                elif trial.state is not TrialState.FAIL and CLAIM in trial.user_attrs:
                    held.setdefault(trial.user_attrs[CLAIM]["place"], trial.number)
        return held

    def _try(self, attempt: Attempt, measure: Callable[[Attempt], Outcome]) -> None:
        """Measure an attempt and tell its outcome; it has failed where that ends in an error."""
        asked = attempt._asked  # noqa: SLF001  (its own module)
        try:
            outcome = measure(attempt)
            with told_clearly(self._where):
                asked.set_user_attr(FOUND, dict(outcome.found))
                if outcome.pruned:
                    self._study.tell(asked, state=TrialState.PRUNED, skip_if_finished=True)
                else:
                    self._study.tell(asked, outcome.objective, skip_if_finished=True)
        except optuna.exceptions.UpdateFinishedTrialError:
            return  # it was given up by another process, which tries the place again
        except BaseException:
            # The error that ends the run is the one to be told, not that its trial cannot be told of either.
            with contextlib.suppress(WorkspaceError), told_clearly(self._where):
                self._study.tell(asked, state=TrialState.FAIL, skip_if_finished=True)
            raise


class _Sampler(optuna.samplers.BaseSampler):  # type: ignore[misc]  # optuna is untyped here
    """Draws by TPE, seeded anew at every place: what is drawn follows from seed, place and finished trials.

    Trials that others are at work on are not looked at, since how many there are is chance.

    Source: J. Bergstra et al. (2011), Algorithms for hyper-parameter optimization, NeurIPS 24; S. Watanabe (2023),
    doi:10.48550/arXiv.2304.11127.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.place = 0

    def _tpe(self, what: str) -> Any:
        key = f"{self.question.seed}:{self.place}:{what}".encode()
        seed = int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big")
        return optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=STARTUP, multivariate=True, constant_liar=False, n_ei_candidates=24
        )

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Give the parameters that are drawn together: all that every finished trial has; none for the usual."""
        space: dict[str, Any] = self._tpe("").infer_relative_search_space(study, trial) if self.place else {}
        return space

    def sample_relative(self, study: Any, trial: Any, search_space: dict[str, Any]) -> dict[str, Any]:
        """Draw parameters together."""
        drawn: dict[str, Any] = self._tpe("").sample_relative(study, trial, search_space)
        return drawn

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """Draw one parameter; at place 0 it is the usual one."""
        if not self.place:
            return self.question.usual[param_name]
        return self._tpe(param_name).sample_independent(study, trial, param_name, param_distribution)


def _worker(token: str) -> list[Any]:
    """Say who this is: machine, process, when the process began, and which run of it."""
    return [platform.node(), os.getpid(), _began(os.getpid()), token]


def _abandoned(trial: Any) -> bool:
    """Tell whether nobody is at work on a running trial any more."""
    claim = trial.user_attrs.get(CLAIM, {"at": trial.datetime_start.timestamp(), "worker": [None] * 4})
    if time.time() - trial.user_attrs.get(HEARD, claim["at"]) > GRACE:
        return True
    machine, pid, began, token = claim["worker"]
    if machine != platform.node():
        return False
    if (pid, began) == (os.getpid(), _began(os.getpid())):
        return token not in _running
    return _began(int(pid)) != str(began)


def _began(pid: int) -> str:
    """Give when a process began, in the system's own count; `ended` where it has, `?` where that cannot be told."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "ended" if Path("/proc/self/stat").exists() else _seen(pid)
    return "ended" if state in "ZX" else rest[18]


def _seen(pid: int) -> str:
    """Ask for a process where there is no /proc; elsewhere than on POSIX it counts as alive until `GRACE` is over."""
    if os.name == "posix":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return "ended"
        except PermissionError:
            return "?"
    return "?"
