"""Contributions in words: one sentence for a feature and its value, in English and Japanese.

`sentence` says what was measured ("viewed the pricing page 3 times in the last 7 days"); whether that raises or lowers
a score is a matter of points, which `reason` puts behind it. Canonical activity types, stages and common attributes
have phrases of their own; any other name is made readable (`w_nabellen_start` becomes "W nabellen start").
"""

from typing import Final

from leadlight import activity_sentences, lead_sentences
from leadlight.errors import InputError
from leadlight.measures import Measure
from leadlight.phrases import Writer, number, shown_value, signed
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import LANGS, SPECIAL_RULES, Lang, humanised

__all__ = [
    "WRITERS",
    "base_rate_changed",
    "calibration_sentence",
    "checked_lang",
    "number",
    "reason",
    "rest",
    "rule_sentence",
    "sentence",
    "shown_value",
    "signed",
]

# For each language, who writes the sentence of a measure.
WRITERS: Final[dict[Lang, dict[Measure, Writer]]] = {
    "en": activity_sentences.EN | lead_sentences.EN,
    "ja": activity_sentences.JA | lead_sentences.JA,
}


def checked_lang(lang: str) -> Lang:
    """Give the language, if the product speaks it.

    Raises:
        InputError: another language.
    """
    for known in LANGS:
        if lang == known:
            return known
    raise InputError.unknown_name("language", lang, LANGS)


def sentence(spec: FeatureSpec, value: float, lang: Lang) -> str:
    """Say what a feature's value means.

    Args:
        spec: what was measured.
        value: NaN = null.
        lang: `en` or `ja`.
    """
    return WRITERS[lang][spec.measure](spec, value)


def rule_sentence(name: str, label: str | None, card_points: float, lang: Lang) -> str:
    """Say what a rule of the card gave; `label` is the card's own, None for the parts that are not rules."""
    given = number(card_points) if card_points <= 0 else f"+{number(card_points)}"
    what = label or SPECIAL_RULES.get(name, (humanised(name),) * 2)[lang == "ja"]
    return f"{what}: {given} on the rule card" if lang == "en" else f"{what}:配点表で{given}点"


def reason(text: str, points: float, lang: Lang) -> str:
    """Put the points behind a sentence, so that three reasons, the rest and the base visibly add up."""
    return f"{text} ({signed(points)} points)" if lang == "en" else f"{text}({signed(points)}点)"


def calibration_sentence(lang: Lang) -> str:
    """Say what the part of isotonic calibration is."""
    return (
        "correction to what such scores came to (calibration)"
        if lang == "en"
        else "実績に合わせた補正(キャリブレーション)"
    )


def base_rate_changed(before: float | None, after: float | None, lang: Lang) -> str:
    """Say that the base was corrected for a changed base rate, with both rates (shares) where they are known."""
    if before is None or after is None:
        return "the base rate was corrected" if lang == "en" else "基準となる転換率を補正済み"
    old, new = number(100 * before), number(100 * after)
    if lang == "en":
        return f"the base rate was corrected from {old} % to {new} %"
    return f"基準となる転換率を{old} %から{new} %に補正済み"


def rest(count: int, lang: Lang) -> str:
    """Name everything beyond the reasons that are spelled out."""
    en = f"{count} other signals together" if count > 1 else "1 other signal"
    return en if lang == "en" else f"その他{count}項目の合計"
