"""The leak audit: does a column know what it is asked to foresee?

It looks at values and outcomes, never at names, and only at what was known before the cut: no outcome of the test
side takes part. What the mapping declares (`known_at: creation` or `changes`) overrides what the numbers suggest; the
numbers are shown all the same.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from features.tables import Tables
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.instants import iso
from leadlight.schema import Target
from leadlight.workspace import Attribute, TablesInfo
from training import audit_signs
from training.audit_changes import recorded, written
from training.audit_columns import Column, Floats, along, examine, moved
from training.audit_company import company
from training.audit_known import LEAST, Known, known_at_cut
from training.audit_later import later
from training.audit_ranking import of_score
from training.audit_signs import RANK, Sign, Verdict
from training.audit_types import TypeEvidence, by_type
from training.split import HorizonSource, Split

Kind = Literal["attribute", "type", "order", "model"]
# What the findings on the tables themselves are called.
ROWS: Final = "row order"
IDS: Final = "lead_id"
ALL: Final = "all attributes together"
NOTHING: Final = "nothing speaks against it"
_DIGITS: Final = r"(\d{1,15})\D*$"


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one column, activity type, or the tables as a whole.

    Attributes:
        kind: what is judged. An `order` is read by no feature and a `model` is nothing that could be left out.
        name: of the column or type.
        verdict: `leak` is left out, `suspect` unless allowed.
        why: one plain sentence.
        evidence: the numbers; null where there is none.
        declared: the mapping's `known_at`, of an attribute.
        suggested: the verdict that the numbers alone suggest; `ok` too where there are none.
    """

    kind: Kind
    name: str
    verdict: Verdict
    why: str
    evidence: Mapping[str, Any]
    declared: str | None = None
    suggested: Verdict = "ok"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        target: the stage to be predicted.
        cut: µs UTC.
        clock: `time` or `order`.
        leads: created before the cut.
        won: of these, before the cut.
        lost: of these, before the cut.
        open: neither.
        types: every activity type seen before the cut.
        findings: the worst first, then by kind and name.
        horizon_source: where the horizon is from, as in the split; None where the data has no clock.
    """

    target: Target
    cut: int
    clock: str
    leads: int
    won: int
    lost: int
    open: int
    types: tuple[str, ...]
    findings: tuple[Finding, ...]
    horizon_source: HorizonSource | None = None

    def finding(self, name: str, kind: Kind = "attribute") -> Finding:
        """Give the finding on one column or type.

        Raises:
            InputError: nothing of that name was judged.
        """
        found = {one.name: one for one in self.findings if one.kind == kind}
        if name not in found:
            raise InputError.unknown_name(kind, name, found)
        return found[name]

    def dropped(self, kind: Kind, allow: Collection[str] = ()) -> tuple[str, ...]:
        """Give the names that must be left out of the features, sorted."""
        out = (one.name for one in self.findings if one.kind == kind and not passes(one, allow))
        return tuple(sorted(out))

    def problems(self, allow: Collection[str] = ()) -> tuple[Finding, ...]:
        """Give what is suspect or a leak, without what was allowed."""
        return tuple(one for one in self.findings if not passes(one, allow))

    def unresolved(self) -> tuple[Finding, ...]:
        """Give the leaks that leaving columns out does not mend: with one of them nothing may be promoted.

        They are a total AUC too good to be true and, where the order of the rows is the clock, an order by outcome.
        """
        ordered = self.clock == "order"
        return tuple(
            one
            for one in self.findings
            if one.verdict == "leak" and (one.kind == "model" or (one.kind == "order" and ordered))
        )

    def with_model(self, auc: float | None) -> "Audit":
        """Add the verdict on a model's AUC, as `audit_total` gives it; nothing where that is None."""
        if auc is None:
            return self
        others = tuple(one for one in self.findings if one.kind != "model" or one.name != "model")
        found = _of_total("model", auc)
        return replace(self, findings=_sorted([*others, found]))

    def to_json(self, allow: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Give the report as JSON; `allow` says what was allowed, and why."""
        allowed, left = dict(allow or {}), self.unresolved()
        return {
            "target": self.target,
            "cut": iso(self.cut),
            "clock": self.clock,
            "horizon_source": self.horizon_source,
            "leads": self.leads,
            "won": self.won,
            "lost": self.lost,
            "open": self.open,
            "findings": [
                {**asdict(one), "evidence": dict(one.evidence), "resolved": one not in left} for one in self.findings
            ],
            "dropped_attributes": list(self.dropped("attribute", allowed)),
            "dropped_types": list(self.dropped("type", allowed)),
            "allowed": allowed,
            "unresolved": [one.name for one in left],
        }


def passes(finding: Finding, allow: Collection[str] = ()) -> bool:
    """Whether a finding lets its column be used: it is fine, or it is suspect and allowed by name."""
    return finding.verdict == "ok" or (finding.verdict == "suspect" and finding.name in allow)


def audit(tables: Tables, info: TablesInfo, split: Split, seed: int = 0) -> Audit:
    """Audit every attribute column, every activity type and the order of the leads.

    Args:
        tables: Polars frames (those that hygiene left).
        info: which attributes there are, and what the mapping declares of them.
        split: target, horizon and cut of the training.
        seed: of the folds in which columns are valued.

    Raises:
        NotEnoughDataError: no lead was created before the cut.
    """
    known = known_at_cut(tables, split.target, split.horizon_us, split.cut, seed)
    if not len(known):
        raise NotEnoughDataError(f"no lead was created before {iso(split.cut)}; there is nothing to audit")
    counts = later(tables, known)
    history = written(tables, known)
    columns = {
        attribute.name: examine(known.frame[attribute.name], attribute.kind, known, counts, history.get(attribute.name))
        for attribute in info.attributes
    }
    columns = _with_company(columns)
    followed = recorded(tables, split.cut)
    findings = [_of_attribute(attribute, columns[attribute.name], known, followed) for attribute in info.attributes]
    types = by_type(tables, known)
    findings += [_of_type(name, found, types.decided) for name, found in types.judged.items()]
    findings += _orders(known)
    kept = {one.name for one in findings if one.kind == "attribute" and one.verdict == "ok"}
    total = _together([columns[name] for name in columns if name in kept], known)
    if total is not None:
        findings.append(_of_total(ALL, total))
    return Audit(
        target=split.target,
        cut=split.cut,
        clock=info.clock,
        leads=len(known),
        won=int(known.won.sum()),
        lost=int(known.lost.sum()),
        open=known.open,
        types=types.seen,
        findings=_sorted(findings),
        horizon_source=None if split.horizon_us is None else split.horizon_source,
    )


def _with_company(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Look at every column beside those that are suspect by themselves."""
    suspects = {name: column.held for name, column in columns.items() if column.signs}
    found = {
        name: company(column.held, {other: held for other, held in suspects.items() if other != name})
        for name, column in columns.items()
    }
    return {name: column if (own := found[name]) is None else column.beside(own) for name, column in columns.items()}


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (-RANK[one.verdict], one.kind, one.name)))


