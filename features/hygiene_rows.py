"""The rows of a log that the rules of hygiene have to look at: few of many.

A rule about seconds concerns only rows that have another row of their lead near them. In any frame those are found
with a window; in a Polars log that stands by lead and time, as ingestion writes it, by one comparison with the row
before, in one reading of the file for all rules. There a row's place stands for its id: both say the same about
equal instants of a lead, and ids are the dearest column to read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import narwhals as nw

from features.hygiene_settings import HygieneSettings
from leadlight.schema import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    import polars as pl

# In what duplicates agree, and what the rules about seconds read of a row.
SAME: Final = ("lead_id", "type", "actor", "content", "detail")
READ: Final = ("activity_id", "lead_id", "type", "occurred_at", "received_at", "actor", "content", "detail")
_START: Final = "__start"


def settled(frame: Any) -> Any:
    """Compute a small frame now, so that what builds on it does not compute (or plan) it again and again."""
    native = nw.to_native(frame)
    if frame.implementation is nw.Implementation.POLARS:
        return nw.from_native(native.lazy().collect(engine="streaming").lazy())
    if frame.implementation is nw.Implementation.DUCKDB:
        from features.engines import duckdb  # noqa: PLC0415  (only where its frames are)

        return nw.from_native(duckdb.settled(native))  # a table: what the engine builds on it is written down as SQL
    if frame.implementation is nw.Implementation.PYSPARK:
        return nw.from_native(native.localCheckpoint())
    return frame


def beside(rows: Any, places: int, of: Sequence[str], by: Sequence[str], columns: Sequence[str]) -> Any:
    """Add what stands some places before a row (after it: negative), null where nothing does.

    Args:
        rows: a frame.
        places: how many rows away.
        of: columns in which rows agree that are counted together; the first is never null.
        by: their order.
        columns: what to add, each with `__` before its name.
    """
    if rows.implementation is not nw.Implementation.POLARS:
        found = {f"__{name}": nw.col(name).shift(places).over(*of, order_by=by) for name in columns}
        return rows.with_columns(**found)
    import polars as pl  # noqa: PLC0415

    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(places)) for name in of)
    ordered = nw.to_native(rows).lazy().sort(*of, *by)  # windows give the same, and cost more
    values = [pl.when(same).then(pl.col(name).shift(places)).alias(f"__{name}") for name in columns]
    return nw.from_native(ordered.with_columns(values))


def duplicate_width(settings: HygieneSettings) -> int:
    """Give within how many µs rows may be duplicates."""
    return round((settings.duplicate_seconds or 0.0) * MICROSECONDS_PER_SECOND)


def open_width(settings: HygieneSettings) -> int:
    """Give within how many µs of its mail a click is suspect."""
    return round((settings.click_before_open_seconds or 0.0) * MICROSECONDS_PER_SECOND)


def burst_width(settings: HygieneSettings) -> int:
    """Give within how many µs clicks may be of one burst."""
    return ((settings.burst_seconds or 0) + 1) * MICROSECONDS_PER_SECOND


def mail_types(settings: HygieneSettings) -> list[str]:
    """Give the types that the rules about mails look at."""
    return sorted({*settings.sent_types, *settings.open_types, *settings.click_types})


class AnyRows:
    """The rows of a log of any engine, in any order.

    Attributes:
        activities: the log.
        settings: of hygiene.
    """

    def __init__(self, activities: Any, settings: HygieneSettings) -> None:
        self.activities = activities
        self.settings = settings

    def none(self) -> Any:
        """Give no row."""
        return self.activities.head(0)

    def where(self, condition: Any) -> Any:
        """Give the rows of which something holds: `activity_id`, and maybe more."""
        return self.activities.filter(condition)

    def where_text(self, condition: Any, column: str, matches: Any) -> Any:
        """Give the rows of which something holds, and something that a text column alone decides."""
        del column
        return self.activities.filter(condition & matches)

    def too_early(self, leads: Any, margin: int) -> Any:
        """Give the rows of more than `margin` µs before their lead was created."""
        newest = leads.select(nw.col("created_at").max()).collect()["created_at"].to_list()[0]
        if newest is None:
            return self.activities.head(0)
        old = self.activities.filter(nw.col("occurred_at") < newest - margin)
        old = old.select("activity_id", "lead_id", "occurred_at")
        created = leads.select("lead_id", "created_at")
        return old.join(created, on="lead_id").filter(nw.col("occurred_at") < nw.col("created_at") - margin)

    def repeats(self) -> Any:
        """Give the rows near enough to another one of their lead to be duplicates."""
        return self._near(self.activities, duplicate_width(self.settings))

    def mails(self) -> Any:
        """Give the rows about mails near enough to another one for a click to be a gate's."""
        return self._near(self._of_types(mail_types(self.settings)), open_width(self.settings))

    def clicks(self) -> Any:
        """Give the clicks near enough to another one to be of a burst."""
        return self._near(self._of_types(self.settings.click_types), burst_width(self.settings))

    def of_mails(self, mails: Any) -> Any:
        """Give all rows about some mails (lead_id, content)."""
        return self._of_types(mail_types(self.settings)).join(mails, on=["lead_id", "content"], how="semi")

    def _of_types(self, types: Sequence[str]) -> Any:
        return self.activities.filter(nw.col("type").is_in(list(types)))

    @staticmethod
    def _near(rows: Any, width: int) -> Any:
        at = nw.col("occurred_at")
        order = ["occurred_at", "activity_id"]
        gaps = rows.select("activity_id", "lead_id", "occurred_at").with_columns(
            __before=at.shift(1).over("lead_id", order_by=order), __after=at.shift(-1).over("lead_id", order_by=order)
        )
        near = (~nw.col("__before").is_null() & (at - nw.col("__before") <= width)) | (
            ~nw.col("__after").is_null() & (nw.col("__after") - at <= width)
        )
        return rows.join(settled(gaps.filter(near).select("activity_id")), on="activity_id", how="semi")


