"""A workspace's table of features: what was asked, of clean tables, by an engine, in full or only where data is new."""

import functools
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from features import (
    batch,
    catalog,
    check,
    hygiene,
    hygiene_merges,
    hygiene_rows,
    hygiene_settings,
    incremental,
    store,
)
from features import tables as tables_of
from features.asked import Asked
from features.catalog import CatalogSettings
from features.engines.base import Engine
from features.expressions.frame import columns_of
from features.hygiene_merges import Merge
from features.hygiene_settings import HygieneSettings
from features.store import Info
from features.tables import Tables
from leadlight.errors import NotEnoughDataError, WorkspaceError
from leadlight.ingest import touched
from leadlight.schema import DAY, TableName
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo, Workspace

NEEDED: Final[tuple[TableName, ...]] = ("leads", "activities", "stages", "attribute_changes")


@dataclass(frozen=True, slots=True)
class Options:
    """How a table is built.

    Attributes:
        engine: what computes.
        settings: of the catalog; None = the catalog of the table that is updated, else the suggestion.
        before: µs UTC; the suggestion reads nothing from then on; None = the end of the record. A table that is
            updated keeps its catalog if it was suggested from before that very instant, or if none is given.
        asked: which snapshots; None = those of the table that is updated, else the scheduled ages.
        hygiene: whether duplicates, scanners and the like are set aside first.
        incremental: compute again only what new data can have changed.
    """

    engine: Engine
    settings: CatalogSettings | None = None
    before: int | None = None
    asked: Asked | None = None
    hygiene: bool = True
    incremental: bool = False


@dataclass(slots=True)
class Report:
    """What a build did.

    Attributes:
        out: folder of the table.
        engine: what computed.
        update: whether an older table was updated.
        anew_because: why one was asked for and the table was built in full all the same; empty otherwise.
        rows: rows of the table.
        computed: rows that were computed.
        features: columns.
        activities: activities that were read.
        leads_touched: leads of which there was something new; None for a full build.
        set_aside: table -> cause -> rows that hygiene set aside of what was read.
        warnings: what in the catalog does not fit the data.
        seconds: wall time.
    """

    out: str
    engine: str
    update: bool = False
    anew_because: str = ""
    rows: int = 0
    computed: int = 0
    features: int = 0
    activities: int = 0
    leads_touched: int | None = None
    set_aside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Source:
    """The current tables of a workspace, and how they are cleaned."""

    info: TablesInfo
    paths: Mapping[TableName, Path]
    log: pl.LazyFrame
    settings: HygieneSettings | None
    merges: tuple[Merge, ...] = ()
    merges_hash: str | None = None

    @classmethod
    def of(cls, room: Workspace, *, clean: bool) -> "_Source":
        info = room.tables_info()
        paths = {name: room.whole(room.table_path(name, info.generation)) for name in NEEDED}
        log = room.scan("activities")
        if not clean:
            return cls(info, paths, log, None)
        found = room.merges()
        merges = () if found is None else hygiene_merges.read(found)
        digest = None if found is None else hashlib.sha256(found.read_bytes()).hexdigest()
        return cls(info, paths, log, hygiene_settings.of_workspace(room), merges, digest)

    def told(self) -> dict[str, Any] | None:
        """Say how tables are cleaned, to compare and to keep."""
        if self.settings is None:
            return None
        return {"settings": self.settings.to_json(), "merges": self.merges_hash}

    def clean(self, tables: Tables) -> hygiene.Cleaned:
        """Set aside what would mislead."""
        if self.settings is None:
            return hygiene.as_they_are(tables)
        return hygiene.clean(tables, self.info.observed_until, self.settings, self.merges, unique_ids=True)


def build(
    room: Workspace, out: Path, options: Options, progress: Callable[[int, int], None] = lambda *_: None
) -> Report:
    """Build or update a table of features.

    Args:
        room: holds the tables.
        out: folder of the table; an older table there is replaced when the new one is whole.
        options: how.
        progress: told the number of activities done, and of all.

    Raises:
        InputError: the tables, the catalog or `out` are wrong.
        NotEnoughDataError: there is nothing that a snapshot could be taken of.
        WorkspaceError: nothing was ingested, or `out` cannot be written.
    """
    began = time.perf_counter()
    source = _Source.of(room, clean=options.hygiene)
    check.files(source.paths)
    report = Report(str(out), options.engine.name)
    old = _readable(out, report) if options.incremental else None
    asked = options.asked or (Asked.from_json(dict(old.asked)) if old is not None else Asked())
    raw = tables_of.read(room)
    whole = functools.cache(functools.partial(source.clean, raw))  # once: it reads the whole log
    specs, before = _specs(source, raw, options, old, report, whole=whole)
    changed = _touched(room, source, old, report, specs=specs, asked=asked) if old is not None else None
    info = Info(specs, source.info.generation, source.info.observed_until, options.engine.name, asked.to_json(),
                source.told(), {}, before)  # fmt: skip
    work = _Work(source, raw, whole, info, asked, options.engine, report, progress)
    with store.replaced(out) as folder:
        if old is None or changed is None:
            work.full(folder)
        else:
            work.update(folder, out, old, changed)
    report.seconds = round(time.perf_counter() - began, 3)
    return report


