"""Staged rows and the previous generation -> the next generation, every row accounted for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from leadlight.ingest import order_clock, touched
from leadlight.ingest.merge import STATUS, Merged, merge, upsert
from leadlight.ingest.report import Retried, TableReport
from leadlight.ingest.staging import FILE, ORIGIN, OUT, QUARANTINE, RETRIED, ROW, Staging
from leadlight.ingest.store import Previous, Tables
from leadlight.ingest.transform import DTYPES, ORDER
from leadlight.schema import KEYS, TABLES, TableName
from leadlight.workspace import Attribute

UNKNOWN_LEAD: Final = "unknown lead (waits for it)"
TOO_EARLY: Final = "entered before the lead was created (waits for a correction of either)"
_FROM_TABLES: Final = "(tables)"  # file (row 0) of a stored row that a corrected lead sent to quarantine
_DEPENDENT: Final[tuple[TableName, ...]] = ("activities", "stages", "attribute_changes")


@dataclass(slots=True)
class Accounts:
    """Who staged what: names of files by index, and the report of each output and file.

    Attributes:
        names: file names; those of waiting rows first.
        tables: (output, file) -> its report.
        hashed: outputs of activities without an id column.
        retried: what becomes of rows that waited.
    """

    names: list[str] = field(default_factory=list)
    tables: dict[tuple[int, int], TableReport] = field(default_factory=dict)
    hashed: list[int] = field(default_factory=list)
    retried: Retried = field(default_factory=Retried)

    def file(self, name: str) -> int:
        """Give the index of a file name, a new one at the end."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def count(self, fates: pl.DataFrame) -> None:
        """Book what `merge` or `upsert` made of staged rows."""
        for out, file, status, number in fates.select(OUT, FILE, STATUS, "len").iter_rows():
            report = self.retried if out <= RETRIED else self.tables[out, file]
            setattr(report, status, getattr(report, status) + number)

    def wait(self, rows: pl.DataFrame, cause: str) -> None:
        """Book rows that are sent to wait."""
        for out, file, number in rows.group_by(OUT, FILE).len().iter_rows():
            if out <= RETRIED:
                self.retried.waiting += number
            else:
                self.tables[out, file].quarantine(cause, number)


def stage_waiting(previous: Previous, staging: Staging, accounts: Accounts) -> None:
    """Stage the rows that wait in quarantine, to be tried again before the new ones."""
    waiting = previous.tables.rows["quarantine"].filter(pl.col("waiting")).sort("file", "row").collect()
    accounts.retried.rows = len(waiting)
    for name in waiting["file"].unique(maintain_order=True):
        accounts.file(name)
    for table in _DEPENDENT:
        rows = waiting.filter(pl.col("table") == table)
        schema = pl.Struct({column: DTYPES[kind] for column, kind in TABLES[table].items()})
        again = pl.int_range(pl.len(), dtype=pl.Int32).over("file", "row").alias("again")
        typed = rows.select("file", pl.col("row").alias(ROW), again, pl.col("content").str.json_decode(schema))
        for (name, turn), part in typed.group_by("file", "again", maintain_order=True):
            # Two rows of one place (two versions of a file) are told apart by the number of their output.
            unpacked = part.drop("file", "again").unnest("content")
            staging.add(table, unpacked, RETRIED - int(str(turn)), accounts.file(str(name)))


def next_tables(
    previous: Previous, staging: Staging, accounts: Accounts, *, attributes: Sequence[Attribute], ordered: bool
) -> Tables:
    """Merge everything.

    Args:
        previous: what is stored.
        staging: what was read.
        accounts: gets the fate of every staged row.
        attributes: of leads, as the mapping says; their columns are there even if no lead was read.
        ordered: whether the clock is `order`.
    """
    old = previous.tables.rows
    leads, order = _leads(previous, staging, accounts, ordered=ordered)
    leads = leads.with_columns(
        pl.lit(None, dtype=pl.Float64 if attribute.kind == "number" else pl.String).alias(attribute.name)
        for attribute in attributes
        if attribute.name not in leads.columns
    )
    companies, fates = upsert(old["accounts"].collect(), staging.outputs("accounts"), "account_id")
    accounts.count(fates)
    created = leads.lazy().select("lead_id", pl.col("created_at").alias("__created__"))
    rows: dict[str, pl.LazyFrame] = {"leads": leads.lazy(), "accounts": companies.lazy()}
    changed: dict[TableName, pl.LazyFrame] = {}
    for table in _DEPENDENT:
        merged = _dependent(table, old[table], staging, accounts, created, ordered=ordered)
        rows[table] = merged.rows
        changed[table] = merged.changed
    rows["quarantine"] = _quarantine(old["quarantine"], staging, accounts)
    return Tables(rows, order, touched.leads(old["leads"].collect(), leads, changed, ordered=ordered))


