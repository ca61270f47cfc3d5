"""Tables in chunks of whole companies, so that the memory that features need does not grow with the log.

A lead's features look at its own record and at its colleagues', so a company is the smallest part that can be computed
alone. Where activities lie together by company (as ingestion writes them) a chunk is a slice of the file; where they do
not, there is one chunk with everything in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from features.engines.polars import begins
from features.expressions.frame import columns_of
from features.sifted import Sifted
from features.tables import Tables
from leadlight.spec import FeatureSpec

# Per chunk. They bound the memory, and spread what planning a chunk costs.
ACTIVITIES: Final = 5_000_000
MEETINGS: Final = 25_000_000  # of activities with snapshots, had every lead the mean number of snapshots
_CHUNK: Final = "__chunk"
_NUMBER: Final = "__lead"
_PLACE: Final = "__place"  # where a lead's activities begin


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some companies: their tables, and their snapshots in the order of the log.

    Attributes:
        tables: Polars lazy frames; `lead_id` is a number in them, in the order of the ids (texts cost more to compare).
        rows: lead_id (that number), as_of, `id` (the lead's own id), `position` among all snapshots.
        activities: how many activities the slice has, those that were set aside counted too.
    """

    tables: Tables
    rows: pl.DataFrame
    activities: int


def split(
    tables: Tables, snapshots: pl.DataFrame, specs: Sequence[FeatureSpec], size: int | None = None
) -> Iterator[Chunk]:
    """Cut tables and snapshots into chunks.

    Args:
        tables: Polars frames.
        snapshots: lead_id, as_of.
        specs: what will be computed: only columns that it needs are read.
        size: activities per chunk, exceeded by less than one company; None = as the number of snapshots allows.
    """
    tables = replace(
        tables,
        leads=tables.leads.lazy(),
        activities=tables.activities.lazy(),
        stages=tables.stages.lazy(),
        changes=tables.changes.lazy(),
    )
    asked = snapshots.lazy().select("lead_id", "as_of").with_row_index("position")
    log = Sifted.of_tables(tables)
    places = _places(log.log, tables.leads, size or _size(tables, snapshots)) if snapshots.height else None
    if places is None or places.is_empty():
        height = log.log.select(pl.len()).collect().item()
        yield Chunk(_read(tables, specs), _numbered(asked.collect(), snapshots), height)
        return
    where = places.lazy().select("lead_id", _CHUNK, _PLACE, _NUMBER)
    account = pl.col("account_id").cast(pl.Categorical).to_physical().cast(pl.Int64)
    records = (tables.leads.with_columns(account), tables.stages, tables.changes)
    rows, runs, leads, stages, changes = _parts(
        asked.join(where, on="lead_id", how="left").fill_null(0).sort(_PLACE, maintain_order=True),
        places.lazy().filter(pl.col("activities") > 0).sort(_PLACE),
        *(frame.join(where, on="lead_id", maintain_order="left") for frame in records),
    )
    spans = places.group_by(_CHUNK).agg(pl.col(_PLACE).min(), pl.col("activities").sum()).sort(_CHUNK)
    for chunk, start, length in spans.iter_rows():
        own = rows[chunk]
        if own.height:
            own_log = log.part(start, length, lead_id=_numbers(runs[chunk]))  # the ids themselves are not read again
            own_stages, own_changes = stages[chunk].lazy(), changes[chunk].lazy()
            part = Tables(leads[chunk].lazy(), own_log, own_stages, own_changes, in_order=tables.in_order)
            yield Chunk(_read(part, specs), _numbered(own, snapshots), length)


def _size(tables: Tables, snapshots: pl.DataFrame) -> int:
    leads = max(1, tables.leads.select(pl.len()).collect().item())
    return min(ACTIVITIES, max(1, int(MEETINGS * leads / snapshots.height)))


