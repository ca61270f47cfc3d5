"""How sentences speak of numbers, times and activities: the parts that `leadlight.wording` puts together."""

import math
from collections.abc import Callable
from typing import Final

from leadlight.spec import FeatureSpec
from leadlight.vocabulary import (
    ACTORS_JA,
    ANY_ACTIVITY,
    BY_ACTOR,
    WEEKDAYS_EN,
    WEEKDAYS_JA,
    Lang,
    Phrase,
    humanised,
    phrase_of,
)

Writer = Callable[[FeatureSpec, float], str]
# What is nearer to zero than this is noise of a sum, and written as zero.
LEAST_MEASURED: Final = 1e-9
_WEEKEND: Final = (5, 6)


def number(value: float) -> str:
    """Write a number for people: no needless decimals, thousands separated, never `-0`.

    >>> number(3.0), number(12000.0), number(2.44), number(-0.0), number(0.0123)
    ('3', '12,000', '2.4', '0', '0.012')
    """
    if not math.isfinite(value):
        return "?"
    rounded = round(value, 1) if abs(value) >= 0.1 else float(f"{value:.2g}")
    return f"{rounded + 0.0:,.1f}".removesuffix(".0") if abs(rounded) >= 0.1 or not rounded else f"{rounded:g}"


def measured(*values: float, decimals: int = 3, sign: str = "") -> tuple[str, ...]:
    """Write a figure and the ends of its interval alike: the largest has three significant figures at least.

    Args:
        values: such as a log loss; that of a rare outcome is far below 0.1.
        decimals: at least so many.
        sign: `+` where positive ones have their sign.

    >>> measured(0.6931), measured(0.0004234, 0.000398, 0.0004561), measured(-0.0213, sign="+")
    (('0.693',), ('0.000423', '0.000398', '0.000456'), ('-0.0213',))
    """
    largest = max(abs(value) for value in values)
    needed = 2 - math.floor(math.log10(largest)) if LEAST_MEASURED <= largest < 1 else 0
    return tuple(f"{round(value, max(decimals, needed)) + 0.0:{sign}.{max(decimals, needed)}f}" for value in values)


