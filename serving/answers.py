"""Scoring one request, and the score as an answer."""

from collections.abc import Sequence

from leadlight.errors import InputError, UnknownLeadError
from leadlight.timeline import Timeline
from leadlight.vocabulary import Lang
from scoring import age
from scoring.score import LeadScore
from serving import inline
from serving.clock import to_datetime, to_us
from serving.deps import Runtime
from serving.store import leads
from serving.wire import ContributionAnswer, ExplanationAnswer, IntervalAnswer, ScoreAnswer, ScoreRequest


def score_request(runtime: Runtime, request: ScoreRequest, lang: Lang, explain: bool) -> ScoreAnswer:
    """Score a lead that is given inline or known to the store.

    Raises:
        UnknownLeadError: no such lead.
        InputError: it is asked for an instant before the lead was created.
    """
    as_of = None if request.as_of is None else to_us(request.as_of)
    if request.lead is None:
        return score_known(runtime, str(request.lead_id), as_of, lang, explain)
    record = inline.timeline(request.lead)
    return score_timeline(runtime, record, instant(runtime, record.created_at, as_of), lang, explain)


def score_known(runtime: Runtime, lead_id: str, as_of: int | None, lang: Lang, explain: bool) -> ScoreAnswer:
    """Score a lead of the store.

    Raises:
        UnknownLeadError: no such lead.
        InputError: it is asked for an instant before the lead was created.
    """
    plan = runtime.current.scorer.plan
    with runtime.store.reading() as connection:
        record = leads.timeline(connection, lead_id)
        if record is None:
            raise UnknownLeadError.no_such_lead(lead_id)
        at = instant(runtime, record.created_at, as_of)
        others = leads.colleagues(connection, lead_id, at, plan.colleagues_since(at)) if plan.needs_colleagues else []
    return score_timeline(runtime, record, at, lang, explain, colleagues=others)


def instant(runtime: Runtime, created_at: int, as_of: int | None) -> int:
    """Give the instant to score at: the one asked for, else now, or its creation for a lead created ahead of our clock.

    Raises:
        InputError: it is asked for an instant before the lead was created.
    """
    if as_of is None:
        default = runtime.clock() if runtime.default_as_of is None else runtime.default_as_of
        return max(default, created_at)
    if as_of < created_at:
        raise InputError("`as_of` is before the lead was created; ask for a later instant, or leave it out for now")
    return as_of


def score_timeline(
    runtime: Runtime, record: Timeline, as_of: int, lang: Lang, explain: bool, *, colleagues: Sequence[Timeline] = ()
) -> ScoreAnswer:
    """Score a timeline; a lead that was sent whole has no colleagues."""
    found = runtime.current.scorer.score(
        record, as_of, colleagues=colleagues, lang=lang, explain=explain, scored_at=runtime.clock()
    )
    return answer(found, age.note(runtime.current.bundle, as_of - record.created_at, lang))


def answer(score: LeadScore, age_note: str | None) -> ScoreAnswer:
    """Give a score as an answer; the explanation is set only where contributions were asked for.

    Args:
        score: of a lead.
        age_note: that the lead is older than what was tested; None = it is not.
    """
    found = ScoreAnswer(
        lead_id=score.lead_id,
        score=score.score,
        score_basis=score.score_basis,
        probability=score.probability,
        interval=interval(score),
        rule_points=score.rule_points,
        temperature=score.temperature,
        fit_grade=score.fit_grade,
        engagement_level=score.engagement_level,
        reason_1=score.reason_1,
        reason_2=score.reason_2,
        reason_3=score.reason_3,
        reason_rest=score.reason_rest,
        model_version=score.model_version,
        feature_as_of=to_datetime(score.feature_as_of),
        scored_at=to_datetime(score.scored_at),
        degraded=score.degraded,
        age_note=age_note,
    )
    if score.contributions is not None:
        found.explanation = explanation(score)
    return found


def interval(score: LeadScore) -> IntervalAnswer | None:
    """Give the interval of the probability, if the bundle has one."""
    if score.interval_low is None or score.interval_high is None:
        return None
    return IntervalAnswer(low=score.interval_low, high=score.interval_high)


def explanation(score: LeadScore) -> ExplanationAnswer:
    """Give all parts of a score."""
    return ExplanationAnswer(
        raw_score=score.raw_score,
        base_points=score.base_points,
        log_odds=score.log_odds,
        base_log_odds=score.base_log_odds,
        base_note=score.base_note,
        contributions=[
            ContributionAnswer(
                name=part.name,
                kind=part.kind,
                value=part.value,
                log_odds=part.log_odds,
                points=part.points,
                text=part.text,
            )
            for part in score.contributions or ()
        ],
    )