def _numbers(runs: pl.DataFrame) -> pl.Series:
    """Give the number of its lead for every activity, known from the leads' runs."""
    numbers = np.repeat(runs["lead_id"].to_numpy(), runs["activities"].to_numpy())
    return pl.Series(numbers, dtype=pl.Int64)


def _parts(*frames: pl.LazyFrame) -> list["_Parts"]:
    """Sort tables by chunk, all of them at once, and put numbers in the place of lead ids."""
    numbered = [frame.with_columns(pl.col(_NUMBER).alias("lead_id")).drop(_NUMBER, _PLACE) for frame in frames]
    return [_Parts(part) for part in pl.collect_all([frame.sort(_CHUNK, maintain_order=True) for frame in numbered])]


class _Parts:
    """A table that is sorted by chunk, in slices."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        lengths = frame.group_by(_CHUNK, maintain_order=True).len()
        ends = lengths["len"].cum_sum()
        self._spans = dict(zip(lengths[_CHUNK], zip(ends - lengths["len"], lengths["len"], strict=True), strict=True))

    def __getitem__(self, chunk: int) -> pl.DataFrame:
        start, length = self._spans.get(chunk, (0, 0))
        return self._frame.slice(start, length).drop(_CHUNK)


def _numbered(rows: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    ids = snapshots["lead_id"].gather(rows["position"]).alias("id")
    return rows.with_columns(ids)


def _read(tables: Tables, specs: Sequence[FeatureSpec]) -> Tables:
    """Read the columns of activities that specifications need, once."""
    needed = [spec for spec in specs if spec.facts.source in {"activities", "colleagues"}]
    if not needed:
        return tables
    ids = ["lead_id"] if tables.in_order else ["lead_id", "activity_id"]  # the latter orders equal instants
    columns = [*ids, "occurred_at", "received_at", *columns_of(needed)]
    log = tables.activities.select(columns).collect(engine="streaming")
    return replace(tables, activities=log.lazy())


def _places(log: pl.LazyFrame, leads: pl.LazyFrame, size: int) -> pl.DataFrame | None:
    """Say for every lead in which chunk it is, where its activities begin and how many they are.

    Args:
        log: all activities, those that were set aside too: so a chunk is a slice of the file.
        leads: all leads.
        size: activities per chunk.

    Returns:
        lead_id, `_CHUNK`, `_PLACE`, activities; None where activities do not lie together by company.
    """
    numbered = log.select("lead_id").with_row_index(_PLACE).cast({_PLACE: pl.Int64})
    runs = numbered.filter(begins("lead_id")).collect(engine="streaming")
    total = log.select(pl.len()).collect().item()
    members = leads.select("lead_id", company=pl.coalesce("account_id", "lead_id")).collect()
    active = runs.join(members, on="lead_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("company", "lead_id").alias("company"),
        activities=pl.col(_PLACE).shift(-1, fill_value=total) - pl.col(_PLACE),
    )
    companies = active.filter(begins("company"))
    if runs["lead_id"].n_unique() < runs.height or companies["company"].n_unique() < companies.height:
        return None
    chunk_of = companies.select("company", (pl.col(_PLACE) // size).alias(_CHUNK))
    idle = members.join(active, on="lead_id", how="anti").join(chunk_of, on="company", how="left")
    chunks = max(1, -(-total // size), -(-members.height // size))
    spread = ((pl.col("company").rank("dense") - 1) % chunks).cast(pl.Int64)  # chunk 0 is always there
    parts = [
        active.join(chunk_of, on="company").select("lead_id", _CHUNK, _PLACE, "activities"),
        idle.select(
            "lead_id",
            pl.coalesce(_CHUNK, spread).alias(_CHUNK),
            pl.lit(total, pl.Int64).alias(_PLACE),
            pl.lit(0, pl.Int64).alias("activities"),
        ),
    ]
    number = pl.col("lead_id").rank("dense").cast(pl.Int64).alias(_NUMBER)  # 0 is nobody
    together: pl.DataFrame = pl.concat(parts).with_columns(number)
    return together
