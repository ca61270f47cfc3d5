"""What a feature means, in words, for people who read a catalog."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from leadlight.phrases import hours_and_weekdays, phrase, span, then_phrase
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import STAGES_EN

WHOLE_RECORD: Final = "whole record"
NO_WINDOW: Final = "-"
NULL: Final = {"zero": "0", "null": "null"}


def rows(specs: Iterable[FeatureSpec]) -> list[dict[str, str]]:
    """Give one row per feature: name, family, measure, meaning, unit, window, and what a lead without anything gets."""
    return [
        {
            "name": spec.name,
            "family": spec.family,
            "measure": spec.measure,
            "meaning": meaning(spec),
            "unit": spec.facts.unit,
            "window": window(spec),
            "null": NULL[spec.facts.empty],
        }
        for spec in specs
    ]


def meaning(spec: FeatureSpec) -> str:
    """Say what a feature measures, and of what.

    >>> meaning(FeatureSpec("x", "recency", "days_since_last", ("pricing_view",)))
    'How long ago the newest selected activity was (pricing page views).'
    """
    parts = [*_looks_at(spec), *_parameters(spec)]
    text = spec.facts.meaning
    return f"{text.removesuffix('.')} ({'; '.join(parts)})." if parts else text


def window(spec: FeatureSpec) -> str:
    """Say how far a feature looks back."""
    if spec.window_days is not None:
        return span(spec.window_days, "en")
    return NO_WINDOW if spec.facts.window == "never" else WHOLE_RECORD


def _looks_at(spec: FeatureSpec) -> list[str]:
    if not any(spec.filter_key):
        return []
    colleagues = spec.facts.source == "colleagues"
    nouns = phrase(replace(spec, actor=None) if colleagues and spec.actor == "lead" else spec).nouns
    return [f"their own {nouns}" if colleagues and spec.actor == "lead" else nouns]


def _parameters(spec: FeatureSpec) -> list[str]:
    parts: list[str] = []
    if spec.within_days is not None:
        parts.append(f"then {then_phrase(spec).noun} within {span(spec.within_days, 'en')}")
    if spec.half_life_days is not None:
        parts.append(f"half-life {span(spec.half_life_days, 'en')}")
    if spec.gap_minutes is not None:
        parts.append(f"a pause of more than {spec.gap_minutes:g} minutes starts a new one")
    if spec.measure == "share":
        parts.append(hours_and_weekdays(spec, "en"))
    if spec.measure == "last_type":
        parts.append(f"k = {spec.k}")
    if spec.stage is not None:
        parts.append(f"stage {STAGES_EN[spec.stage]}")
    if spec.attribute is not None:
        parts.append(f"`{spec.attribute}`")
    if spec.categorical:
        count = len(spec.categories)
        parts.append(f"{count} {'value' if count == 1 else 'values'} by name, any other is `other`")
    return parts
