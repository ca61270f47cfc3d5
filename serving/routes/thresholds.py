"""The threshold to draw, recommended from the curve that training or `leadlight thresholds` left."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ValidationError

from scoring.thresholds import CURRENT, Recommendation, recommend
from scoring.wish import USUAL_RATE
from serving.deps import LangQuery, Runtime, Serving
from serving.problems import ProblemError
from serving.wire import ThresholdAnswer, ThresholdFigures

router = APIRouter(prefix="/v1", tags=["thresholds"])

Basis = Literal["model", "rules"]
Rate = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)]
FIGURES = tuple(ThresholdFigures.model_fields)


@router.get(
    "/thresholds/recommendation",
    operation_id="thresholdRecommendation",
    summary="Recommend the threshold of hand-over for a target range and a capacity.",
)
def threshold_recommendation(
    *,
    runtime: Serving,
    lang: LangQuery = "en",
    basis: Annotated[Basis | None, Query(description="Of which score; default: the one that answers.")] = None,
    target_low: Rate = USUAL_RATE[0],
    target_high: Rate = USUAL_RATE[1],
    capacity_per_week: Annotated[float | None, Query(gt=0, le=1e9, allow_inf_nan=False)] = None,
    current: Annotated[float, Query(ge=-1e6, le=1e6, allow_inf_nan=False)] = CURRENT,
) -> ThresholdAnswer:
    """Recommend a threshold."""
    of = basis or ("rules" if runtime.current.degraded else "model")
    curve = find_curve(runtime, of)
    try:
        found = recommend(curve, target_low, target_high, capacity_per_week, current, lang=lang)
        return _answer(found, curve, of, runtime.current.scorer.model_version)
    except (KeyError, TypeError, ValidationError) as damaged:
        raise _damaged() from damaged


def find_curve(runtime: Runtime, basis: Basis) -> Mapping[str, Any]:
    """Give the curve of a score: the bundle's own, else that of the workspace's report.

    A report on another bundle says nothing of this one's scores; what it says of the rule points holds.

    Raises:
        ProblemError: 404, there is none.
    """
    bundle = runtime.current.bundle
    if bundle is not None and (own := _curve(bundle.thresholds, basis)) is not None:
        return own
    report = _report(runtime)
    same = basis == "rules" or (bundle is not None and report.get("bundle") == bundle.version)
    if same and (reported := _curve(report, basis)) is not None:
        return reported
    note = None if bundle is None else bundle.thresholds.get("note")
    why = note or "run `leadlight thresholds recommend`"
    detail = f"no curve of thresholds for basis `{basis}` is known; {why}"
    raise ProblemError(404, "no_threshold_curve", detail)


def _curve(measured: Mapping[str, Any], basis: Basis) -> Mapping[str, Any] | None:
    curve = measured.get(basis)  # null where the data has no clock
    return curve if isinstance(curve, dict) else None


def _report(runtime: Runtime) -> Mapping[str, Any]:
    path = runtime.workspace.reports / "thresholds.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as damaged:
        raise _damaged() from damaged
    return report if isinstance(report, dict) else {}


def _damaged() -> ProblemError:
    detail = "`reports/thresholds.json` cannot be read; run `leadlight thresholds recommend` again"
    return ProblemError(503, "report_damaged", detail)


def _answer(found: Recommendation, curve: Mapping[str, Any], basis: Basis, model_version: str) -> ThresholdAnswer:
    return ThresholdAnswer(
        **{name: getattr(found, name) for name in FIGURES},
        value=found.value,
        reached=found.reached,
        binding=found.binding,
        reason=found.reason,
        advice=list(found.advice),
        nearest=None if found.nearest is None else found.nearest["threshold"],
        current=found.change["current"],
        current_yields=ThresholdFigures(**found.change["yields"]),
        basis=basis,
        target=str(curve["target"]),
        horizon_days=curve["horizon_days"],
        model_version=model_version,
    )
