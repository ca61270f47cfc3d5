"""Contributions in words: one sentence for a feature and its value, in English and Japanese.

`sentence` says what was measured ("viewed the pricing page 3 times in the last 7 days"); whether that raises or lowers
a score is a matter of points, which `reason` puts behind it. Canonical activity types, stages and common attributes
have phrases of their own; any other name is made readable (`w_nabellen_start` becomes "W nabellen start").
"""

import math
from collections.abc import Callable
from typing import Final

from leadlight.errors import InputError
from leadlight.measures import Measure
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import (
    ACTORS_JA,
    ANY_ACTIVITY,
    BY_ACTOR,
    LANGS,
    SPECIAL_RULES,
    STAGES_EN,
    STAGES_JA,
    WEEKDAYS_EN,
    WEEKDAYS_JA,
    Lang,
    Phrase,
    activity_noun,
    attribute_name,
    humanised,
    phrase_of,
)


def checked_lang(lang: str) -> Lang:
    """Give the language, if the product speaks it.

    Raises:
        InputError: another language.
    """
    for known in LANGS:
        if lang == known:
            return known
    raise InputError.unknown_name("language", lang, LANGS)


def number(value: float) -> str:
    """Write a number for people: no needless decimals, thousands separated, never `-0`.

    >>> number(3.0), number(12000.0), number(2.44), number(-0.0), number(0.0123)
    ('3', '12,000', '2.4', '0', '0.012')
    """
    if not math.isfinite(value):
        return "?"
    rounded = round(value, 1) if abs(value) >= 0.1 else float(f"{value:.2g}")
    return f"{rounded + 0.0:,.1f}".removesuffix(".0") if abs(rounded) >= 0.1 or not rounded else f"{rounded:g}"


def signed(value: float) -> str:
    """Write a number of points with its sign and one decimal.

    >>> signed(6.21), signed(-3.0), signed(0.04)
    ('+6.2', '-3.0', '0.0')
    """
    rounded = round(value, 1) + 0.0
    return f"{rounded:+.1f}" if rounded else "0.0"


def shown_value(spec: FeatureSpec, value: float) -> float | str | None:
    """Give a feature's value as data: the name of a category instead of its code, None for null."""
    if math.isnan(value):
        return None
    if not spec.categorical:
        return value
    return spec.categories[int(value)] if 0 <= int(value) < len(spec.categories) else "other"


def sentence(spec: FeatureSpec, value: float, lang: Lang) -> str:
    """Say what a feature's value means.

    Args:
        spec: what was measured.
        value: NaN = null.
        lang: `en` or `ja`.
    """
    return (_EN if lang == "en" else _JA)[spec.measure](spec, value)


def rule_sentence(name: str, label: str | None, card_points: float, lang: Lang) -> str:
    """Say what a rule of the card gave; `label` is the card's own, None for the parts that are not rules."""
    given = number(card_points) if card_points <= 0 else f"+{number(card_points)}"
    what = label or SPECIAL_RULES.get(name, (humanised(name),) * 2)[lang == "ja"]
    return f"{what}: {given} on the rule card" if lang == "en" else f"{what}:配点表で{given}点"


def reason(text: str, points: float, lang: Lang) -> str:
    """Put the points behind a sentence, so that three reasons, the rest and the base visibly add up."""
    return f"{text} ({signed(points)} points)" if lang == "en" else f"{text}({signed(points)}点)"


def rest(count: int, lang: Lang) -> str:
    """Name everything beyond the reasons that are spelled out."""
    en = f"{count} other signals together" if count > 1 else "1 other signal"
    return en if lang == "en" else f"その他{count}項目の合計"