def _readable(out: Path, report: Report) -> Info | None:
    """Read the table that is to be updated, or say why it cannot be."""
    try:
        return store.checked(out)
    except WorkspaceError as none:
        report.anew_because = str(none) if out.exists() else "there is no table yet"
        return None


def _specs(
    source: _Source,
    raw: Tables,
    options: Options,
    old: Info | None,
    report: Report,
    *,
    whole: Callable[[], hygiene.Cleaned],
) -> tuple[tuple[FeatureSpec, ...], int | None]:
    """Give the catalog, and before which instant the data lay that it was suggested from (see `Info.before`)."""
    before: int | None
    if old is not None and options.settings is None and options.before in {None, old.before}:
        specs, before = old.specs, old.before
    elif options.settings is not None and options.settings.only is not None:
        specs, before = options.settings.only, None
    else:
        before = source.info.observed_until if options.before is None else options.before
        specs = catalog.suggest(whole().tables, source.info, before, options.settings)
    report.warnings = catalog.check(specs, raw)
    report.features = len(specs)
    return specs, before


def _touched(
    room: Workspace, source: _Source, old: Info, report: Report, *, specs: tuple[FeatureSpec, ...], asked: Asked
) -> pl.DataFrame | None:
    """Give the leads of which there is something new since the old table; None (and why) where it is of no use."""
    changed = touched.since(room, old.generation)
    reasons = {
        "the catalog is another one": specs != old.specs,
        "other snapshots are asked for": asked.to_json() != dict(old.asked),
        "hygiene or the merge map is another one": source.told() != old.hygiene,
        "the record ends earlier than it did": source.info.observed_until < old.observed_until,
        f"what changed since generation {old.generation} is not known": changed is None,
    }
    report.anew_because = next((reason for reason, holds in reasons.items() if holds), "")
    return None if report.anew_because else changed


