"""Several runs of `benchmarks.training` put together: for each part the last run that measured it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchmarks.training import learning_curve
from benchmarks.training.parts import PARTS
from leadlight.errors import InputError

Figures = Mapping[str, Any]

# Parts whose details are told by record: a later run replaces the records that it measured, and no others.
LADDER: Final = "ladder"
BY_RECORD: Final = frozenset({LADDER})
# What a run writes beside its figures.
BESIDE: Final = frozenset({"not_run", "sets", "bars", "seconds", "measured", "cores", "versions", "details"})


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a run measured of a part.

    Attributes:
        part: its name.
        records: whose lines in `details` are of this run; none where the part is not told by record.
        seconds: wall time of the part, records that a later run replaced included.
        machine: cores and versions of Python and libraries, in words.
        seeds: how many, counted from 0; None where the run does not say.
        commit: hash of the code, `+ changes` where it had been changed since; None where the run does not say.
    """

    part: str
    records: tuple[str, ...]
    seconds: float
    machine: str
    seeds: int | None
    commit: str | None


@dataclass(slots=True)
class Merged:
    """Runs put together.

    Attributes:
        figures: key -> figure, of what was measured.
        details: part -> what stands behind its figures.
        measured: what comes from where, in the order of the parts.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    measured: list[Measurement] = field(default_factory=list)


def merged(runs: Sequence[Figures]) -> Merged:
    """Put runs together; where two measured the same, the later one counts.

    Raises:
        InputError: a run lacks what `benchmarks.training` writes.
    """
    found = Merged()
    for run in runs:
        try:
            found.figures |= {key: run[key] for key in set(run) - set(run["not_run"]) - BESIDE}
            for part in run["seconds"]:
                _add(found, part, run)
        except (KeyError, TypeError) as problem:
            raise InputError(f"figures: {problem} is missing; give files that `--out` wrote") from None
    if LADDER in found.details:
        found.figures |= _of_all_records(found.details[LADDER])
    places = list(PARTS)
    found.measured.sort(key=lambda one: places.index(one.part))
    return found


def _of_all_records(lines: Mapping[str, Any]) -> dict[str, Any]:
    """Give the ladder's figures over the records of all runs: each run knows its own only."""
    try:
        return learning_curve.figures(lines)
    except (KeyError, TypeError) as problem:
        raise InputError(f"figures: {problem} is missing in the details of {LADDER}; measure it again") from None


def _add(found: Merged, part: str, run: Figures) -> None:
    new, details = _measurement(part, run), run["details"][part]
    found.measured = [one for old in found.measured if (one := _left(old, new)) is not None] + [new]
    found.details[part] = found.details.get(part, {}) | details if part in BY_RECORD else details


def _measurement(part: str, run: Figures) -> Measurement:
    told = run.get("measured", {}).get(part, {})
    commit = told.get("commit")
    return Measurement(
        part=part,
        records=tuple(run["details"][part]) if part in BY_RECORD else (),
        seconds=run["seconds"][part],
        machine=f"{run['cores']} cores; {', '.join(f'{name} {version}' for name, version in run['versions'].items())}",
        seeds=len(told["seeds"]) if "seeds" in told else None,
        commit=None if commit is None else commit["hash"] + (" + changes" if commit["dirty"] else ""),
    )


def _left(old: Measurement, new: Measurement) -> Measurement | None:
    """Give what of a measurement is left beside a new one; None where it is nothing."""
    if old.part != new.part:
        return old
    records = tuple(record for record in old.records if record not in new.records)
    return replace(old, records=records) if records else None