def _phrase(spec: FeatureSpec) -> Phrase:
    """Speak of what a specification looks at: types, actor, channel and content."""
    if not spec.types:
        found = ANY_ACTIVITY if spec.actor is None else BY_ACTOR[spec.actor]
    else:
        parts = [phrase_of(name) for name in spec.types[:3]]
        more = len(spec.types) - len(parts)
        en = [f"{more} more kinds"] if more else []
        found = Phrase(
            " or ".join([part.did for part in parts] + en),
            " or ".join([part.noun for part in parts] + en),
            " or ".join([part.nouns for part in parts] + en),
            parts[0].obj
            if len(parts) == 1
            else "・".join(part.ja for part in parts) + (f"ほか{more}種" if more else ""),
            parts[0].act if len(parts) == 1 else "",
        )
        if spec.actor not in {None, "lead"}:
            by = str(spec.actor)
            found = _suffixed(found, f" (by {by})", f"{ACTORS_JA[by]}による")
    if spec.channel is not None:
        found = _suffixed(found, f" via {humanised(spec.channel)}", f"{humanised(spec.channel)}経由で")
    if spec.content is not None:
        found = _suffixed(found, f" (“{spec.content}”)", f"「{spec.content}」の")
    return found


def _suffixed(phrase: Phrase, en: str, ja: str) -> Phrase:
    return Phrase(phrase.did + en, phrase.noun + en, phrase.nouns + en, ja + phrase.obj, phrase.act)


def _span(days: float, lang: Lang) -> str:
    hours = days * 24
    if hours <= 24 or (days < 3 and days != int(days)):
        return f"{number(hours)} hours" if lang == "en" else f"{number(hours)}時間"
    return f"{number(days)} days" if lang == "en" else f"{number(days)}日間"


def _window(spec: FeatureSpec, lang: Lang) -> str:
    if spec.window_days is None:
        return "so far" if lang == "en" else "これまでに"
    span = _span(spec.window_days, lang)
    return f"in the last {span}" if lang == "en" else f"直近{span}に"


def _times(value: float) -> str:
    return {1.0: "once", 2.0: "twice"}.get(value, f"{number(value)} times")


def _ago(days: float, lang: Lang) -> str:
    if days < 1 / 24:
        return "less than an hour ago" if lang == "en" else "1時間以内"
    count, unit, unit_ja = (int(days), "day", "日前") if days >= 1 else (int(days * 24), "hour", "時間前")
    return f"{count:,} {unit}{'' if count == 1 else 's'} ago" if lang == "en" else f"{count:,}{unit_ja}"


def _none(spec: FeatureSpec, lang: Lang) -> str:
    phrase = _phrase(spec)
    return f"no {phrase.noun} {_window(spec, lang)}" if lang == "en" else f"{_window(spec, lang)}{phrase.ja}なし"


def _absent(value: float) -> bool:
    return math.isnan(value) or value <= 0


def _count_en(spec: FeatureSpec, value: float) -> str:
    return _none(spec, "en") if _absent(value) else f"{_phrase(spec).did} {_times(value)} {_window(spec, 'en')}"


def _count_ja(spec: FeatureSpec, value: float) -> str:
    phrase = _phrase(spec)
    return _none(spec, "ja") if _absent(value) else f"{_window(spec, 'ja')}{phrase.obj}{number(value)}回{phrase.act}"


