"""What the numbers of the audit mean: from how much on a column is `suspect` or a `leak`, and the sentence for it.

An AUC of 0.84 is the highest believable one of a whole model on rich behaviour, 0.95 an alarm; what lies above it in a
single column was not known beforehand. Odds and shares are judged by the end of their interval that is least against
the column.

The bounds are round numbers, but they came together with the planted leaks and the clean sets on which
`benchmarks.training.leaks` counts what they find: that count is no test of them on data nobody had seen. Of these it is
known that they were set or moved after looking:

    *_LATER      moved from 0.30 and 0.70 to 0.25 and 0.65 after planted leaks had been counted, when the lower end of
                 the correlation was judged from then on instead of the correlation
    SUSPECT_AT   set above the 0.71 that assessments by a bank's staff reach in BPIC 2012, which is one of the clean
                 sets: that they are no false alarm there was seen to beforehand
    *_WRITTEN    kept, but of another share since: of all closed leads with a value, no longer of those with a change
"""

from dataclasses import dataclass
from typing import Final, Literal

from training.audit_changes import Written
from training.audit_company import Company
from training.audit_known import Event
from training.audit_later import Follows
from training.audit_odds import Odds
from training.audit_ranking import Ranking
from training.audit_times import FEWEST, Coincidence
from training.audit_types import TypeEvidence

Verdict = Literal["ok", "suspect", "leak"]
RANK: Final[dict[Verdict, int]] = {"ok": 0, "suspect": 1, "leak": 2}

SUSPECT_AUC: Final = 0.84
LEAK_AUC: Final = 0.95
# (suspect, leak): the odds ratio at least. Leads with a value against those without, leads with another value than the
# usual one against those with it, an end of a number's range against the rest, one value against all others (a single
# honest value, such as a recommendation, may raise the odds much), the best value against the worst.
ODDS: Final[dict[str, tuple[float, float]]] = {
    "filled": (10, 100),
    "default": (10, 100),
    "tail": (10, 100),
    "value": (30, 300),
    "ends": (100, 1_000),
}
# A column that came to tell the outcome, or ceased to: its AUC moved by so much, and by so many standard errors.
CHANGED: Final = 0.15
CHANGED_ERRORS: Final = 4.0
SUSPECT_TIME: Final = 0.12
LEAK_TIME: Final = 0.30
TIMES_CHANCE: Final = 5.0
CLOCK: Final = 0.98
NEARLY_CLOCK: Final = 0.80
SUSPECT_ORDER: Final = 0.60
LEAK_ORDER: Final = 0.75
SUSPECT_LATER: Final = 0.25
LEAK_LATER: Final = 0.65
SUSPECT_WRITTEN: Final = 0.20
LEAK_WRITTEN: Final = 0.50
# Where another value stood before, the history still tells it, and upkeep long after the outcome changes honest columns
# too: never more than suspect, and only where the value of today is for most leads not the one known beforehand.
SUSPECT_OVERWRITTEN: Final = 0.50
# Filled practically only where a suspect column is.
ONLY_BESIDE: Final = 0.95
# The last piece of work before a decision comes near it: assessments by a bank's staff reach 0.71.
SUSPECT_AT: Final = 0.75
LEAK_AT: Final = 0.85
ONLY_AFTER: Final = 0.95
SAME_STAGE: Final = 0.80

