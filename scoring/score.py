"""The score of one lead: what the service answers with. Pure numpy and LightGBM; immutable, shared between threads."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from features import hygiene_settings, online
from features.hygiene_online import clean_timeline
from features.hygiene_settings import HygieneSettings
from leadlight.bundle import Bundle, ScoreBasis
from leadlight.timeline import Timeline
from leadlight.vocabulary import LANGS, Lang
from rules import engine, parse
from rules.engine import RulePoints
from rules.parse import Card
from scoring import explain as explaining
from scoring.columns import Columns, Floats
from scoring.explain import Contribution, Parts
from scoring.scale import clipped, probability, raw_score, raw_scores, widened
from scoring.temperature import Levels, Temperature, temperature

RULES_VERSION: Final = "rules"


@dataclass(frozen=True, slots=True)
class LeadScore:
    """The score of one lead as of an instant, flat.

    Attributes:
        lead_id: the lead.
        score: shown score, 0 to 100, one decimal.
        score_basis: what produced it.
        probability: that the target is reached within the horizon; None without a model (`degraded`).
        rule_points: the total of the rule card.
        temperature: hot, warm or cold.
        fit_grade: "A" to "D", from the card.
        engagement_level: 1 to 4, from the card.
        reason_1: the part of the largest absolute points, in a sentence with its points; None where there is none.
        reason_2: the next one.
        reason_3: the next one.
        reason_rest: all other parts together; None where there are none.
        model_version: version of the bundle; `rules:<card>` without one.
        feature_as_of: the instant that the features look back from, µs UTC.
        scored_at: when this was computed, µs UTC.
        degraded: whether the rule card answered because no bundle was usable.
        raw_score: unclipped; base_points + reason points + rest points.
        log_odds: of the target; None without a model.
        base_points: the score of a lead about which nothing is known.
        reason_1_points: points of reason_1, 0 where there is none.
        reason_2_points: points of reason_2.
        reason_3_points: points of reason_3.
        reason_rest_points: points of the rest.
        base_log_odds: the same base in log-odds; None without a model.
        interval_low: lower end of where the probability lies; None where the bundle has no interval.
        interval_high: upper end of it.
        base_note: what to know of the base: that it was corrected for a changed base rate; None = nothing.
        contributions: every part, largest absolute points first; None unless asked for.
    """

    lead_id: str
    score: float
    score_basis: ScoreBasis
    probability: float | None
    rule_points: float
    temperature: Temperature
    fit_grade: str
    engagement_level: int
    reason_1: str | None
    reason_2: str | None
    reason_3: str | None
    reason_rest: str | None
    model_version: str
    feature_as_of: int
    scored_at: int
    degraded: bool
    raw_score: float
    log_odds: float | None
    base_points: float
    reason_1_points: float
    reason_2_points: float
    reason_3_points: float
    reason_rest_points: float
    base_log_odds: float | None = None
    interval_low: float | None = None
    interval_high: float | None = None
    base_note: str | None = None
    contributions: tuple[Contribution, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Result:
    """What a scorer says of n leads before it is put in words: arrays of shape (n,)."""

    basis: ScoreBasis
    raw: Floats
    log_odds: Floats | None
    base_points: float
    base_log_odds: float | None
    parts: Parts
    ends: tuple[Floats, Floats] | None = None


class LeadScorer:
    """Scores single leads; built once, then shared.

    Attributes:
        bundle: the bundle, or None (then the rule card answers and every score is `degraded`).
        card: the rule card: the bundle's own, else the given one.
        columns: the columns that card and booster need.
        hygiene: what is set aside of a timeline first, as the bundle's training did; None = nothing.
        levels: where hot and warm begin, on the scale of the score.
        plan: computes the columns of one lead; it says whether colleagues are looked at.
    """

    __slots__ = ("_notes", "bundle", "card", "columns", "hygiene", "levels", "plan")

    def __init__(self, bundle: Bundle | None, card: Card | None = None, *, levels: Levels | None = None) -> None:
        """Translate the card and unite its columns with the booster's.

        Args:
            bundle: a verified bundle, or None.
            card: used without a bundle; None = the package's standard card.
            levels: None = the defaults for a model, the card's own temperatures without one.

        Raises:
            CardError: the bundle's rule card is not one.
        """
        if bundle is not None:
            card = parse.from_json(dict(bundle.scorer.card))
        self.bundle = bundle
        self.card = card if card is not None else parse.builtin("standard")
        self.levels = levels if levels is not None else default_levels(bundle, self.card)
        self.columns = Columns.union(engine.specs(self.card), () if bundle is None else bundle.scorer.specs)
        self.plan = online.Plan(self.columns.specs)
        self.hygiene = HygieneSettings() if bundle is None else hygiene_settings.recorded(bundle.training)
        self._notes = {lang: explaining.base_note(bundle, lang) for lang in LANGS}

    @property
    def model_version(self) -> str:
        """Version of the bundle, or `rules:<card>` without one."""
        return f"{RULES_VERSION}:{self.card.name}" if self.bundle is None else self.bundle.version

    def score(
        self,
        timeline: Timeline,
        as_of: int,
        *,
        colleagues: Sequence[Timeline] | online.Colleagues = (),
        lang: Lang = "en",
        explain: bool = False,
        previous_temperature: Temperature | None = None,
        scored_at: int | None = None,
    ) -> LeadScore:
        """Score one lead.

        Args:
            timeline: the record; whatever lies at or after as_of is ignored.
            as_of: µs UTC.
            colleagues: records of the other leads of its account; looked at only where `plan.needs_colleagues`.
            lang: of the sentences.
            explain: give every contribution.
            previous_temperature: the lead's last one, for the hysteresis; None = never scored.
            scored_at: µs UTC; None = now.
        """
        if self.hygiene is not None:
            timeline = clean_timeline(timeline, self.hygiene, as_of)
            if self.plan.needs_colleagues and not isinstance(colleagues, online.Colleagues):
                colleagues = [clean_timeline(colleague, self.hygiene, as_of) for colleague in colleagues]
        matrix = self.plan.row(timeline, as_of, colleagues)[np.newaxis, :]
        now = time.time_ns() // 1_000 if scored_at is None else scored_at
        answers = self.answers(
            [timeline.lead_id], [as_of], matrix, lang=lang, explain=explain, previous=[previous_temperature], now=now
        )
        return next(answers)

    def answers(
        self,
        lead_ids: Sequence[str],
        as_of: Sequence[int],
        matrix: Floats,
        *,
        now: int,
        lang: Lang = "en",
        explain: bool = False,
        previous: Sequence[Temperature | None] | None = None,
    ) -> Iterator[LeadScore]:
        """Yield the scores of n leads whose features are known.

        Args:
            lead_ids: n ids.
            as_of: n instants in µs UTC.
            matrix: shape (n, len(columns.specs)), NaN = null.
            now: µs UTC, stands in every score.
            lang: of the sentences.
            explain: give every contribution.
            previous: the last temperatures; None = never scored.
        """
        points = engine.points(self.card, self.columns.for_card(matrix), len(matrix))
        result = self._result(matrix, points)
        for row, (lead_id, at) in enumerate(zip(lead_ids, as_of, strict=True)):
            before = None if previous is None else previous[row]
            yield self._answer(row, lead_id, at, points, result, lang, explain, before, now)

    def _answer(  # noqa: PLR0917  (all of it is the state of one loop)
        self,
        row: int,
        lead_id: str,
        as_of: int,
        points: RulePoints,
        result: _Result,
        lang: Lang,
        explain: bool,
        previous: Temperature | None,
        now: int,
    ) -> LeadScore:
        why = explaining.reasons(result.parts, row, self.card, lang)
        raw = float(result.raw[row])
        log_odds = None if result.log_odds is None else float(result.log_odds[row])
        likely = None if log_odds is None else probability(log_odds)
        low, high = _interval(result.ends, row, likely)
        return LeadScore(
            lead_id=lead_id,
            score=clipped(raw),
            score_basis=result.basis,
            probability=likely,
            rule_points=float(points.total[row]),
            temperature=temperature(raw, self.levels, previous, ready=bool(points.hot[row])),
            fit_grade=str(points.fit_grade[row]),
            engagement_level=int(points.engagement_level[row]),
            reason_1=why.texts[0],
            reason_2=why.texts[1],
            reason_3=why.texts[2],
            reason_rest=why.rest_text,
            model_version=self.model_version,
            feature_as_of=as_of,
            scored_at=now,
            degraded=self.bundle is None,
            raw_score=raw,
            log_odds=log_odds,
            base_points=result.base_points,
            reason_1_points=why.points[0],
            reason_2_points=why.points[1],
            reason_3_points=why.points[2],
            reason_rest_points=why.rest_points,
            base_log_odds=result.base_log_odds,
            interval_low=low,
            interval_high=high,
            base_note=self._notes[lang],
            contributions=explaining.contributions(result.parts, row, self.card, lang) if explain else None,
        )

    def _result(self, matrix: Floats, points: RulePoints) -> _Result:
        if self.bundle is None:
            parts = explaining.of_card(points.by_rule, len(matrix))
            return _Result("rules", points.total, None, 0.0, None, parts)
        scorer = self.bundle.scorer
        X = self.columns.for_scorer(matrix)
        log_odds, contributions = scorer.explained(X, points.total)
        return _Result(
            basis=self.bundle.score_basis,
            raw=raw_scores(log_odds, scorer.reference),
            log_odds=log_odds,
            base_points=raw_score(scorer.base, scorer.reference),
            base_log_odds=scorer.base,
            parts=explaining.of_scorer(contributions, points.by_rule, scorer.specs, X),
            ends=scorer.interval_of(log_odds),
        )


def _interval(
    ends: tuple[Floats, Floats] | None, row: int, likely: float | None
) -> tuple[float, float] | tuple[None, None]:
    """Give the interval of one row as it is shown."""
    if ends is None or likely is None:
        return None, None
    low, high = widened(ends[0][row], ends[1][row], np.float64(likely))
    return float(low), float(high)


def default_levels(bundle: Bundle | None, card: Card) -> Levels:
    """Give the levels of the bundle's thresholds (key `temperature`), the defaults, or without a bundle the card's."""
    if bundle is None:
        return Levels(hot=card.temperature.hot, warm=card.temperature.warm, margin=card.temperature.margin)
    stated: Mapping[str, float] = bundle.thresholds.get("temperature", {})
    return Levels(**{key: float(stated[key]) for key in ("hot", "warm", "margin") if key in stated})
