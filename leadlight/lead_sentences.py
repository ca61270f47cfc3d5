"""Sentences about the lead itself: its age and stages, its attributes, its colleagues."""

import math
from dataclasses import replace
from typing import Final

from leadlight.measures import MOST_COLLEAGUES, Measure
from leadlight.phrases import Writer, absent, ago, number, phrase, shown_value, times, window, zone
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import (
    STAGES_EN,
    STAGES_JA,
    WEEKDAYS_EN,
    WEEKDAYS_JA,
    Lang,
    Phrase,
    attribute_name,
)


def _age_en(_spec: FeatureSpec, value: float) -> str:
    return "time of becoming a lead not known" if math.isnan(value) else f"became a lead {ago(value, 'en')}"


def _age_ja(_spec: FeatureSpec, value: float) -> str:
    return "リード獲得日は不明" if math.isnan(value) else f"リード獲得は{ago(value, 'ja')}"


def _hour_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _age_en(spec, value)
    return f"became a lead between {int(value)}:00 and {int(value) + 1}:00 {zone(spec)}"


def _hour_ja(spec: FeatureSpec, value: float) -> str:
    return _age_ja(spec, value) if math.isnan(value) else f"リード獲得は{int(value)}時台({zone(spec)})"


def _weekday_en(spec: FeatureSpec, value: float) -> str:
    return _age_en(spec, value) if math.isnan(value) else f"became a lead on a {WEEKDAYS_EN[int(value) % 7]}"


def _weekday_ja(spec: FeatureSpec, value: float) -> str:
    return _age_ja(spec, value) if math.isnan(value) else f"リード獲得は{WEEKDAYS_JA[int(value) % 7]}曜日"


