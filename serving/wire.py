"""What goes over the wire: request and answer bodies. Unknown fields, NaN and infinity are refused everywhere."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SkipValidation,
    Tag,
    model_validator,
)

from leadlight.schema import LARGEST_NUMBER, Actor, Stage
from serving.clock import to_us
from serving.store.activities import Status

MAX_BATCH: Final = 100
MAX_EVENTS: Final = 500
MAX_ACTIVITIES: Final = 5_000
EARLIEST: Final = -2_208_988_800_000_000  # 1900-01-01
LATEST: Final = 7_258_118_400_000_000  # 2200-01-01

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"
NO_NUL: Final = r"^[^\x00]*$"


def _is_written_out(value: Any) -> Any:
    """Refuse what pydantic would guess: numbers (seconds or milliseconds?) and bare dates."""
    if not isinstance(value, str) or len(value) > 40 or value[4:5] != "-":
        raise ValueError("write an instant with its offset, as `2026-01-31T09:00:00Z` (in a URL, `+` is `%2B`)")
    return value


def _is_in_range(value: datetime) -> datetime:
    if not EARLIEST <= to_us(value) < LATEST:
        raise ValueError("an instant must lie between the years 1900 and 2199")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_is_written_out), AfterValidator(_is_in_range)]
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE, examples=["lead-42"])]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTABLE)]
Text = Annotated[str, Field(max_length=2_000, pattern=NO_NUL)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Attributes = Annotated[dict[Name, Text | Number | None], Field(max_length=500)]


class Body(BaseModel):
    """A request body, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Activity(Body):
    """Something that happened. Columns and words as in the `activities` table."""

    type: Name = Field(examples=["pricing_view"])
    occurred_at: Instant
    activity_id: Id | None = Field(default=None, description="Without one, a hash of the content stands for it.")
    received_at: Instant | None = Field(default=None, description="When it became known; null = at once.")
    actor: Actor = Field(default="lead", description="Who acted; say `marketing` for mails that were sent.")
    channel: Name | None = None
    campaign: Text | None = None
    content: Text | None = Field(default=None, description="Which page, mail, document or event.")
    detail: Text | None = None
    value: Number | None = None


class Event(Activity):
    """An activity and whose it is."""

    lead_id: Id


class StageEntered(Body):
    """An entry into a stage of the funnel."""

    stage: Stage
    entered_at: Instant
    reason: Text | None = None


class Lead(Body):
    """A lead with everything that is known of it; nothing is read from the store."""

    lead_id: Id
    created_at: Instant
    attributes: Attributes = Field(default_factory=dict, description="Attribute name -> text, number or null.")
    activities: list[Activity] = Field(default_factory=list, max_length=MAX_ACTIVITIES)
    stages: list[StageEntered] = Field(default_factory=list, max_length=200)


