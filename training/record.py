"""What a bundle says of itself: whether it is a model that beat the rules, its rung, how its audit ended."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from leadlight.bundle import Bundle
from leadlight.scorer import ScorerKind
from training.comparison import DECISIVE, Metric

# `not audited`: nothing was looked at, so nothing is known. `suspect` and `leak`: a finding of that kind is unresolved.
AuditState = Literal["clean", "suspect", "leak", "not audited"]

# Kinds that learnt something from features, and so can be better than the rules, leak, and be champion.
MODELS: Final[frozenset[ScorerKind]] = frozenset({"lightgbm", "scorecard"})


def is_model(bundle: Bundle) -> bool:
    """Whether a model answers, and not the rules or the base rate."""
    return bundle.scorer.kind in MODELS


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
    """Give the rung of the ladder that was chosen; None where the bundle does not say."""
    return (bundle.training.get("ladder") or {}).get("rung")


def audit_state(bundle: Bundle) -> AuditState:
    """Sum up the audit that a bundle records."""
    if bundle.training.get("audit") is None:
        return "not audited"
    if unresolved(bundle, "leak"):
        return "leak"
    return "suspect" if unresolved(bundle, "suspect") else "clean"


def unresolved(bundle: Bundle, verdict: Literal["leak", "suspect"]) -> tuple[str, ...]:
    """Name the findings of a verdict that were neither dropped nor allowed, as `column` or `column: sentence`."""
    open_ones = [found for found in _findings(bundle) if found.get("verdict") == verdict and not found.get("resolved")]
    return tuple(_told(found) for found in open_ones)


def _findings(bundle: Bundle) -> list[Mapping[str, Any]]:
    audit = bundle.training.get("audit") or []
    return list(audit.get("findings", ()) if isinstance(audit, Mapping) else audit)


def _told(finding: Mapping[str, Any]) -> str:
    name = finding.get("column") or finding.get("name") or "a column"
    sentence = finding.get("sentence") or finding.get("why")
    return f"`{name}`" if sentence is None else f"`{name}`: {sentence}"