def _entries_en(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_EN[str(spec.stage)]
    if stage == "lost":
        return "never lost so far" if absent(value) else f"lost {times(value)} so far"
    return f"never reached stage {stage} so far" if absent(value) else f"reached stage {stage} {times(value)} so far"


def _entries_ja(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_JA[str(spec.stage)]
    return f"これまでに{stage}の記録なし" if absent(value) else f"これまでに{stage}となったのは{number(value)}回"


def _stage_ago_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _entries_en(spec, value)
    stage = STAGES_EN[str(spec.stage)]
    return f"lost {ago(value, 'en')}" if stage == "lost" else f"reached stage {stage} {ago(value, 'en')}"


def _stage_ago_ja(spec: FeatureSpec, value: float) -> str:
    stage = STAGES_JA[str(spec.stage)]
    return _entries_ja(spec, value) if math.isnan(value) else f"{stage}となったのは{ago(value, 'ja')}"


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


def _in_stage_en(_spec: FeatureSpec, value: float) -> str:
    return "no stage entered so far" if math.isnan(value) else f"entered the stage of now {ago(value, 'en')}"


def _in_stage_ja(_spec: FeatureSpec, value: float) -> str:
    return "これまでにステージの記録なし" if math.isnan(value) else f"現在のステージになったのは{ago(value, 'ja')}"


def _known(spec: FeatureSpec, value: float, lang: Lang) -> str:
    name, known = attribute_name(str(spec.attribute), lang), value == 0
    return f"{name} is {'' if known else 'not '}known" if lang == "en" else f"{name}は{'判明' if known else '不明'}"


def _missing_en(spec: FeatureSpec, value: float) -> str:
    return _known(spec, value, "en")


def _missing_ja(spec: FeatureSpec, value: float) -> str:
    return _known(spec, value, "ja")


def _date_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _known(spec, value, "en")
    name = attribute_name(str(spec.attribute), "en")
    return f"{name}: {ago(value, 'en')}" if value >= 0 else f"{name}: {number(-value)} days ahead"


def _date_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _known(spec, value, "ja")
    when = ago(value, "ja") if value >= 0 else f"{number(-value)}日後"
    return f"{attribute_name(str(spec.attribute), 'ja')}は{when}"


def _changes_en(spec: FeatureSpec, value: float) -> str:
    name = attribute_name(str(spec.attribute), "en")
    how = "did not change" if absent(value) else f"changed {times(value)}"
    return f"{name} {how} {window(spec, 'en')}"


def _changes_ja(spec: FeatureSpec, value: float) -> str:
    name = attribute_name(str(spec.attribute), "ja")
    return f"{window(spec, 'ja')}{name}の変更" + ("なし" if absent(value) else f"{number(value)}回")


def _of_colleagues(spec: FeatureSpec) -> Phrase:
    """Speak of what colleagues did: where the filter says `by the lead`, the lead is the colleague."""
    return phrase(replace(spec, actor=None) if spec.actor == "lead" else spec)


def _colleagues_en(_spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return "no other lead of the company"
    count = f"at least {MOST_COLLEAGUES}" if value >= MOST_COLLEAGUES else number(value)
    return f"{count} other {'lead' if value == 1 else 'leads'} of the company"


def _colleagues_ja(_spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return "同じ企業の他のリードなし"
    return f"同じ企業の他のリードが{number(value)}人{'以上' if value >= MOST_COLLEAGUES else ''}"


def _active_en(spec: FeatureSpec, value: float) -> str:
    noun = _of_colleagues(spec).noun
    if absent(value):
        return f"no colleague with {noun} {window(spec, 'en')}"
    return f"{number(value)} {'colleague' if value == 1 else 'colleagues'} with {noun} {window(spec, 'en')}"


def _active_ja(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return _no_colleague_ja(spec)
    return f"{window(spec, 'ja')}{_of_colleagues(spec).ja}のあった同僚が{number(value)}人"


def _most_active_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return _active_en(spec, 0.0)
    what = _of_colleagues(spec)
    return f"most active colleague: {number(value)} {what.noun if value == 1 else what.nouns} {window(spec, 'en')}"


def _most_active_ja(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return _no_colleague_ja(spec)
    return f"{window(spec, 'ja')}最も活発な同僚は{_of_colleagues(spec).ja}{number(value)}回"


def _colleague_ago_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _active_en(spec, 0.0)
    return f"last {_of_colleagues(spec).noun} of a colleague {ago(value, 'en')}"


def _colleague_ago_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return _no_colleague_ja(spec)
    return f"同僚の最後の{_of_colleagues(spec).ja}は{ago(value, 'ja')}"


def _no_colleague_ja(spec: FeatureSpec) -> str:
    return f"{window(spec, 'ja')}同僚の{_of_colleagues(spec).ja}なし"


def _roles_en(spec: FeatureSpec, value: float) -> str:
    name = attribute_name(str(spec.attribute), "en")
    if absent(value):
        return f"{name} is not known of the lead and its colleagues"
    return f"{name}: {number(value)} different among the lead and its colleagues"


def _roles_ja(spec: FeatureSpec, value: float) -> str:
    name = attribute_name(str(spec.attribute), "ja")
    return f"本人と同僚の{name}は" + ("不明" if absent(value) else f"{number(value)}種類")


EN: Final[dict[Measure, Writer]] = {
    "age_days": _age_en,
    "created_hour": _hour_en,
    "created_weekday": _weekday_en,
    "stage_entries": _entries_en,
    "days_since_stage": _stage_ago_en,
    "days_in_stage": _in_stage_en,
    "colleagues": _colleagues_en,
    "colleagues_active": _active_en,
    "most_active_colleague": _most_active_en,
    "colleague_recency": _colleague_ago_en,
    "roles": _roles_en,
    "number": _attribute_en,
    "category": _attribute_en,
    "missing": _missing_en,
    "days_since_date": _date_en,
    "changes": _changes_en,
}
JA: Final[dict[Measure, Writer]] = {
    "age_days": _age_ja,
    "created_hour": _hour_ja,
    "created_weekday": _weekday_ja,
    "stage_entries": _entries_ja,
    "days_since_stage": _stage_ago_ja,
    "days_in_stage": _in_stage_ja,
    "colleagues": _colleagues_ja,
    "colleagues_active": _active_ja,
    "most_active_colleague": _most_active_ja,
    "colleague_recency": _colleague_ago_ja,
    "roles": _roles_ja,
    "number": _attribute_ja,
    "category": _attribute_ja,
    "missing": _missing_ja,
    "days_since_date": _date_ja,
    "changes": _changes_ja,
}
