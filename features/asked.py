"""Which snapshots a table of features is asked to have: at fixed ages, on activity, or at one instant."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import polars as pl

from features import snapshots
from features.snapshots import SCHEDULED_AGES
from features.tables import Tables
from leadlight.errors import WorkspaceError


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that has an answer for every record.

    Attributes:
        which: `ages` after creation, `activity` (one a day on which a lead was active), or `instant`.
        ages_us: for `ages`: µs.
        as_of: for `instant`: µs UTC; None = the end of the record.
        start: µs UTC; no snapshot before it; None = from the beginning.
        end: µs UTC; no snapshot at or after it; None = up to the end of the record and with it.
    """

    which: Literal["ages", "activity", "instant"] = "ages"
    ages_us: tuple[int, ...] = SCHEDULED_AGES
    as_of: int | None = None
    start: int | None = None
    end: int | None = None

    def span(self, observed_until: int) -> tuple[int, int]:
        """Give where the snapshots lie: from (inclusive) and to (exclusive), µs UTC."""
        start = -(2**62) if self.start is None else self.start
        return start, observed_until + 1 if self.end is None else self.end

    def snapshots(self, tables: Tables, observed_until: int) -> pl.DataFrame:
        """Give the snapshots: lead_id, as_of (int64 µs).

        Args:
            tables: Polars tables.
            observed_until: µs UTC; how far their record is complete.
        """
        if self.which == "instant":
            return snapshots.at(tables, observed_until if self.as_of is None else self.as_of)
        span = self.span(observed_until)
        if self.which == "activity":
            return snapshots.on_activity(tables, *span)
        return snapshots.scheduled(tables, self.ages_us, *span).select("lead_id", "as_of")

    def moves(self, before: int, until: int) -> bool:
        """Whether every snapshot becomes another one as the end of the record moves from `before` to `until`."""
        return self.which == "instant" and self.as_of is None and before != until

    def due(self, tables: Tables, before: int, until: int) -> pl.DataFrame:
        """Give the snapshots that time alone brings, whatever becomes of the record, as the end of the record moves.

        Snapshots on activity come with their activities, and one at a given instant does not move: there are none.

        Args:
            tables: Polars tables.
            before: µs UTC; how far the record was complete.
            until: µs UTC; how far it is now, not earlier.

        Returns:
            Columns lead_id, as_of (int64 µs).
        """
        (start, first), (_, end) = self.span(before), self.span(until)
        if self.which != "ages" or first >= end:
            return pl.DataFrame(schema={"lead_id": pl.String, "as_of": pl.Int64})
        return snapshots.scheduled(tables, self.ages_us, max(start, first), end).select("lead_id", "as_of")

    def to_json(self) -> dict[str, Any]:
        """Give the question as JSON."""
        return asdict(self) | {"ages_us": list(self.ages_us)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            WorkspaceError: it is something else.
        """
        try:
            return cls(**(data | {"ages_us": tuple(data["ages_us"])}))
        except (KeyError, TypeError) as damaged:
            raise WorkspaceError(f"which snapshots a table has is damaged ({damaged}); build it anew") from damaged