@dataclass(frozen=True, slots=True)
class _Work:
    """One build."""

    source: _Source
    raw: Tables
    whole: Callable[[], hygiene.Cleaned]
    info: Info
    asked: Asked
    engine: Engine
    report: Report
    progress: Callable[[int, int], None]

    def full(self, folder: Path) -> None:
        """Compute everything."""
        cleaned = self.whole()
        snapshots = self.asked.snapshots(cleaned.tables, self.info.observed_until)
        self._refuse_nothing(len(snapshots))
        self.report.set_aside = cleaned.counts()
        self.report.activities = self.source.info.rows["activities"]
        self.report.rows = self.report.computed = len(snapshots)
        tables = self._native(cleaned.tables, None)
        batch.build_to(self.engine, tables, snapshots, self.info.specs, folder, progress=self._told())
        self._finish(folder)

    def update(self, folder: Path, out: Path, old: Info, changed: pl.DataFrame) -> None:
        """Compute what new data (`leadlight.ingest.touched.leads`), and time, can have changed."""
        self.report.update, self.report.leads_touched = True, len(changed)
        members = incremental.companies(self.raw, self.source.merges)
        again = self._again(old, members, changed)
        cleaned = self._clean_of(again["lead_id"]) if self.asked.which == "activity" else None
        wanted = self._wanted(old, again, cleaned)
        work = incremental.plan(store.keys(out, again["lead_id"]), wanted, again)
        leads = incremental.whole(members, work.needed["lead_id"])
        cleaned = cleaned or self._clean_of(leads)
        self.report.rows = store.height(out) - len(work.superseded) + len(work.needed)
        self.report.computed = len(work.needed)
        self._refuse_nothing(self.report.rows)
        self.report.set_aside = cleaned.counts()
        tables = self._native(cleaned.tables, leads)
        incremental.write(
            self.engine, work, out, tables=tables, specs=self.info.specs, folder=folder, progress=self._told()
        )
        self._finish(folder)

    def _again(self, old: Info, members: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
        """Give the leads of every company of which something is different, and since when."""
        if self.asked.moves(old.observed_until, self.info.observed_until):
            return members.select("lead_id", since=pl.lit(None, dtype=pl.Int64))
        return incremental.companies_of(members, pl.concat([changed, self._at_the_end(old)]))

    def _wanted(self, old: Info, again: pl.DataFrame, cleaned: hygiene.Cleaned | None) -> pl.DataFrame:
        """Give the snapshots of leads with something different, and those of others that time alone brings."""
        if cleaned is not None:
            return self.asked.snapshots(cleaned.tables, self.info.observed_until)
        leads = self.raw.leads
        if self.source.settings is not None:
            leads = hygiene.leads(self.raw, self.source.settings, self.source.merges)
        touched = pl.col("lead_id").is_in(again["lead_id"].implode())
        own, others = (replace(self.raw, leads=leads.filter(which)) for which in (touched, ~touched))
        due = self.asked.due(others, old.observed_until, self.info.observed_until)
        return pl.concat([self.asked.snapshots(own, self.info.observed_until), due])

    def _at_the_end(self, old: Info) -> pl.DataFrame:
        """Give the leads whose record reaches the old end, and since when what lay beyond it may count now."""
        if self.asked.which == "activity":
            end = min(old.observed_until, self.asked.span(old.observed_until)[1]) - DAY
        elif self.source.settings is not None:
            end = old.observed_until
        else:
            return pl.DataFrame(schema=touched.SCHEMA)
        reaches = old.beyond or end < old.observed_until
        found = _active_from(self.source.log, end).to_list() if reaches else []
        merged = [merge.lead_id for merge in self.source.merges if merge.merged_at is None or merge.merged_at >= end]
        active = pl.DataFrame({"lead_id": found, "since": end}, schema=touched.SCHEMA)
        return pl.concat([active, pl.DataFrame({"lead_id": merged, "since": None}, schema=touched.SCHEMA)])

    def _clean_of(self, leads: pl.Series) -> hygiene.Cleaned:
        part = incremental.restrict(self.engine, self.raw, leads, self._columns())
        self.report.activities = part.activities.select(pl.len()).collect().item()
        return self.source.clean(part)

    def _columns(self) -> list[str]:
        """Name the columns of activities that are read; ids, the dearest, only where nothing else orders a record."""
        columns = {*hygiene_rows.READ, *columns_of(self.info.specs)}
        if self.engine.name == "polars" and self.raw.in_order and not self.source.merges:
            columns.remove("activity_id")
        return sorted(columns)

    def _native(self, cleaned: Tables, leads: pl.Series | None) -> Tables:
        """Give the clean tables as the engine's own frames; only those of some leads where they are given."""
        if self.engine.name == "polars":
            return cleaned
        if self.engine.name == "pandas":  # in memory anyhow
            frames = (cleaned.leads, cleaned.activities, cleaned.stages, cleaned.changes)
            return Tables(*(frame.collect().to_pandas(use_pyarrow_extension_array=True) for frame in frames))
        read = self.engine.read(self.source.paths)
        return self.source.clean(read if leads is None else incremental.restrict(self.engine, read, leads)).tables

    def _told(self) -> Callable[[int], None]:
        done, total = 0, self.report.activities

        def more(activities: int) -> None:
            nonlocal done
            done += activities
            self.progress(done, total)

        return more

    def _refuse_nothing(self, rows: int) -> None:
        if not rows:
            raise NotEnoughDataError("no lead has a snapshot there; widen --from and --until, or choose younger --ages")

    def _finish(self, folder: Path) -> None:
        counts = {
            "rows": self.report.rows,
            "computed": self.report.computed,
            "activities_read": self.report.activities,
            "set_aside": dict(self.report.set_aside),
        }
        beyond = len(_active_from(self.source.log, self.info.observed_until)) > 0
        replace(self.info, counts=counts, beyond=beyond).write(folder)
        if incremental.grown(folder):
            store.compact(folder)


def _active_from(log: pl.LazyFrame, end: int) -> pl.Series:
    """Give the leads with activities that occurred or became known at an instant (µs UTC) or later.

    Instants are compared as they are in the file, one column at a time: then what it says of its parts spares nearly
    all of them from being read.
    """
    instant = pl.lit(end, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    found = [log.filter(pl.col(column) >= instant).select("lead_id") for column in ("occurred_at", "received_at")]
    return pl.concat([part["lead_id"] for part in pl.collect_all(found, engine="streaming")]).unique()