def _distinct_days_en(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return _none(spec, "en")
    days = "one day" if value == 1 else f"{number(value)} different days"
    return f"{_phrase(spec).did} on {days} {_window(spec, 'en')}"


def _distinct_days_ja(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return _none(spec, "ja")
    phrase = _phrase(spec)
    return (
        f"{_window(spec, 'ja')}{phrase.obj}{phrase.act}した日が{number(value)}日"
        if phrase.act
        else (f"{_window(spec, 'ja')}{phrase.ja}のあった日が{number(value)}日")
    )


def _distinct_contents_en(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return f"no content known for {_phrase(spec).nouns} {_window(spec, 'en')}"
    contents = "1 content" if value == 1 else f"{number(value)} different contents"
    return f"{_phrase(spec).did}, {contents}, {_window(spec, 'en')}"


def _distinct_contents_ja(spec: FeatureSpec, value: float) -> str:
    return f"{_window(spec, 'ja')}{_phrase(spec).ja}の対象コンテンツ{number(0.0 if _absent(value) else value)}種類"


def _distinct_types_en(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return _none(spec, "en")
    kinds = "1 kind" if value == 1 else f"{number(value)} different kinds"
    return f"{kinds} of {_phrase(spec).noun} {_window(spec, 'en')}"


def _distinct_types_ja(spec: FeatureSpec, value: float) -> str:
    return _none(spec, "ja") if _absent(value) else f"{_window(spec, 'ja')}{_phrase(spec).ja}が{number(value)}種類"


def _value_sum_en(spec: FeatureSpec, value: float) -> str:
    shown = number(0.0 if math.isnan(value) else value)
    return f"values of {_phrase(spec).nouns} add up to {shown} {_window(spec, 'en')}"


def _value_sum_ja(spec: FeatureSpec, value: float) -> str:
    shown = number(0.0 if math.isnan(value) else value)
    return f"{_window(spec, 'ja')}記録された{_phrase(spec).ja}の値の合計{shown}"


def _last_en(spec: FeatureSpec, value: float) -> str:
    return _none(spec, "en") if math.isnan(value) else f"last {_phrase(spec).noun} {_ago(value, 'en')}"


def _last_ja(spec: FeatureSpec, value: float) -> str:
    return _none(spec, "ja") if math.isnan(value) else f"最後の{_phrase(spec).ja}は{_ago(value, 'ja')}"


def _first_en(spec: FeatureSpec, value: float) -> str:
    within = "" if spec.window_days is None else f" {_window(spec, 'en')}"
    return _none(spec, "en") if math.isnan(value) else f"first {_phrase(spec).noun}{within}: {_ago(value, 'en')}"


def _first_ja(spec: FeatureSpec, value: float) -> str:
    within = "" if spec.window_days is None else f"直近{_span(spec.window_days, 'ja')}で"
    return _none(spec, "ja") if math.isnan(value) else f"{within}最初の{_phrase(spec).ja}は{_ago(value, 'ja')}"


def _decayed_en(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return _none(spec, "en")
    half_life = _span(spec.half_life_days or 0.0, "en")
    within = "" if spec.window_days is None else f" {_window(spec, 'en')}"
    return f"{number(value)} recent {_phrase(spec).nouns}{within} (weight halves every {half_life})"


def _decayed_ja(spec: FeatureSpec, value: float) -> str:
    if _absent(value):
        return _none(spec, "ja")
    half_life = _span(spec.half_life_days or 0.0, "ja").removesuffix("間")
    within = "最近の" if spec.window_days is None else f"直近{_span(spec.window_days, 'ja')}の"
    return f"{within}{_phrase(spec).ja}{number(value)}回相当(重みは{half_life}で半減)"


def _momentum_en(spec: FeatureSpec, value: float) -> str:
    nouns, span = _phrase(spec).nouns, _span(spec.window_days or 0.0, "en")
    if _absent(abs(value)):
        return f"as many {nouns} in the last {span} as in the {span} before"
    return f"{'more' if value > 0 else 'fewer'} {nouns} in the last {span} than in the {span} before"


def _momentum_ja(spec: FeatureSpec, value: float) -> str:
    span = _span(spec.window_days or 0.0, "ja")
    trend = "その前と同程度" if _absent(abs(value)) else "その前より増加" if value > 0 else "その前より減少"
    return f"直近{span}の{_phrase(spec).ja}が{trend}"


def _last_type_en(spec: FeatureSpec, value: float) -> str:
    which = {1: "last", 2: "second-last", 3: "third-last"}.get(spec.k, f"{spec.k}th-last")
    if math.isnan(value):
        return "no activity so far" if spec.k == 1 else f"fewer than {spec.k} activities so far"
    known = 0 <= int(value) < len(spec.categories)
    return f"{which} activity: {activity_noun(spec.categories[int(value)], 'en') if known else 'of another kind'}"


def _last_type_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return "これまでに活動なし" if spec.k == 1 else f"これまでの活動が{spec.k}回未満"
    known = 0 <= int(value) < len(spec.categories)
    what = activity_noun(spec.categories[int(value)], "ja") if known else "その他"
    return f"最後の活動は{what}" if spec.k == 1 else f"最後から{spec.k}番目の活動は{what}"


def _age_en(_spec: FeatureSpec, value: float) -> str:
    return "time of becoming a lead not known" if math.isnan(value) else f"became a lead {_ago(value, 'en')}"


def _age_ja(_spec: FeatureSpec, value: float) -> str:
    return "リード獲得日は不明" if math.isnan(value) else f"リード獲得は{_ago(value, 'ja')}"


def _hour_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _age_en(spec, value)
    return f"became a lead between {int(value)}:00 and {int(value) + 1}:00 UTC"


def _hour_ja(spec: FeatureSpec, value: float) -> str:
    return _age_ja(spec, value) if math.isnan(value) else f"リード獲得は{int(value)}時台(UTC)"


def _weekday_en(spec: FeatureSpec, value: float) -> str:
    return _age_en(spec, value) if math.isnan(value) else f"became a lead on a {WEEKDAYS_EN[int(value) % 7]}"


def _weekday_ja(spec: FeatureSpec, value: float) -> str:
    return _age_ja(spec, value) if math.isnan(value) else f"リード獲得は{WEEKDAYS_JA[int(value) % 7]}曜日"


def _entries_en(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_EN[str(spec.stage)]
    if stage == "lost":
        return "never lost so far" if _absent(value) else f"lost {_times(value)} so far"
    return f"never reached stage {stage} so far" if _absent(value) else f"reached stage {stage} {_times(value)} so far"


def _entries_ja(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_JA[str(spec.stage)]
    return f"これまでに{stage}の記録なし" if _absent(value) else f"これまでに{stage}となったのは{number(value)}回"


def _stage_ago_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _entries_en(spec, value)
    stage = STAGES_EN[str(spec.stage)]
    return f"lost {_ago(value, 'en')}" if stage == "lost" else f"reached stage {stage} {_ago(value, 'en')}"


def _stage_ago_ja(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_JA[str(spec.stage)]
    return _entries_ja(spec, value) if math.isnan(value) else f"{stage}となったのは{_ago(value, 'ja')}"


def _attribute(spec: FeatureSpec, value: float, lang: Lang) -> str:
    name = attribute_name(str(spec.attribute), lang)
    shown = shown_value(spec, value)
    if shown is None:
        return f"{name} is not known" if lang == "en" else f"{name}は不明"
    if spec.categorical and int(value) >= len(spec.categories):
        shown = "another value" if lang == "en" else "その他"
    text = shown if isinstance(shown, str) else number(shown)
    return f"{name}: {text}" if lang == "en" else f"{name}は{text}"


def _attribute_en(spec: FeatureSpec, value: float) -> str:
    return _attribute(spec, value, "en")


def _attribute_ja(spec: FeatureSpec, value: float) -> str:
    return _attribute(spec, value, "ja")


Writer = Callable[[FeatureSpec, float], str]
_EN: Final[dict[Measure, Writer]] = {
    "count": _count_en,
    "distinct_days": _distinct_days_en,
    "distinct_contents": _distinct_contents_en,
    "distinct_types": _distinct_types_en,
    "value_sum": _value_sum_en,
    "days_since_last": _last_en,
    "days_since_first": _first_en,
    "decayed_count": _decayed_en,
    "momentum": _momentum_en,
    "last_type": _last_type_en,
    "age_days": _age_en,
    "created_hour": _hour_en,
    "created_weekday": _weekday_en,
    "stage_entries": _entries_en,
    "days_since_stage": _stage_ago_en,
    "number": _attribute_en,
    "category": _attribute_en,
}
_JA: Final[dict[Measure, Writer]] = {
    "count": _count_ja,
    "distinct_days": _distinct_days_ja,
    "distinct_contents": _distinct_contents_ja,
    "distinct_types": _distinct_types_ja,
    "value_sum": _value_sum_ja,
    "days_since_last": _last_ja,
    "days_since_first": _first_ja,
    "decayed_count": _decayed_ja,
    "momentum": _momentum_ja,
    "last_type": _last_type_ja,
    "age_days": _age_ja,
    "created_hour": _hour_ja,
    "created_weekday": _weekday_ja,
    "stage_entries": _entries_ja,
    "days_since_stage": _stage_ago_ja,
    "number": _attribute_ja,
    "category": _attribute_ja,
}
