"""What a training was asked for beside the question: names that must exist, and what the chosen rung has no use for.

Names are looked at before anything is learnt, whatever rung comes out. What was asked for and is not applied is said
on the terminal, in JSON, in the bundle and on its model card.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from training import audit_gate, monotone, pooling
from training.audit import Audit
from training.ladder_needs import RungName
from training.options import Options

# Where a bundle's training tells of it.
KEY: Final = "not_applied"
USUAL_TRIALS: Final = Options.__dataclass_fields__["trials"].default
CALIBRATED: Final[frozenset[RungName]] = frozenset({"scorecard", "model"})


@dataclass(frozen=True, slots=True)
class NotApplied:
    """An option that has no effect on what was trained.

    Attributes:
        option: as it is written on the command line.
        why: what follows on a colon.
    """

    option: str
    why: str

    def to_json(self) -> dict[str, str]:
        """Give plain data."""
        return asdict(self)

    def told(self) -> str:
        """Say it in a sentence."""
        return f"{self.option} is not applied: {self.why}"


def check(options: Options, specs: Sequence[FeatureSpec], audit: Audit) -> None:
    """Refuse names that do not exist, or that the audit leaves out.

    Args:
        options: what is asked for.
        specs: the catalog, without what the audit leaves out.
        audit: what was found of the columns.

    Raises:
        InputError: `--monotone` names no numeric feature, or `--segment` no attribute that is a category.
    """
    names = {spec.name for spec in specs}
    for name in options.monotone:
        if name not in names:
            _refuse_left_out("--monotone", name, name.rpartition(".")[2], audit, options.allow)
    monotone.constraints(specs, options.monotone)
    if options.segment is not None:
        read = [spec for spec in specs if spec.attribute == options.segment]
        if not read:
            _refuse_left_out("--segment", options.segment, options.segment, audit, options.allow)
            _refuse_unread(options.segment, audit)
        elif not any(spec.categorical for spec in read):
            raise InputError(f"--segment `{options.segment}`: it is no category; name an attribute of a few texts")
        pooling.place_of(tuple(specs), options.segment)


def _refuse_left_out(option: str, name: str, attribute: str, audit: Audit, allow: Mapping[str, str]) -> None:
    """Say why a name is no feature, where it is the audit that left it out."""
    if attribute not in audit.dropped("attribute", allow):
        return
    found = audit.finding(attribute)
    mend = "declare `known_at` in the mapping"
    if found.verdict == "suspect":
        mend += f", or --allow {attribute} --because TEXT"
    raise InputError(f"{option} `{name}`: the audit leaves `{attribute}` out ({found.why}); {mend}")


def _refuse_unread(segment: str, audit: Audit) -> None:
    """Say why no feature reads a segment that is an attribute of the data."""
    found = next((one for one in audit.findings if (one.kind, one.name) == ("attribute", segment)), None)
    if found is None:
        return
    missing, unique = found.evidence.get("missing"), found.evidence.get("unique")
    if missing == 1:
        why = "no lead before the cut has a value of it"
    elif unique is None:
        why = "it is no category of which leads have several values"
    elif round(unique * audit.leads * (1 - (missing or 0.0))) == 1:
        why = "all leads before the cut have the same value"
    else:
        why = "no value of it is that of enough leads, or the settings of features leave it out"
    raise InputError(f"--segment `{segment}`: no feature reads this attribute, because {why}; name another one")


def not_applied(options: Options, rung: RungName, notes: Mapping[str, Any]) -> tuple[NotApplied, ...]:
    """Say which options have no effect, and why.

    Args:
        options: what was asked for.
        rung: the one that was chosen.
        notes: of the fit: `calibrator` and `segment`, where there are any.
    """
    found = []
    if options.monotone and rung != "model":
        found.append(NotApplied("--monotone", f"only the trees of the rung `model` keep to a direction; {_here(rung)}"))
    if options.isotonic:
        found += _isotonic(rung, notes)
    if options.segment is not None:
        found += _segment(options.segment, rung, notes)
    tuning = _tuning(options) if rung != "model" else ()
    if tuning:
        found.append(NotApplied(", ".join(tuning), f"only the rung `model` is tuned; {_here(rung)}"))
    return tuple(found)


def without_effect(audit: Audit, allow: Mapping[str, str]) -> tuple[NotApplied, ...]:
    """Say what was allowed although nothing speaks against it."""
    needed = audit_gate.needed(audit, allow)
    declared = {one.name for one in audit.findings if one.verdict == "ok" and one.suggested != "ok"}
    found = []
    for name in (name for name in allow if name not in needed):
        why = "the mapping declares its `known_at`" if name in declared else "the audit does not suspect it"
        found.append(NotApplied(f"--allow {name}", f"{why}, so it needs no allowance"))
    return tuple(found)


def told(training: Mapping[str, Any]) -> tuple[str, ...]:
    """Say in a sentence each what was asked for and is not applied, and what is not as it sounds."""
    found = [NotApplied(one["option"], one["why"]).told() for one in training.get(KEY) or ()]
    return (*found, *(training.get(monotone.KEY) or ()))


def _here(rung: RungName) -> str:
    return f"this is the rung `{rung}`"


def _isotonic(rung: RungName, notes: Mapping[str, Any]) -> list[NotApplied]:
    if rung not in CALIBRATED:
        return [NotApplied("--isotonic", f"only a scorecard or a model is calibrated; {_here(rung)}")]
    calibrator = notes["calibrator"]
    return [] if calibrator["isotonic_steps"] is not None else [NotApplied("--isotonic", calibrator["why"])]


def _segment(column: str, rung: RungName, notes: Mapping[str, Any]) -> list[NotApplied]:
    option, found = f"--segment {column}", notes.get("segment")
    if rung not in CALIBRATED:
        return [NotApplied(option, f"only a scorecard or a model has segments; {_here(rung)}")]
    if found is None:
        return [NotApplied(option, "too few training rows have one of the outcomes to predict each by the others")]
    if not found["used"]:
        why = "on training leads that were not learnt from, log loss with it is not lower than without it beyond noise"
        return [NotApplied(option, why)]
    return []


def _tuning(options: Options) -> tuple[str, ...]:
    """Name what was asked of tuning."""
    given = {
        "--trials": options.trials != USUAL_TRIALS,
        "--seconds": options.seconds is not None,
        "--price": options.price is not None,
        "--studies": options.studies is not None,
    }
    return tuple(option for option, asked in given.items() if asked)