class OrderedRows:
    """The rows of a Polars log in which every lead's activities stand together, by instant and id.

    Attributes:
        log: the log; the place of a row, from 0 on, is its `activity_id`.
        settings: of hygiene.
    """

    def __init__(self, activities: "pl.LazyFrame", settings: HygieneSettings) -> None:
        import polars as pl  # noqa: PLC0415  (here and below: Polars only where its frames are)

        from features.engines.polars import begins  # noqa: PLC0415

        self.settings = settings
        self._plain = activities
        self.log = activities.drop("activity_id", strict=False).with_row_index("activity_id")
        columns = self.log.select(READ)
        mails = columns.filter(pl.col("type").is_in(mail_types(settings)))
        self._starts, self._repeats, self._mails = pl.collect_all(
            [
                self.log.filter(begins("lead_id")).select(
                    "lead_id", "occurred_at", pl.col("activity_id").alias(_START)
                ),
                columns.filter(_near(duplicate_width(settings))),
                mails.filter(_near(max(open_width(settings), burst_width(settings)))),
            ],
            engine="streaming",
        )

    def none(self) -> Any:
        """See `AnyRows`."""
        return nw.from_native(self.log.select(READ).head(0))

    def where(self, condition: Any) -> Any:
        """See `AnyRows`; without places, rows may be counted by what the file says of them."""
        found = nw.from_native(self._plain).filter(condition).select(nw.len())
        return nw.from_native(self.log).filter(condition) if found.collect().item() else self.none()

    def where_text(self, condition: Any, column: str, matches: Any) -> Any:
        """See `AnyRows`."""
        texts = nw.from_native(self._plain).filter(condition).select(column).unique()  # few are different
        found = nw.to_native(texts.filter(matches)).collect(engine="streaming")[column]
        return self.where(condition & nw.col(column).is_in(found.to_list()))

    def too_early(self, leads: Any, margin: int) -> Any:
        """See `AnyRows`; a lead's first activity says whether to look at the others."""
        import polars as pl  # noqa: PLC0415

        created = nw.to_native(leads).select("lead_id", "created_at")
        early = pl.col("occurred_at") < pl.col("created_at") - margin
        concerned = self._starts.lazy().join(created, on="lead_id").filter(early).collect()["lead_id"]
        rows = self._of_leads(concerned, "lead_id", "occurred_at")
        return nw.from_native(rows.join(created, on="lead_id").filter(early))

    def repeats(self) -> Any:
        """See `AnyRows`; what is like no other of these rows is left out."""
        import polars as pl  # noqa: PLC0415

        same = self._repeats.group_by(SAME).len().filter(pl.col("len") > 1)
        return nw.from_native(self._repeats.lazy().join(same.lazy(), on=SAME, how="semi", nulls_equal=True))

    def mails(self) -> Any:
        """See `AnyRows`; some are a little farther away, and of mails that were not both sent and followed none are."""
        import polars as pl  # noqa: PLC0415

        rows, mail = self._mails.lazy(), ["lead_id", "content"]
        sent = rows.filter(pl.col("type").is_in(self.settings.sent_types))
        clicked = rows.filter(pl.col("type").is_in(self.settings.click_types))
        both = sent.join(clicked, on=mail, how="semi").select(mail).unique()
        return nw.from_native(rows.join(both, on=mail, how="semi"))

    def clicks(self) -> Any:
        """See `AnyRows`."""
        import polars as pl  # noqa: PLC0415

        clicks = self._mails.lazy().filter(pl.col("type").is_in(self.settings.click_types))
        return nw.from_native(clicks.filter(_near(burst_width(self.settings))))

    def of_mails(self, mails: Any) -> Any:
        """See `AnyRows`."""
        import polars as pl  # noqa: PLC0415

        wanted = nw.to_native(mails)
        columns = [name for name in READ if name not in {"activity_id", "actor", "detail"}]
        rows = self._of_leads(wanted.select("lead_id").unique().collect()["lead_id"], *columns)
        rows = rows.filter(pl.col("type").is_in(mail_types(self.settings)))
        return nw.from_native(rows.join(wanted, on=["lead_id", "content"], how="semi"))

    def _of_leads(self, leads: "pl.Series", *columns: str) -> "pl.LazyFrame":
        """Read all rows of some leads; their places follow from where each lead begins."""
        import polars as pl  # noqa: PLC0415

        if not len(leads):
            return self.log.select("activity_id", *columns).head(0)
        rows = self._plain.filter(pl.col("lead_id").is_in(leads.implode())).select(columns)
        rows = (
            rows.collect(engine="streaming")
            .lazy()
            .join(self._starts.lazy().select("lead_id", _START), on="lead_id", maintain_order="left")
        )
        place = (pl.col(_START) + pl.int_range(pl.len(), dtype=pl.UInt32).over("lead_id")).alias("activity_id")
        return rows.with_columns(place).drop(_START)


def _near(width: int) -> "pl.Expr":
    """Whether the row before or after, of rows in order, is of the same lead and at most `width` µs away."""
    import polars as pl  # noqa: PLC0415

    from features.engines.polars import begins  # noqa: PLC0415

    at = pl.col("occurred_at")
    before = ~begins("lead_id") & (at - at.shift() <= width)
    return before | before.shift(-1, fill_value=False)
