"""The record of one lead as arrays: what online features, rule ledgers and the service read. No pandas, no Arrow."""

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import LARGEST_NUMBER

Instants = NDArray[np.int64]
Texts = NDArray[np.object_]

# `received_at` of an activity that was known at once: earlier than every as_of.
KNOWN_AT_ONCE: Final = np.iinfo(np.int64).min
# A text that is a number, whole: digits of ASCII, no spaces. What else Python reads as one the engines do not.
NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER: Final = re.compile(NUMBER)
# Whole numbers from here (inclusive) to there (exclusive) fit in 64 bits.
WHOLE_FROM: Final = -(2.0**63)
WHOLE_TO: Final = 2.0**63


def text(value: str | float | bool | None) -> str | None:
    """Give the value of an attribute as text, by the rule of `leadlight.measures`; None for null and NaN.

    >>> text("x"), text(14.0), text(14), text(1e-05), text(1e16), text(-0.0), text(True), text(float("nan"))
    ('x', '14', '14', '1e-05', '10000000000000000', '0', 'true', None)
    """
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    whole = not isinstance(value, float) or (WHOLE_FROM <= value < WHOLE_TO and value.is_integer())
    return str(int(value)) if whole else repr(float(value))


def number(value: str | float | bool | None) -> float:
    """Read the value of an attribute as a number; null (NaN) is a text that is none, and what lies beyond ±10^15.

    >>> number("1e3"), number("1_000"), number("1e16"), number(True)
    (1000.0, nan, nan, nan)
    """
    if value is None or isinstance(value, bool) or (isinstance(value, str) and _NUMBER.fullmatch(value) is None):
        return math.nan
    found = float(value)
    return found if abs(found) <= LARGEST_NUMBER else math.nan


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as numbers: `words[codes[i]]` is the value of row i; the words differ from each other.

    Attributes:
        codes: shape (n,).
        words: None first (code 0 is null), then in the order of their first row; where several columns were coded
            together, tuples, without any for null.
    """

    codes: NDArray[np.intp]
    words: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities of one lead, shape (n,) each, sorted by (occurred_at, activity_id); instants in µs UTC.

    A text is None where the table has null, `value` is NaN, `received_at` is `KNOWN_AT_ONCE`. `memo` keeps what was
    derived from the arrays (see `coded`), so that a record that is read at many instants is encoded once.
    """

    activity_id: Texts
    type: Texts
    occurred_at: Instants
    received_at: Instants
    actor: Texts
    channel: Texts
    content: Texts
    detail: Texts
    value: NDArray[np.float64]
    memo: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Give the number of activities."""
        return len(self.occurred_at)

    def known_before(self, as_of: int) -> NDArray[np.bool_]:
        """Mask the activities that count at `as_of`: occurred before it, and known before it."""
        return (self.occurred_at < as_of) & (self.received_at < as_of)

    def coded(self, *columns: str) -> Coded:
        """Give one column of texts, or several together, as codes; computed once."""
        found: Coded | None = self.memo.get(columns)
        if found is None:
            lists = [getattr(self, column).tolist() for column in columns]
            values, first = (lists[0], [None]) if len(lists) == 1 else (list(zip(*lists, strict=True)), [])
            places = {value: place for place, value in enumerate(dict.fromkeys(first + values))}
            codes = np.fromiter(map(places.__getitem__, values), np.intp, len(values))
            found = self.memo[columns] = Coded(codes, tuple(places))
        return found

    def last_received(self) -> int:
        """Give the newest `received_at`, `KNOWN_AT_ONCE` where all were known at once; computed once."""
        found: int | None = self.memo.get("last_received")
        if found is None:
            found = self.memo["last_received"] = int(self.received_at.max(initial=KNOWN_AT_ONCE))
        return found

    def values_or_zero(self) -> NDArray[np.float64]:
        """Give the values with 0 for what is null or beyond ±10^15; computed once."""
        found: NDArray[np.float64] | None = self.memo.get("values")
        if found is None:
            found = self.memo["values"] = np.where(np.abs(self.value) <= LARGEST_NUMBER, self.value, 0.0)
        return found

    def take(self, places: NDArray[np.intp]) -> "Activities":
        """Give some of the activities; `places` ascend."""
        columns = (column.name for column in fields(self) if column.init)
        return Activities(**{name: getattr(self, name).take(places) for name in columns})

    @classmethod
    def from_rows(cls, rows: list[Mapping[str, object]]) -> "Activities":
        """Build from rows with the columns of the `activities` table, instants as int µs (received_at may be None)."""
        ordered = sorted(rows, key=lambda row: (row["occurred_at"], str(row["activity_id"])))
        received = [row.get("received_at") for row in ordered]
        values = [row.get("value") for row in ordered]

        def texts(column: str) -> Texts:
            out = np.empty(len(ordered), dtype=object)
            out[:] = [row.get(column) for row in ordered]
            return out

        return cls(
            activity_id=texts("activity_id"),
            type=texts("type"),
            occurred_at=np.array([row["occurred_at"] for row in ordered], dtype=np.int64),
            received_at=np.array([KNOWN_AT_ONCE if at is None else at for at in received], dtype=np.int64),
            actor=texts("actor"),
            channel=texts("channel"),
            content=texts("content"),
            detail=texts("detail"),
            value=np.array([np.nan if value is None else value for value in values], dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One entry into a stage; `entered_at` in µs UTC."""

    stage: str
    entered_at: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One change of an attribute; `changed_at` in µs UTC. Without a `value` it was cleared."""

    field: str
    changed_at: int
    old_value: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that is recorded of one lead; functions that read it ignore what lies at or after their as_of.

    `attributes` holds a text, a number or None per column of `leads` that is used; `stages` and `changes` are
    sorted by time, with at most one change of an attribute at one instant.
    """

    lead_id: str
    created_at: int
    attributes: Mapping[str, str | float | None]
    activities: Activities
    stages: tuple[StageEntry, ...] = ()
    changes: tuple[AttributeChange, ...] = field(default=())

    def attribute(self, name: str, as_of: int) -> str | float | None:
        """Give an attribute's value at `as_of`.

        It is the last change before as_of, None where that cleared it; before the first change its old_value;
        without any change the value of the lead.
        """
        first: AttributeChange | None = None
        current: str | None = None
        changed = False
        for change in self.changes:
            if change.field != name:
                continue
            first = first or change
            if change.changed_at < as_of:
                current, changed = change.value, True
        if changed:
            return current
        return first.old_value if first is not None else self.attributes.get(name)