def _leads(
    previous: Previous, staging: Staging, accounts: Accounts, *, ordered: bool
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    stored = previous.tables.rows["leads"].collect()
    if ordered:
        known = previous.tables.order
        order = known if known is not None else pl.DataFrame(schema={"lead_id": pl.String, ORDER: pl.Float64})
        stored = stored.join(order, on="lead_id", how="left")
    leads, fates = upsert(stored, staging.outputs("leads"), "lead_id")
    accounts.count(fates)
    if not ordered:
        return _columns_first(leads, "leads"), None
    leads = leads.with_columns(order_clock.created_at(pl.col(ORDER)).alias("created_at"))
    return _columns_first(leads.drop(ORDER), "leads"), leads.select("lead_id", ORDER)


def _columns_first(frame: pl.DataFrame, table: TableName) -> pl.DataFrame:
    core = list(TABLES[table])
    return frame.select(*core, *(name for name in frame.columns if name not in core))


def _dependent(
    table: TableName,
    old: pl.LazyFrame,
    staging: Staging,
    accounts: Accounts,
    created: pl.LazyFrame,
    *,
    ordered: bool,
) -> Merged:
    columns = list(TABLES[table])
    new = staging.scan(table)
    if table == "activities" and accounts.hashed:
        new = _with_ordinals(new, accounts.hashed)
    _send_to_wait(table, new.join(created, on="lead_id", how="anti"), UNKNOWN_LEAD, staging, accounts)
    new = new.join(created, on="lead_id", how="semi")
    if table == "stages" and ordered:
        constant = pl.lit(0, dtype=pl.Int64).alias("entered_at")
        old, new = old.with_columns(constant), new.with_columns(constant)
    elif table == "stages":
        old, new = _not_too_early(old, new, created, staging, accounts)
    merged = merge(old, new, KEYS[table], columns)
    accounts.count(merged.fates)
    if table == "stages" and ordered:
        after = (pl.col("__created__") + order_clock.OUTCOME_AFTER).alias("entered_at")
        return replace(merged, rows=merged.rows.join(created, on="lead_id").with_columns(after).select(columns))
    return merged


def _not_too_early(
    old: pl.LazyFrame, new: pl.LazyFrame, created: pl.LazyFrame, staging: Staging, accounts: Accounts
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Send stage entries that lie before their lead's creation to quarantine."""
    early = pl.col("entered_at") < pl.col("__created__")
    dated = new.join(created, on="lead_id")
    _send_to_wait("stages", dated.filter(early).drop("__created__"), TOO_EARLY, staging, accounts)
    stored = old.join(created, on="lead_id")
    origin = [pl.lit(None, dtype=kind).alias(name) for name, kind in ORIGIN.items()]
    moved = stored.filter(early).select(*TABLES["stages"], *origin).collect()
    staging.refuse(_waiting_rows("stages", moved, TOO_EARLY, [_FROM_TABLES]))
    return stored.filter(~early).drop("__created__"), dated.filter(~early).drop("__created__")


def _send_to_wait(table: TableName, rows: pl.LazyFrame, cause: str, staging: Staging, accounts: Accounts) -> None:
    waiting = rows.collect(engine="streaming")
    accounts.wait(waiting, cause)
    staging.refuse(_waiting_rows(table, waiting, cause, accounts.names))


def _waiting_rows(table: TableName, rows: pl.DataFrame, cause: str, names: list[str]) -> pl.DataFrame:
    index = pl.DataFrame({FILE: pl.Series(range(len(names)), dtype=pl.Int32), "file": names})
    return rows.join(index, on=FILE, how="left", maintain_order="left").select(
        pl.col("file").fill_null(_FROM_TABLES),
        pl.col(ROW).fill_null(0).alias("row"),
        pl.lit(table).alias("table"),
        pl.lit(cause).alias("cause"),
        pl.lit(value=True).alias("waiting"),
        pl.struct(list(TABLES[table])).struct.json_encode().alias("content"),
    )


def _with_ordinals(rows: pl.LazyFrame, hashed: list[int]) -> pl.LazyFrame:
    """Complete ids that are content hashes by the ordinal among identical rows of one file, in the file's order."""
    without_id = pl.col(OUT).is_in(hashed)
    ids = rows.filter(without_id).select(*ORIGIN, "activity_id").collect(engine="streaming")
    again = ids.filter(pl.struct(FILE, "activity_id").is_duplicated()).sort(FILE, ROW, OUT)
    ordinals = again.select(*ORIGIN, pl.int_range(pl.len(), dtype=pl.Int64).over(FILE, "activity_id").alias("n"))
    ordinal = pl.col("n").fill_null(0).cast(pl.String)
    return (
        rows.join(ordinals.lazy(), on=list(ORIGIN), how="left")
        .with_columns(
            pl.when(without_id)
            .then(pl.concat_str("activity_id", pl.lit("."), ordinal))
            .otherwise("activity_id")
            .alias("activity_id")
        )
        .drop("n")
    )


def _quarantine(old: pl.LazyFrame, staging: Staging, accounts: Accounts) -> pl.LazyFrame:
    """Keep refused rows of files that were not read again, and add the new ones; waiting ones were tried anew."""
    read_again = {accounts.names[file] for _, file in accounts.tables}
    kept = old.filter(~pl.col("waiting") & ~pl.col("file").is_in(sorted(read_again)))
    identity = ["file", "row", "table", "cause", "content"]
    return pl.concat([kept.select(list(QUARANTINE)), staging.refused()]).unique(subset=identity, keep="first")