class ScoreRequest(Body):
    """Either `lead_id`, for a lead that the store knows, or `lead`, for one given inline."""

    lead_id: Id | None = None
    lead: Lead | None = None
    as_of: Instant | None = Field(default=None, description="Score as of this instant; null = now.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "ScoreRequest":
        if (self.lead_id is None) == (self.lead is None):
            raise ValueError("give either `lead_id` (a lead that the store knows) or `lead` (one inline)")
        return self


class ScoreBatchRequest(Body):
    """Up to 100 score requests; each is checked and answered on its own."""

    items: list[Annotated[ScoreRequest, SkipValidation]] = Field(min_length=1, max_length=MAX_BATCH)


def _one_or_many(value: Any) -> str:
    return "many" if isinstance(value, list) else "one"


EventsRequest = Annotated[
    Annotated[Event, Tag("one")] | Annotated[list[Event], Field(min_length=1, max_length=MAX_EVENTS), Tag("many")],
    Discriminator(_one_or_many),
]


class ContributionAnswer(BaseModel):
    """One part of a score."""

    name: str = Field(description="Of the rule or of the feature, or `calibration`.")
    kind: Literal["rule", "feature", "calibration"] = Field(
        description="`calibration`: a correction behind all rules and features together, where the bundle has one."
    )
    value: Finite | str | None = Field(
        description="Card points of a rule, value of a feature; null = not known, and for `calibration`."
    )
    log_odds: Finite | None = Field(description="What it adds to the log-odds; null without a model.")
    points: Finite = Field(description="What it adds to the unclipped score.")
    text: str


class ExplanationAnswer(BaseModel):
    """All parts: base_points + points of the contributions = raw_score; the same in log-odds."""

    raw_score: Finite = Field(description="The score before clipping to 0-100.")
    base_points: Finite
    log_odds: Finite | None
    base_log_odds: Finite | None
    base_note: str | None = Field(
        description="What to know of the base: that it was corrected for a changed base rate; null = nothing."
    )
    contributions: list[ContributionAnswer]


class IntervalAnswer(BaseModel):
    """How far one more known outcome at this score could move the rate (Venn-ABERS); no confidence interval."""

    low: Finite = Field(description="The rate if that lead had failed; not above `probability`.")
    high: Finite = Field(description="The rate if that lead had succeeded; not below `probability`.")


class ScoreAnswer(BaseModel):
    """The score of one lead, flat but for the interval and the explanation."""

    lead_id: str
    score: Finite = Field(description="0 to 100; ten points double the odds, 50 is the reference probability.")
    score_basis: Literal["model", "scorecard", "rules", "base_rate"]
    probability: Finite | None = Field(description="Null where only the rule card answers.")
    interval: IntervalAnswer | None = Field(
        description="Venn-ABERS: how far one more known outcome would move it; null where the bundle holds none."
    )
    rule_points: Finite
    temperature: Literal["hot", "warm", "cold"]
    fit_grade: str
    engagement_level: int
    reason_1: str | None
    reason_2: str | None
    reason_3: str | None
    reason_rest: str | None
    model_version: str
    feature_as_of: datetime = Field(description="Only what happened and was known before this instant was used.")
    scored_at: datetime
    degraded: bool = Field(description="True where the rule card answers because no bundle is usable.")
    age_note: str | None = Field(
        description="That the lead is older than any age that was learnt and tested: its probability is untested; "
        "null = it is not older."
    )
    explanation: ExplanationAnswer | None = Field(default=None, description="Only with `explain=true`.")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field, such as `lead.activities[3].occurred_at`.")
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457); `code` is stable, for programs."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list)


class BatchItem(BaseModel):
    """What became of one item of a batch: `result` or `error`."""

    index: int
    status: int
    result: ScoreAnswer | None = None
    error: Problem | None = None


class ScoreBatchAnswer(BaseModel):
    """One entry for each item, in the order of the items."""

    results: list[BatchItem]


class EventResult(BaseModel):
    """What became of one event."""

    activity_id: str
    status: Status = Field(description="`conflict`: another activity has this id; the first one stays.")
    lead_known: bool = Field(description="False: kept, and counts as soon as the lead is known.")


class EventsAnswer(BaseModel):
    """What became of each event, in order; all that is `stored` is on the disk."""

    stored: int
    duplicates: int
    conflicts: int
    results: list[EventResult]


class Check(BaseModel):
    """One thing that the service needs."""

    name: str
    ok: bool
    detail: str


class LiveAnswer(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyAnswer(BaseModel):
    """Whether scores can be given: `degraded` means by the rule card instead of a bundle."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: list[Check]


class ThresholdFigures(BaseModel):
    """What a threshold yields; null where it cannot be told."""

    mqls_per_week: Finite | None
    sql_rate: Finite | None
    low: Finite | None = Field(description="Lower end of the 95 % interval of the rate.")
    high: Finite | None = Field(description="Upper end of it.")
    wins_share: Finite | None
    lead_to_mql: Finite | None


class ThresholdAnswer(ThresholdFigures):
    """The threshold to draw, what it will yield, and why; `value` is null where none fulfils the wish."""

    value: Finite | None
    reached: bool
    binding: Literal["capacity", "rate", "none"]
    reason: str
    advice: list[str]
    nearest: Finite | None = Field(description="Where none fulfils the wish, the threshold that comes nearest.")
    current: Finite = Field(description="The threshold that it is compared with.")
    current_yields: ThresholdFigures
    basis: Literal["model", "rules"]
    target: str
    horizon_days: Finite | None = Field(description="Within which the target is reached; null = ever.")
    model_version: str
