"""What a bundle says of itself: whether it is a model that beat the rules, its rung, how its audit ended."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from leadlight.bundle import Bundle
from leadlight.scorer import ScorerKind
from training.comparison import DECISIVE, Metric

# `not audited`: nothing was looked at, so nothing is known. `no outcomes`: no lead had been won or lost, so nothing
# could be audited. `suspect` and `leak`: a finding of that kind is unresolved.
AuditState = Literal["clean", "suspect", "leak", "no outcomes", "not audited"]

# Kinds that learnt something from features, and so can be better than the rules, leak, and be champion.
MODELS: Final[frozenset[ScorerKind]] = frozenset({"lightgbm", "scorecard"})

# What is trained is called, in sentences; beside "the rule score" and "the base rate", which it is compared with.
CALLED: Final[dict[ScorerKind, str]] = {
    "lightgbm": "the model",
    "scorecard": "the scorecard",
    "rules": "the trained rules",
    "base_rate": "the trained base rate",
}

MODEL_RUNGS: Final = frozenset({"scorecard", "model"})


def is_model(bundle: Bundle) -> bool:
    """Whether a model answers, and not the rules or the base rate."""
    return bundle.scorer.kind in MODELS


def called(bundle: Bundle) -> str:
    """Name what answers, as in a sentence."""
    return CALLED[bundle.scorer.kind]


def asked_for(bundle: Bundle) -> bool:
    """Whether its rung was asked for (`--rung`), so that the ladder compared nothing; False where it does not say."""
    return bool((bundle.training.get("ladder") or {}).get("asked", False))


def left_out(bundle: Bundle) -> tuple[dict[str, str], ...]:
    """Give the attributes and activity types of which the audit made no feature: kind, name, verdict and why each."""
    audit = bundle.training.get("audit") or {}
    if not isinstance(audit, Mapping):
        return ()
    dropped = {(kind, name) for kind in ("attribute", "type") for name in audit.get(f"dropped_{kind}s", ())}
    return tuple(
        {key: str(one[key]) for key in ("kind", "name", "verdict", "why")}
        for one in audit.get("findings", ())
        if (one.get("kind"), one.get("name")) in dropped
    )


def beats_rules(bundle: Bundle) -> bool | None:
    """Read from a bundle's own test figures whether its model beats the rules; None where there is no model.

    So a model without a mature test row, of which nothing is known, does not beat them.
    """
    if not is_model(bundle):
        return None
    return all(verdict == "better" for verdict in against_rules(bundle).values())


def against_rules(bundle: Bundle) -> dict[Metric, str | None]:
    """Read the verdict on each decisive metric against the rules; None where it is not defined."""
    differences = bundle.metrics.get("differences", {})
    found = {metric: differences.get(metric, {}).get("rules") for metric in DECISIVE}
    return {metric: None if difference is None else difference["verdict"] for metric, difference in found.items()}


def rung(bundle: Bundle) -> str | None:
    """Give the rung of the ladder that answers; None where the bundle does not say.

    Where rules answer for a model of the same training that may not serve, that is `rules`, whatever the ladder chose.
    """
    chosen: str | None = (bundle.training.get("ladder") or {}).get("rung")
    return "rules" if chosen in MODEL_RUNGS and not is_model(bundle) else chosen


def audit_state(bundle: Bundle) -> AuditState:
    """Sum up the audit that a bundle records."""
    if bundle.training.get("audit") is None:
        return "not audited"
    if unresolved(bundle, "leak"):
        return "leak"
    if unresolved(bundle, "suspect"):
        return "suspect"
    return "no outcomes" if _without_outcomes(bundle.training["audit"]) else "clean"


def _without_outcomes(audit: Any) -> bool:
    """Whether an audit says that no lead had been won or lost; a list of findings does not say it."""
    return isinstance(audit, Mapping) and audit.get("won") == 0 and audit.get("lost") == 0


def unresolved(bundle: Bundle, verdict: Literal["leak", "suspect"]) -> tuple[str, ...]:
    """Name the findings of a verdict that were neither left out nor allowed, with why.

    The audit is what `training.audit` gives: findings (kind, name, verdict, why), what was left out of the features,
    what was allowed, and which leaks leaving out does not mend. A plain list of findings that say themselves whether
    they are `resolved` is read as well.
    """
    audit = bundle.training.get("audit") or {}
    whole = audit if isinstance(audit, Mapping) else {"findings": audit}
    found = [one for one in whole.get("findings", ()) if one.get("verdict") == verdict and not _resolved(one, whole)]
    return tuple(_told(one) for one in found if is_model(bundle) or one.get("kind") != "model")


def _resolved(finding: Mapping[str, Any], audit: Mapping[str, Any]) -> bool:
    if "resolved" in finding:
        return bool(finding["resolved"])
    name, kind = finding.get("name"), finding.get("kind")
    if name in audit.get("unresolved", ()) or kind == "model":
        return False
    if kind == "order":  # read by no feature; where it is the clock, it is named as unresolved
        return True
    allowed = finding.get("verdict") == "suspect" and name in audit.get("allowed", ())
    return allowed or name in audit.get(f"dropped_{kind}s", ())


def _told(finding: Mapping[str, Any]) -> str:
    name = finding.get("name") or finding.get("column") or "a column"
    sentence = finding.get("why") or finding.get("sentence")
    return f"`{name}`" if sentence is None else f"`{name}`: {sentence}"