def _of_attribute(attribute: Attribute, column: Column, known: Known, followed: Collection[str]) -> Finding:
    """Judge an attribute: what the mapping declares counts, else the numbers.

    `changes` declares nothing where no change is recorded: the only value that there is was written nobody knows when.
    """
    suggested, why = _judged(column.signs, _as_far_as_asked(known))
    verdict = suggested
    empty = attribute.known_at == "changes" and attribute.name not in followed
    if attribute.known_at != "unknown" and not empty:
        verdict = "ok"
        told = "known at creation" if attribute.known_at == "creation" else "followed by its recorded changes"
        why = f"declared {told}" + ("" if suggested == "ok" else f", though the numbers suggest a {suggested}: {why}")
    elif suggested == "ok" and not known.events():
        verdict = "suspect"
        why = (
            f"nothing can be said of it: {_outcomes(known)} before the cut, and it takes {LEAST} of a kind and {LEAST} "
            "others; declare `known_at` in the mapping or allow it"
        )
    elif suggested == "ok":
        why = f"{why}; it is taken as known at creation"
    if empty:
        why = f"declared `known_at: changes`, but no change of it is recorded before the cut: {why}"
    return Finding("attribute", attribute.name, verdict, why, column.evidence, attribute.known_at, suggested)


def _judged(signs: Collection[Sign], nothing: str = NOTHING) -> tuple[Verdict, str]:
    """Give the worst verdict and the sentence of the first sign that gives it, with how many more there are.

    Args:
        signs: what speaks against it.
        nothing: what is said where there is none.
    """
    if not signs:
        return "ok", nothing
    worst = max(signs, key=lambda sign: RANK[sign.verdict])
    more = len(signs) - 1
    return worst.verdict, worst.why + (f" (and {more} more)" if more else "")


def _as_far_as_asked(known: Known) -> str:
    """Say that nothing speaks against a column, and what it was not asked for want of outcomes."""
    if "won" in known.events():
        return NOTHING
    return f"{NOTHING}, but who wins could not be asked: {_outcomes(known)} before the cut"


def _outcomes(known: Known) -> str:
    return f"{int(known.won.sum()):,} leads were won, {int(known.lost.sum()):,} lost and {known.open:,} open"


def _of_type(name: str, found: TypeEvidence, decided: int) -> Finding:
    """Judge an activity type; where hardly a lead was decided, nobody knows what comes at an outcome."""
    sign = audit_signs.of_type(found)
    few = f"nothing can be said of it: {decided} leads were won or lost more than three days after their creation"
    verdict, why = _judged([] if sign is None else [sign], NOTHING if decided >= LEAST else few)
    return Finding("type", name, verdict, why, asdict(found), None, verdict)


def _orders(known: Known) -> list[Finding]:
    """Judge the order of the rows and of the ids: nothing reads them, but they tell how the export was made."""
    own = known.frame["lead_id"].str.extract(_DIGITS).cast(pl.Float64, strict=False)
    positions: dict[str, Floats] = {ROWS: np.arange(len(known), dtype=np.float64)}
    if own.null_count() == 0:
        positions[IDS] = own.to_numpy()
    findings = []
    for name, position in positions.items():
        found = moved(position, known) if known.timed else along(position, known)
        if found is not None:
            sign = audit_signs.of_order(found)
            verdict, why = _judged([] if sign is None else [sign], _as_far_as_asked(known))
            findings.append(Finding("order", name, verdict, why, {"moved_auc": found.auc}, None, verdict))
    return findings


def _together(columns: Collection[Column], known: Known) -> float | None:
    """Give the AUC of the sum of what the columns say (naive Bayes, cross-fitted); None where it is not defined."""
    parts = [column.log_odds for column in columns if column.log_odds is not None]
    return of_score(np.sum(parts, axis=0), known.won[known.judged], known.part) if parts else None


def _of_total(name: str, auc: float) -> Finding:
    sign = audit_signs.of_total(auc)
    verdict, why = _judged([] if sign is None else [sign])
    return Finding("model", name, verdict, why, {"auc": auc}, None, verdict)