_DID: Final[dict[Event, str]] = {"won": "won", "lost": "were lost", "closed": "were won or lost"}
_WHO: Final[dict[Event, str]] = {"won": "who wins", "lost": "who is lost", "closed": "who is decided"}


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that speaks against a column: how much, and in words."""

    verdict: Verdict
    why: str


def _graded(value: float, suspect: float, leak: float, why: str) -> Sign | None:
    if value < suspect:
        return None
    return Sign("leak" if value >= leak else "suspect", why)


def of_auc(event: Event, found: Ranking) -> Sign | None:
    """Judge how well a column ranks by itself."""
    why = f"by itself it ranks {_WHO[event]} with an AUC of {found.auc:.2f}"
    return _graded(found.auc, SUSPECT_AUC, LEAK_AUC, f"{why}; a whole honest model reaches 0.60 to 0.84")


def of_change(found: Ranking) -> Sign | None:
    """Judge whether a column has begun, or ceased, to tell the outcome."""
    if found.change is None or found.change_error is None:
        return None
    if abs(found.change) < max(CHANGED, CHANGED_ERRORS * found.change_error):
        return None
    first, last = (value for value in (found.by_cohort[0], found.by_cohort[-1]))
    shown = f"{first:.2f} to {last:.2f}" if first is not None and last is not None else f"by {found.change:+.2f}"
    return Sign("suspect", f"its AUC moved from the oldest to the newest leads ({shown}), as of a field filled later")


def of_odds(name: str, event: Event, odds: Odds) -> Sign | None:
    """Judge by how much a value raises the odds."""
    suspect, leak = ODDS[name]
    who = f"leads where it is {odds.which}" if name in {"filled", "default"} else f"leads with {odds.which}"
    told = f"{odds.rate:.1%} of {odds.leads:,} {who} {_DID[event]}, {odds.other_rate:.1%} of the others"
    return _graded(odds.least, suspect, leak, f"{told}: {odds.least:,.0f} times the odds at the least")


def of_coincidence(found: Coincidence) -> Sign | None:
    """Judge how often a value holds the time of the outcome."""
    if found.leads < FEWEST or found.least < TIMES_CHANCE * found.by_chance:
        return None
    why = f"read as {found.unit}, {found.share:.0%} of the closed leads hold the time of their outcome"
    return _graded(found.least, SUSPECT_TIME, LEAK_TIME, f"{why} ({found.by_chance:.0%} by chance)")


def of_clock(own: float) -> Sign | None:
    """Judge how closely a value goes with the creation."""
    why = f"it rises with the creation of the leads (rank correlation {own:.2f}): a clock, which has other values later"
    return Sign("suspect", why) if own >= CLOCK else None


def identifier(unique: float) -> Sign:
    """Judge a text that names its row."""
    return Sign("suspect", f"{unique:.0%} of its values occur once: it names the lead and says nothing of others")


def of_order(found: Ranking) -> Sign | None:
    """Judge whether leads stand elsewhere than their creation says because of their outcome."""
    if found.auc - 3 * found.error < (SUSPECT_ORDER + 0.5) / 2:
        return None
    why = f"leads stand away from their place in the order of creation by their outcome (AUC {found.auc:.2f})"
    return _graded(found.auc, SUSPECT_ORDER, LEAK_ORDER, why)


def of_later(found: Follows) -> Sign | None:
    """Judge a number that goes with what the lead did afterwards."""
    why = f"it goes with {found.kind} after the first day (partial rank correlation {found.correlation:.2f})"
    return _graded(found.least, SUSPECT_LATER, LEAK_LATER, f"{why}: it counts on after a score is given")


def of_history(found: Written) -> Sign | None:
    """Judge when a value was written where there was none."""
    if found.leads < FEWEST:
        return None
    of = f"for {found.after:.0%} of {found.leads:,} closed leads with a value"
    why = f"it was first written at the outcome (from an hour before it on) or later {of}"
    return _graded(found.after_least, SUSPECT_WRITTEN, LEAK_WRITTEN, why)


def of_overwritten(found: Written) -> Sign | None:
    """Judge whether the values of today are those that were there before the outcome."""
    if found.leads < FEWEST or found.changed_least < SUSPECT_OVERWRITTEN:
        return None
    of = f"for {found.changed:.0%} of {found.leads:,} closed leads with a value"
    return Sign("suspect", f"its value was last changed at the outcome (from an hour before it on) or later {of}")


def of_company(found: Company) -> Sign | None:
    """Judge a column that is filled only where a suspect one is."""
    if found.least < ONLY_BESIDE:
        return None
    why = f"{found.share:.0%} of the leads that have it have a value in a suspect column too, {found.otherwise:.0%} of"
    return Sign("suspect", f"{why} those without it: it is filled in by the same hand")


def of_type(found: TypeEvidence) -> Sign | None:
    """Judge when the activities of a type happen."""
    same = found.stage_share >= SAME_STAGE
    stage = f", {found.stage_share:.0%} at the very entry into `{found.stage}`" if same else ""
    of = f"of its {found.activities:,} activities"
    if found.after_least >= ONLY_AFTER:
        return Sign("leak", f"{found.after:.0%} {of} come at the outcome or after it{stage}")
    why = f"{found.at:.0%} {of} lie within a day of the lead's outcome{stage}"
    return _graded(found.at_least, SUSPECT_AT, LEAK_AT, why)


def of_total(auc: float) -> Sign | None:
    """Judge the AUC of everything together."""
    why = f"together they reach an AUC of {auc:.2f}: too good to be true, something in the data is the outcome"
    return Sign("leak", why) if auc >= LEAK_AUC else None
