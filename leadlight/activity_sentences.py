"""Sentences about the lead's own activities, for every measure that reads them."""

import math
from typing import Final

from leadlight.measures import Measure
from leadlight.phrases import (
    Writer,
    absent,
    ago,
    duration,
    hours_and_weekdays,
    none,
    number,
    percent,
    phrase,
    span,
    then_phrase,
    times,
    window,
)
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import activity_noun

_REGULAR: Final = 1.2  # spread of gaps up to which they are called even
_BURSTS: Final = 2.0  # and from which they are called bursts
_LEANS: Final = 0.2  # trend from which activities are said to lie towards one end


def _count_en(spec: FeatureSpec, value: float) -> str:
    return none(spec, "en") if absent(value) else f"{phrase(spec).did} {times(value)} {window(spec, 'en')}"


def _count_ja(spec: FeatureSpec, value: float) -> str:
    what = phrase(spec)
    return none(spec, "ja") if absent(value) else f"{window(spec, 'ja')}{what.obj}{number(value)}回{what.act}"


def _distinct_days_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "en")
    days = "one day" if value == 1 else f"{number(value)} different days"
    return f"{phrase(spec).did} on {days} {window(spec, 'en')}"


def _distinct_days_ja(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "ja")
    what = phrase(spec)
    return (
        f"{window(spec, 'ja')}{what.obj}{what.act}した日が{number(value)}日"
        if what.act
        else (f"{window(spec, 'ja')}{what.ja}のあった日が{number(value)}日")
    )


def _distinct_contents_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return f"no content known for {phrase(spec).nouns} {window(spec, 'en')}"
    contents = "1 content" if value == 1 else f"{number(value)} different contents"
    return f"{phrase(spec).did}, {contents}, {window(spec, 'en')}"


def _distinct_contents_ja(spec: FeatureSpec, value: float) -> str:
    return f"{window(spec, 'ja')}{phrase(spec).ja}の対象コンテンツ{number(0.0 if absent(value) else value)}種類"


def _distinct_types_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "en")
    kinds = "1 kind" if value == 1 else f"{number(value)} different kinds"
    return f"{kinds} of {phrase(spec).noun} {window(spec, 'en')}"


def _distinct_types_ja(spec: FeatureSpec, value: float) -> str:
    return none(spec, "ja") if absent(value) else f"{window(spec, 'ja')}{phrase(spec).ja}が{number(value)}種類"


def _value_sum_en(spec: FeatureSpec, value: float) -> str:
    shown = number(0.0 if math.isnan(value) else value)
    return f"values of {phrase(spec).nouns} add up to {shown} {window(spec, 'en')}"


def _value_sum_ja(spec: FeatureSpec, value: float) -> str:
    shown = number(0.0 if math.isnan(value) else value)
    return f"{window(spec, 'ja')}記録された{phrase(spec).ja}の値の合計{shown}"


def _last_en(spec: FeatureSpec, value: float) -> str:
    return none(spec, "en") if math.isnan(value) else f"last {phrase(spec).noun} {ago(value, 'en')}"


def _last_ja(spec: FeatureSpec, value: float) -> str:
    return none(spec, "ja") if math.isnan(value) else f"最後の{phrase(spec).ja}は{ago(value, 'ja')}"


def _first_en(spec: FeatureSpec, value: float) -> str:
    within = "" if spec.window_days is None else f" {window(spec, 'en')}"
    return none(spec, "en") if math.isnan(value) else f"first {phrase(spec).noun}{within}: {ago(value, 'en')}"


def _first_ja(spec: FeatureSpec, value: float) -> str:
    within = "" if spec.window_days is None else f"直近{span(spec.window_days, 'ja')}で"
    return none(spec, "ja") if math.isnan(value) else f"{within}最初の{phrase(spec).ja}は{ago(value, 'ja')}"


def _decayed_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "en")
    half_life = span(spec.half_life_days or 0.0, "en")
    within = "" if spec.window_days is None else f" {window(spec, 'en')}"
    return f"{number(value)} recent {phrase(spec).nouns}{within} (weight halves every {half_life})"


def _decayed_ja(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "ja")
    half_life = span(spec.half_life_days or 0.0, "ja").removesuffix("間")
    within = "最近の" if spec.window_days is None else f"直近{span(spec.window_days, 'ja')}の"
    return f"{within}{phrase(spec).ja}{number(value)}回相当(重みは{half_life}で半減)"


def _momentum_en(spec: FeatureSpec, value: float) -> str:
    nouns, length = phrase(spec).nouns, span(spec.window_days or 0.0, "en")
    if absent(abs(value)):
        return f"as many {nouns} in the last {length} as in the {length} before"
    return f"{'more' if value > 0 else 'fewer'} {nouns} in the last {length} than in the {length} before"


def _momentum_ja(spec: FeatureSpec, value: float) -> str:
    length = span(spec.window_days or 0.0, "ja")
    trend = "その前と同程度" if absent(abs(value)) else "その前より増加" if value > 0 else "その前より減少"
    return f"直近{length}の{phrase(spec).ja}が{trend}"


def _trend_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "en")
    where = "evenly spread" if abs(value) < _LEANS else "mostly late" if value > 0 else "mostly early"
    return f"{phrase(spec).nouns} {window(spec, 'en')}: {where}"


