"""All that is measured of one attribute column, and what speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.schema import AttributeKind
from training import audit_odds, audit_signs, audit_times
from training.audit_changes import Written
from training.audit_company import Company
from training.audit_groups import MISSING, Groups, as_numbers, grouped, of_numbers
from training.audit_known import LEAST, Event, Flags, Known
from training.audit_later import Later, follows
from training.audit_ranking import Ranking, ranking
from training.audit_signs import Sign

Floats = NDArray[np.float64]
Number = float | int | str | None

ODDS: Final = {
    "filled": audit_odds.filled,
    "default": audit_odds.default,
    "tail": audit_odds.tail,
    "value": audit_odds.value,
    "ends": audit_odds.ends,
}
# A text column in which nearly every value occurs once names its row.
IDENTIFIER: Final = 0.9


@dataclass(frozen=True, slots=True)
class Column:
    """What the audit found in one column.

    Attributes:
        signs: what speaks against it, nothing where nothing does.
        evidence: the numbers.
        log_odds: what it would add to the log-odds of every judged lead; None where it says nothing.
        held: which leads have a value, shape (n,).
    """

    signs: tuple[Sign, ...]
    evidence: Mapping[str, Number | list[float | None]]
    log_odds: Floats | None
    held: Flags

    def beside(self, found: Company) -> Self:
        """Add what the company of a suspect column says."""
        sign = audit_signs.of_company(found)
        evidence = {**self.evidence, "filled_with_suspect": found.share, "filled_without_it": found.otherwise}
        return replace(self, signs=self.signs if sign is None else (*self.signs, sign), evidence=evidence)


@dataclass(slots=True)
class _Notes:
    signs: list[Sign | None] = field(default_factory=list)
    evidence: dict[str, Number | list[float | None]] = field(default_factory=dict)


def examine(
    values: pl.Series, kind: AttributeKind, known: Known, counts: Later, history: Written | None = None
) -> Column:
    """Examine a column of leads.

    Args:
        values: of every lead, null = missing; its name is not looked at.
        kind: how to read it.
        known: the leads.
        counts: what they did, for numbers that may count it.
        history: when it was written, where changes were recorded.
    """
    groups = grouped(values, kind)
    notes = _Notes()
    notes.evidence["missing"] = float((groups.codes == MISSING).mean()) if len(values) else None
    _times(values, kind, known, notes)
    if history is not None:
        _history(history, notes)
    _later(values, kind, counts, notes)
    _order(values, known, notes)
    won = _outcomes(groups, known, notes).get("won")
    signs = tuple(sign for sign in notes.signs if sign is not None)
    return Column(signs, notes.evidence, None if won is None else won.log_odds, groups.codes != MISSING)


def _outcomes(groups: Groups, known: Known, notes: _Notes) -> dict[Event, Ranking]:
    """Put every question that can be put, that of single values before that of the whole column."""
    rankings: dict[Event, Ranking] = {}
    for event, happened in known.events().items():
        for name, measure in ODDS.items():
            odds = measure(groups, happened, known)
            if odds is not None:
                notes.evidence[f"{name}_odds_{event}"] = odds.least
                notes.signs.append(audit_signs.of_odds(name, event, odds))
        found = ranking(groups, happened, known)
        if found is not None:
            rankings[event] = found
            notes.evidence[f"auc_{event}"] = found.auc
    notes.signs += [audit_signs.of_auc(event, found) for event, found in rankings.items()]
    if "won" in rankings:
        notes.evidence |= {"auc_by_time": list(rankings["won"].by_cohort), "auc_change": rankings["won"].change}
        notes.signs.append(audit_signs.of_change(rankings["won"]))
    _filled_where(groups, known, notes)
    return rankings


def _filled_where(groups: Groups, known: Known, notes: _Notes) -> None:
    """Note how often won, lost and open leads have a value."""
    held = groups.codes != MISSING
    for name, state in (("won", known.won), ("lost", known.lost), ("open", ~known.closed)):
        chosen = state & known.judged
        notes.evidence[f"filled_{name}"] = float(held[chosen].mean()) if chosen.any() else None


def _history(history: Written, notes: _Notes) -> None:
    notes.evidence |= {
        "written_leads": history.leads,
        "written_after_outcome": history.after,
        "written_after_at_least": history.after_least,
        "changed_after_outcome": history.changed,
        "changed_after_at_least": history.changed_least,
    }
    notes.signs += [audit_signs.of_history(history), audit_signs.of_overwritten(history)]


def _times(values: pl.Series, kind: AttributeKind, known: Known, notes: _Notes) -> None:
    found = audit_times.coincidence(values, kind, known)
    if found is not None:
        notes.evidence |= {
            "outcome_time_share": found.share,
            "outcome_time_at_least": found.least,
            "outcome_time_by_chance": found.by_chance,
        }
        notes.signs.append(audit_signs.of_coincidence(found))
    own = audit_times.clock(values, kind, known)
    if own is not None:
        notes.evidence["clock"] = own
        notes.signs.append(audit_signs.of_clock(own))
    if kind == "category" and audit_times.instants(values, kind) is None:
        held = values.drop_nulls()
        unique = held.n_unique() / len(held) if len(held) else 0.0
        notes.evidence["unique"] = unique
        if len(held) >= LEAST and unique >= IDENTIFIER:
            notes.signs.append(audit_signs.identifier(unique))


def _order(values: pl.Series, known: Known, notes: _Notes) -> None:
    """A number or date that goes with the creation may still tell who has moved from their place."""
    own = notes.evidence.get("clock")
    if not isinstance(own, float) or own < audit_signs.NEARLY_CLOCK:
        return
    x = audit_times.instants(values, "category") if values.dtype == pl.String else None
    found = moved(as_numbers(values) if x is None else x, known)
    if found is not None:
        notes.evidence["moved_auc"] = found.auc
        notes.signs.append(audit_signs.of_order(found))


def moved(position: Floats, known: Known) -> Ranking | None:
    """Rank leads by how far they stand from their place in the order of creation; the more telling event counts."""
    groups = of_numbers(audit_times.beyond_creation(position, known))
    found = [ranking(groups, happened, known) for happened in known.events().values()]
    return max((one for one in found if one is not None), key=lambda one: one.auc, default=None)


def along(position: Floats, known: Known) -> Ranking | None:
    """Rank leads by their place alone, old against new ones too: for data in which the order is the clock."""
    all_in_one = replace(known, cohort=np.zeros_like(known.cohort))
    found = [ranking(of_numbers(position), happened, all_in_one) for happened in known.events().values()]
    return max((one for one in found if one is not None), key=lambda one: one.auc, default=None)


def _later(values: pl.Series, kind: AttributeKind, counts: Later, notes: _Notes) -> None:
    if kind != "number" or not counts.kinds:
        return
    found = follows(values, counts)
    if found is not None:
        notes.evidence |= {"follows_later_activity": found.correlation, "follows_at_least": found.least}
        notes.signs.append(audit_signs.of_later(found))