def counted(count: int, noun: str) -> str:
    """Write how many of something there are; the noun takes an s.

    >>> counted(1, "lead"), counted(1200, "lead")
    ('1 lead', '1,200 leads')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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


def phrase(spec: FeatureSpec) -> Phrase:
    """Speak of what a specification looks at: types, actor, channel, content and detail."""
    found = _of(spec.types, spec.actor)
    if spec.channel is not None:
        found = _suffixed(found, f" via {humanised(spec.channel)}", f"{humanised(spec.channel)}経由で")
    for glob in (spec.content, spec.detail):
        if glob is not None:
            found = _suffixed(found, f" (“{glob}”)", f"「{glob}」の")
    return found


def then_phrase(spec: FeatureSpec) -> Phrase:
    """Speak of the activity that must follow."""
    return _of(spec.then_types, spec.then_actor)


def _of(types: tuple[str, ...], actor: str | None) -> Phrase:
    if not types:
        return ANY_ACTIVITY if actor is None else BY_ACTOR[actor]
    parts = [phrase_of(name) for name in types[:3]]
    more = len(types) - len(parts)
    en = [f"{more} more kinds"] if more else []
    found = Phrase(
        " or ".join([part.did for part in parts] + en),
        " or ".join([part.noun for part in parts] + en),
        " or ".join([part.nouns for part in parts] + en),
        parts[0].obj if len(parts) == 1 else "・".join(part.ja for part in parts) + (f"ほか{more}種" if more else ""),
        parts[0].act if len(parts) == 1 else "",
    )
    if actor in {None, "lead"}:
        return found
    return _suffixed(found, f" (by {actor})", f"{ACTORS_JA[str(actor)]}による")


def _suffixed(phrase: Phrase, en: str, ja: str) -> Phrase:
    return Phrase(phrase.did + en, phrase.noun + en, phrase.nouns + en, ja + phrase.obj, phrase.act)


def span(days: float, lang: Lang) -> str:
    """Write a length of time that specifications give."""
    hours = days * 24
    if hours <= 24 or (days < 3 and days != int(days)):
        return f"{number(hours)} hours" if lang == "en" else f"{number(hours)}時間"
    return f"{number(days)} days" if lang == "en" else f"{number(days)}日間"


def window(spec: FeatureSpec, lang: Lang) -> str:
    """Say which window a specification looks at."""
    if spec.window_days is None:
        return "so far" if lang == "en" else "これまでに"
    length = span(spec.window_days, lang)
    return f"in the last {length}" if lang == "en" else f"直近{length}に"


def times(value: float) -> str:
    """Write a number of times."""
    return {1.0: "once", 2.0: "twice"}.get(value, f"{number(value)} times")


def ago(days: float, lang: Lang) -> str:
    """Write how long ago something was."""
    if days < 1 / 24:
        return "less than an hour ago" if lang == "en" else "1時間以内"
    count, unit, unit_ja = (int(days), "day", "日前") if days >= 1 else (int(days * 24), "hour", "時間前")
    return f"{count:,} {unit}{'' if count == 1 else 's'} ago" if lang == "en" else f"{count:,}{unit_ja}"


def none(spec: FeatureSpec, lang: Lang) -> str:
    """Say that there was nothing that the specification looks at."""
    what = phrase(spec)
    return f"no {what.noun} {window(spec, lang)}" if lang == "en" else f"{window(spec, lang)}{what.ja}なし"


def absent(value: float) -> bool:
    """Whether a count says that there was nothing."""
    return math.isnan(value) or value <= 0


def percent(share: float) -> str:
    """Write a share.

    >>> percent(0.256), percent(1.0)
    ('26%', '100%')
    """
    return f"{round(100 * share)}%"


def duration(days: float, lang: Lang) -> str:
    """Write a measured time in the unit that suits it.

    >>> duration(0.01, "en"), duration(0.5, "en"), duration(3.26, "en")
    ('14 minutes', '12 hours', '3.3 days')
    """
    if days < 1 / 24:
        value, en, ja = round(days * 1440), "minute", "分"
    elif days < 1:
        value, en, ja = round(days * 24), "hour", "時間"
    else:
        shown = number(days)
        return f"{shown} day{'' if shown == '1' else 's'}" if lang == "en" else f"{shown}日"
    return f"{value} {en}{'' if value == 1 else 's'}" if lang == "en" else f"{value}{ja}"


def zone(spec: FeatureSpec) -> str:
    """Name the zone in which a specification reads the clock.

    >>> zone(FeatureSpec("x", "age", "created_hour", utc_offset_hours=5.5))
    'UTC+5:30'
    """
    minutes = round(abs(spec.utc_offset_hours) * 60)
    if not minutes:
        return "UTC"
    sign = "+" if spec.utc_offset_hours > 0 else "-"
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02d}" if minutes % 60 else "")


def hours_and_weekdays(spec: FeatureSpec, lang: Lang) -> str:
    """Say at which hours and on which weekdays a share looks."""
    days = _weekdays(tuple(sorted(set(spec.weekdays))), lang) if spec.weekdays else ""
    if not spec.hours:
        return days
    start, end = (f"{int(hour)}:{round(hour % 1 * 60):02d}" for hour in spec.hours)
    if lang == "en":
        return f"between {start} and {end} {zone(spec)}" + (f", {days}" if days else "")
    return f"{days}{'の' if days else ''}{start}〜{end}({zone(spec)})"


def _weekdays(days: tuple[int, ...], lang: Lang) -> str:
    if days == _WEEKEND:
        return "on weekends" if lang == "en" else "土日"
    adjacent = len(days) > 2 and days[-1] - days[0] == len(days) - 1
    if lang == "ja":
        named = [WEEKDAYS_JA[day] for day in days]
        return (f"{named[0]}〜{named[-1]}" if adjacent else "・".join(named)) + "曜日"
    names = [WEEKDAYS_EN[day] for day in days]
    return "on " + (f"{names[0]} to {names[-1]}" if adjacent else ", ".join(names))