def _trend_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "ja")
    where = "均等に分布" if abs(value) < _LEANS else "後半に集中" if value > 0 else "前半に集中"
    return f"直近{span(spec.window_days or 0.0, 'ja')}の{phrase(spec).ja}は{where}"


def _gap_mean_en(spec: FeatureSpec, value: float) -> str:
    nouns = phrase(spec).nouns
    if math.isnan(value):
        return f"fewer than two {nouns} {window(spec, 'en')}"
    return f"{nouns} {window(spec, 'en')}: {duration(value, 'en')} apart on average"


def _gap_mean_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return f"{window(spec, 'ja')}{phrase(spec).ja}が2回未満"
    return f"{window(spec, 'ja')}{phrase(spec).ja}の間隔は平均{duration(value, 'ja')}"


def _gap_spread_en(spec: FeatureSpec, value: float) -> str:
    nouns = phrase(spec).nouns
    if math.isnan(value):
        return f"too few {nouns} {window(spec, 'en')} to tell a rhythm"
    how = "at even intervals" if value < _REGULAR else "in bursts" if value >= _BURSTS else "at uneven intervals"
    return f"{nouns} {window(spec, 'en')}: {how}"


def _gap_spread_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return f"{window(spec, 'ja')}{phrase(spec).ja}が少なく間隔は不明"
    how = "ほぼ一定の間隔" if value < _REGULAR else "短期間に集中" if value >= _BURSTS else "不規則な間隔"
    return f"{window(spec, 'ja')}{phrase(spec).ja}は{how}"


def _sessions_en(spec: FeatureSpec, value: float) -> str:
    if absent(value):
        return none(spec, "en")
    visits = "one visit" if value == 1 else f"{number(value)} separate visits"
    return f"{phrase(spec).did} in {visits} {window(spec, 'en')}"


def _sessions_ja(spec: FeatureSpec, value: float) -> str:
    return (
        none(spec, "ja") if absent(value) else f"{window(spec, 'ja')}{phrase(spec).ja}のあった訪問が{number(value)}回"
    )


def _share_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "en")
    return f"{percent(value)} of {phrase(spec).nouns} {window(spec, 'en')} {hours_and_weekdays(spec, 'en')}"


def _share_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "ja")
    return f"{window(spec, 'ja')}{phrase(spec).ja}の{percent(value)}が{hours_and_weekdays(spec, 'ja')}"


def _pair_en(spec: FeatureSpec, noun: str) -> str:
    return f"{noun} followed by {then_phrase(spec).noun} within {span(spec.within_days or 0.0, 'en')}"


def _followed_en(spec: FeatureSpec, value: float) -> str:
    pair = _pair_en(spec, phrase(spec).noun)
    return f"no {pair} {window(spec, 'en')}" if absent(value) else f"{pair}: {times(value)} {window(spec, 'en')}"


def _followed_ja(spec: FeatureSpec, value: float) -> str:
    what, within = f"{window(spec, 'ja')}{phrase(spec).ja}から", span(spec.within_days or 0.0, "ja")
    then = then_phrase(spec).ja
    return f"{what}{within}以内の{then}なし" if absent(value) else f"{what}{within}以内に{then}が{number(value)}回"


def _followed_share_en(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "en")
    return _pair_en(spec, f"{percent(value)} of {phrase(spec).nouns} {window(spec, 'en')}")


def _followed_share_ja(spec: FeatureSpec, value: float) -> str:
    if math.isnan(value):
        return none(spec, "ja")
    within = span(spec.within_days or 0.0, "ja")
    return f"{window(spec, 'ja')}{phrase(spec).ja}の{percent(value)}で{within}以内に{then_phrase(spec).ja}"


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


EN: Final[dict[Measure, Writer]] = {
    "count": _count_en,
    "distinct_days": _distinct_days_en,
    "distinct_contents": _distinct_contents_en,
    "distinct_types": _distinct_types_en,
    "value_sum": _value_sum_en,
    "days_since_last": _last_en,
    "days_since_first": _first_en,
    "decayed_count": _decayed_en,
    "momentum": _momentum_en,
    "trend": _trend_en,
    "gap_mean": _gap_mean_en,
    "gap_spread": _gap_spread_en,
    "sessions": _sessions_en,
    "share": _share_en,
    "followed": _followed_en,
    "followed_share": _followed_share_en,
    "last_type": _last_type_en,
}
JA: Final[dict[Measure, Writer]] = {
    "count": _count_ja,
    "distinct_days": _distinct_days_ja,
    "distinct_contents": _distinct_contents_ja,
    "distinct_types": _distinct_types_ja,
    "value_sum": _value_sum_ja,
    "days_since_last": _last_ja,
    "days_since_first": _first_ja,
    "decayed_count": _decayed_ja,
    "momentum": _momentum_ja,
    "trend": _trend_ja,
    "gap_mean": _gap_mean_ja,
    "gap_spread": _gap_spread_ja,
    "sessions": _sessions_ja,
    "share": _share_ja,
    "followed": _followed_ja,
    "followed_share": _followed_share_ja,
    "last_type": _last_type_ja,
}
