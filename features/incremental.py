"""Updating a table of features: only what new data can have changed is computed again.

A row depends on what was known before its as_of of its lead's company. So the rows of every company with a touched lead
are computed again, from the instant on from which something is different, and rows that were not asked for before; all
others are carried over as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from features import batch, hygiene_merges, store
from features.engines.base import Engine
from features.expressions.names import encoded, renamed
from features.hygiene_merges import Merge
from features.tables import Tables
from leadlight.ingest.touched import earliest
from leadlight.spec import FeatureSpec

# A table is written anew in one piece when so large a share of its parts is superseded: reading gets slower by then.
COMPACT_FROM: Final = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What an update has to do.

    Attributes:
        needed: lead_id, as_of (int64 µs) of the rows to compute.
        superseded: the same of the rows that no longer count.
    """

    needed: pl.DataFrame
    superseded: pl.DataFrame


def companies(tables: Tables, merges: Iterable[Merge] = ()) -> pl.DataFrame:
    """Give the company of every lead (columns lead_id, company); a lead without account is its own.

    A lead that was given up for another is one of the other's company.
    """
    frame: pl.DataFrame = nw.from_native(tables.leads).lazy().select("lead_id", "account_id").collect().to_polars()
    members = frame.select("lead_id", company=pl.coalesce("account_id", "lead_id"))
    ends = {lead: merge.into_lead_id for lead, merge in hygiene_merges.resolve(merges).items()}
    if not ends:
        return members
    into = pl.DataFrame({"lead_id": list(ends), "__into": list(ends.values())})
    of_end = members.select(__into="lead_id", __company="company")
    joined = members.join(into, on="lead_id", how="left").join(of_end, on="__into", how="left")
    return joined.select("lead_id", company=pl.coalesce("__company", "company"))


def whole(members: pl.DataFrame, leads: pl.Series) -> pl.Series:
    """Give all leads of the companies of some leads.

    Args:
        members: lead_id, company.
        leads: lead_ids; unknown ones are left out.
    """
    concerned = members.filter(pl.col("lead_id").is_in(leads.implode()))["company"].unique()
    return members.filter(pl.col("company").is_in(concerned.implode()))["lead_id"]


def companies_of(members: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """Give all leads of the companies with a touched lead, and since when something of their company is different.

    Args:
        members: lead_id, company.
        touched: lead_id, since (`leadlight.ingest.touched.leads`); unknown leads are left out.
    """
    concerned = earliest(touched.lazy().join(members.lazy(), on="lead_id").select("company", "since"), "company")
    return members.join(concerned, on="company").select("lead_id", "since")


def plan(old: pl.DataFrame, snapshots: pl.DataFrame, again: pl.DataFrame) -> Plan:
    """Find out what an update has to compute.

    Args:
        old: lead_id, as_of (int64 µs) of the table that is there. Rows of other leads than `again` may be left out here
            and in `snapshots`, if both have them.
        snapshots: the same of the table that is wanted.
        again: lead_id, since of all companies with a touched lead (see `companies_of`).
    """
    (wanted, due), (there, left) = _split(snapshots, again), _split(old, again)
    needed = [wanted, due.join(left, on=["lead_id", "as_of"], how="anti")]
    superseded = [there, left.join(due, on=["lead_id", "as_of"], how="anti")]
    return Plan(pl.concat(needed), pl.concat(superseded))


def _split(rows: pl.DataFrame, again: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split snapshots into those of which the record is different, and the others."""
    known = rows.select("lead_id", "as_of").join(again.with_columns(__again=True), on="lead_id", how="left")
    later = pl.col("since").is_null() | (pl.col("as_of") > pl.col("since"))
    different = pl.col("__again").fill_null(value=False) & later
    return (known.filter(different).select("lead_id", "as_of"), known.filter(~different).select("lead_id", "as_of"))


def restrict(engine: Engine, tables: Tables, leads: pl.Series, columns: Sequence[str] | None = None) -> Tables:
    """Keep the rows of some leads; Polars frames are read here, once.

    Args:
        engine: the engine of the tables.
        tables: native frames.
        leads: lead_ids.
        columns: of activities; None = all.
    """
    if not isinstance(tables.leads, pl.LazyFrame | pl.DataFrame):
        chosen = engine.rows(leads.to_frame("lead_id"))
        parts = (tables.leads, tables.activities, tables.stages, tables.changes)
        return Tables(*(_semi(part, chosen) for part in parts))
    among = pl.col("lead_id").is_in(leads.implode())
    kept = [frame.lazy().filter(among) for frame in (tables.leads, tables.activities, tables.stages, tables.changes)]
    kept[1] = kept[1] if columns is None else kept[1].select(columns)
    of_leads, log, stages, changes = (part.lazy() for part in pl.collect_all(kept))
    return Tables(of_leads, log, stages, changes, in_order=tables.in_order)


def _semi(frame: Any, leads: Any) -> Any:
    """Keep the rows of some leads, whatever the columns are named."""
    rows = nw.from_native(frame).lazy()
    columns = rows.collect_schema().names()
    chosen = encoded(rows).join(leads.lazy(), on="lead_id", how="semi")
    return nw.to_native(renamed(chosen, columns))


def write(
    engine: Engine,
    work: Plan,
    old: Path,
    *,
    tables: Tables,
    specs: Sequence[FeatureSpec],
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the updated table, but for its `features.json`.

    Args:
        engine: computes the rows.
        work: what to do.
        old: the table that is there.
        tables: native frames with the record of every company of which a row is computed.
        specs: those of the old table.
        folder: an existing empty folder.
        progress: told the number of activities of each finished part.
    """
    store.carry(old, folder, work.superseded)
    if len(work.needed):
        batch.build_to(engine, tables, work.needed, specs, folder / store.CHANGES, progress=progress)


def grown(folder: Path) -> bool:
    """Whether so much of a table is superseded that it should be written anew (see `store.compact`)."""
    if not (folder / store.SUPERSEDED).exists():
        return False
    gone = int(pl.scan_parquet(folder / store.SUPERSEDED).select(pl.len()).collect().item())
    parts = sum(int(pl.scan_parquet(part).select(pl.len()).collect().item()) for part in folder.glob(store.PARTS))
    return gone > COMPACT_FROM * parts
