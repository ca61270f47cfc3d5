"""Scores: of one lead, of up to 100, and of one that the store knows."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ValidationError

from leadlight.errors import LeadlightError
from leadlight.vocabulary import Lang
from serving import answers, problems
from serving.body import JsonRoute
from serving.clock import to_us
from serving.deps import AsOfQuery, ExplainQuery, LangQuery, Runtime, Serving
from serving.wire import BatchItem, Id, ScoreAnswer, ScoreBatchAnswer, ScoreBatchRequest, ScoreRequest

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["scores"])


@router.post(
    "/score",
    operation_id="scoreLead",
    response_model_exclude_unset=True,
    summary="Score one lead, given inline or by id.",
)
def score_lead(
    body: ScoreRequest, runtime: Serving, lang: LangQuery = "en", explain: ExplainQuery = False
) -> ScoreAnswer:
    """Score one lead."""
    return answers.score_request(runtime, body, lang, explain)


@router.post(
    "/score/batch",
    operation_id="scoreLeads",
    response_model_exclude_unset=True,
    summary="Score up to 100 leads; a result or an error for each, in order.",
)
def score_leads(
    body: ScoreBatchRequest, runtime: Serving, lang: LangQuery = "en", explain: ExplainQuery = False
) -> ScoreBatchAnswer:
    """Score many leads, each on its own."""
    return ScoreBatchAnswer(
        results=[_item(runtime, index, item, lang, explain) for index, item in enumerate(body.items)]
    )


@router.get(
    "/leads/{lead_id:path}/score",
    operation_id="leadScore",
    response_model_exclude_unset=True,
    summary="Score a lead that the store knows.",
)
def lead_score(
    lead_id: Annotated[Id, Path()],
    runtime: Serving,
    lang: LangQuery = "en",
    explain: ExplainQuery = False,
    as_of: AsOfQuery = None,
) -> ScoreAnswer:
    """Score a lead by its id."""
    at = None if as_of is None else to_us(as_of)
    return answers.score_known(runtime, lead_id, at, lang, explain)


def _item(runtime: Runtime, index: int, item: object, lang: Lang, explain: bool) -> BatchItem:
    try:
        request = ScoreRequest.model_validate(item)
        return BatchItem(index=index, status=200, result=answers.score_request(runtime, request, lang, explain))
    except ValidationError as invalid:
        found = problems.of_validation(invalid.errors(include_url=False, include_input=False))
    except LeadlightError as refused:
        found = problems.of_error(refused)
    return BatchItem(index=index, status=found.status, error=found)
