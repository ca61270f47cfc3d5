"""What follows from an audit for the rule card: a rule that reads what leaks must not bring it back as points.

The card that a training uses, and that its bundle carries, is the asked one without such rules: the points under the
model, the rules that it is compared with and the points that serving shows are counted by one and the same card. The
file that people wrote stays as it is.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final

from leadlight.bundle import Bundle
from rules.parse import Card
from rules.reduce import Cut, Part, without
from training.audit import Audit, Kind

# Where a bundle's training tells of it.
KEY: Final = "rules_left_out"
WORDS: Final[dict[Part, str]] = {
    "behaviour": "rule",
    "fit": "rule",
    "hot_when": "condition to be hot",
    "exclude": "condition to be excluded",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was taken from one entry of a card, and why.

    Attributes:
        cut: the entry, and what it must not read.
        why: in one sentence.
    """

    cut: Cut
    why: str

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**asdict(self.cut), "why": self.why}


def reduced(card: Card, found: Audit, allow: Collection[str] = ()) -> tuple[Card, tuple[LeftOut, ...]]:
    """Give the card without the rules that read what features must not read, and what was left out.

    A column is suspect too where there are too few outcomes to say anything of it. Then nothing speaks against the
    rules that people wrote, and nothing can have been learnt from what it may hold: they stay.

    Args:
        card: as people wrote it.
        found: the audit.
        allow: suspects that are used all the same.

    Returns:
        The card may have no rules at all; then every lead has 0 points.
    """
    types = found.dropped("type", allow)
    others = tuple(name for name in found.types if name not in types)
    dropped = found.dropped("attribute", allow)
    spoken_against = [name for name in dropped if found.finding(name).suggested != "ok"]
    kept, cuts = without(card, spoken_against, types, others)
    return kept, tuple(LeftOut(cut, _sentence(cut, found)) for cut in cuts)


def told(bundle: Bundle) -> tuple[str, ...]:
    """Say in a sentence each what of the card a bundle's training left out; nothing where it left out nothing."""
    entries = bundle.training.get(KEY) or ()
    card = bundle.scorer.card
    sentences = [str(entry["why"]) for entry in entries]
    if entries and not card.get("behaviour") and not card.get("fit"):
        sentences.append(
            f"no rule of the card `{card['name']}` is left: every lead has 0 points, and the rules are the base rate"
        )
    return tuple(sentences)


def _sentence(cut: Cut, found: Audit) -> str:
    reasons = [_reason(name, "attribute", found) for name in cut.attributes]
    reasons += [_reason(name, "type", found) for name in cut.types]
    done = "is left out" if cut.whole else "counts other activities only"
    return f"{WORDS[cut.part]} `{cut.name}` of the card {done}: it reads {' and '.join(reasons)}"


def _reason(name: str, kind: Kind, found: Audit) -> str:
    finding = found.finding(name, kind)
    verdict = "a leak" if finding.verdict == "leak" else "suspect and not allowed"
    return f"`{name}`, which is {verdict} ({finding.why})"
