"""The parts of the training benchmark: each gives the figures of its keys, and `details` with what is behind them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.training import (
    automl,
    calibration,
    flaml_search,
    leak_xeducation,
    leaks,
    learning_curve,
    oracle,
    resume,
    segments,
)
from benchmarks.training.command import Say
from leadlight.errors import InputError


@dataclass(frozen=True, slots=True)
class Asked:
    """What a part is asked for.

    Attributes:
        data: folder of the public data sets; None = simulator only.
        seeds: repetitions of every part that is repeated; None = as many as the part's own command makes.
        say: told what begins and what was found, in one line.
        records: on which the ladder is followed; None = all that are there.
    """

    data: Path | None
    seeds: int | None
    say: Say
    records: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part.

    Attributes:
        keys: what it gives.
        measure: measures it with seeds 0 .. n - 1.
        seeds: n, where nothing else is asked for; None = it is made once, with seed 0, whatever is asked for.
        hindered: tells why it cannot be measured; None where it can.
        sets: names what it was measured on, of its details.
    """

    keys: tuple[str, ...]
    measure: Callable[[Asked, int], dict[str, Any]]
    seeds: int | None = None
    hindered: Callable[[Asked], str | None] = lambda _: None
    sets: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _: (learning_curve.SIMULATOR,)

    def repetitions(self, asked: Asked) -> int:
        """Give how many seeds it is measured with."""
        return 1 if self.seeds is None else asked.seeds or self.seeds


def of_leaks(asked: Asked, seeds: int) -> dict[str, Any]:
    """Plant leaks; those of full and middle strength count together, the weak ones have keys of their own."""
    answer = leaks.plant_everywhere(asked.data, seeds, asked.say)
    return {**leaks.figures(answer), "details": answer}


def of_xeducation(asked: Asked, _seeds: int) -> dict[str, Any]:
    """Audit X Education under two sets of names."""
    if asked.data is None:
        raise InputError("xeducation: --data is missing; give the folder that holds the public data sets")
    asked.say("X Education, all columns given, nothing declared")
    answer = leak_xeducation.measure(asked.data)
    return {**{key: answer[key] for key in leaks.XEDUCATION}, "details": answer}


def of_ladder(asked: Asked, seeds: int) -> dict[str, Any]:
    """Follow the ladder on simulated markets and, with the folder, on the public data sets."""
    plan, leads = learning_curve.Plan(), learning_curve.LEADS
    found = learning_curve.measured(leads, plan, seeds, asked.data, asked.say, records=asked.records)
    return {**learning_curve.figures(found), "details": found}


def of_calibration(asked: Asked, seeds: int) -> dict[str, Any]:
    """Measure calibration on the newest slice, and after the base rate moved."""
    return calibration.run_seeds(seeds, calibration.LEADS, asked.say)


def of_segments(asked: Asked, seeds: int) -> dict[str, Any]:
    """Measure the coverage of the intervals of segments."""
    return segments.run_seeds(seeds, segments.LEADS, asked.say)


def of_oracle(asked: Asked, seeds: int) -> dict[str, Any]:
    """Measure the distance to the oracle."""
    found = oracle.work(seeds, asked.say)
    return {**{key: value for key, value in found.items() if key != "markets"}, "details": found}


def of_flaml(asked: Asked, seeds: int) -> dict[str, Any]:
    """Compare with FLAML on every set that is there."""
    found = automl.measure(asked.data, seeds, asked.say)
    return {**found, "details": found[automl.FLAML]}


def of_resume(asked: Asked, _seeds: int) -> dict[str, Any]:
    """Kill tuning and resume it."""
    asked.say("tuning, killed and resumed")
    answer = resume.measure()
    return {**{key: answer[key] for key in ("resume_lost_trials", "resume_same_result")}, "details": answer}


def without_data(asked: Asked) -> str | None:
    """Say why what needs the public data sets cannot be measured; None where it can."""
    return "--data was not given: simulator only" if asked.data is None else None


def without_flaml(_asked: Asked) -> str | None:
    """Say that FLAML is not there; None where it is."""
    return None if flaml_search.installed() else flaml_search.MISSING


def sets_of_leaks(details: Mapping[str, Any]) -> list[str]:
    """Name the sets in which leaks were planted, without their seeds."""
    return sorted({one.rsplit(" ", 1)[0] for one in details["sets"]})


PARTS: Final[Mapping[str, Part]] = {
    "leaks": Part(("leaks_found", "leaks_planted", "false_alarms"), of_leaks, leaks.SEEDS, sets=sets_of_leaks),
    "xeducation": Part(
        ("xeducation_auc_after_gate", "xeducation_rename_changes"),
        of_xeducation,
        hindered=without_data,
        sets=lambda _: ("xeducation",),
    ),
    "ladder": Part(
        ("ladder_win_share_25", "ladder_worse_than_rules", "ladder_far_worse_share"),
        of_ladder,
        learning_curve.SEEDS,
        sets=list,
    ),
    "calibration": Part(("ece_newest", "ece_bar", "ece_after_shift", "shift_alarm"), of_calibration, calibration.SEEDS),
    "segments": Part(("interval_coverage",), of_segments, segments.SEEDS),
    "oracle": Part(("oracle_gap",), of_oracle, oracle.SEEDS),
    "flaml": Part(("flaml",), of_flaml, automl.SEEDS, without_flaml, list),
    "resume": Part(("resume_lost_trials",), of_resume, sets=lambda _: ("drawn rows",)),
}
