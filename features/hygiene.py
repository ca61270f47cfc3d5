"""Hygiene: what is set aside of the tables before any feature is computed, counted by cause, and lost never.

Duplicates, scanners, events in the future or long before their lead, leads that are one, and leads that are no
prospects. `docs/hygiene.md` says why; `features.hygiene_rules` how activities are judged. The same decisions on one
timeline: `features.hygiene_online`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import narwhals as nw

from features import check, hygiene_merges, hygiene_rules, hygiene_settings
from features import tables as tables_of
from features.expressions import names
from features.hygiene_merges import Merge
from features.hygiene_rows import AnyRows, OrderedRows, settled
from features.hygiene_settings import Cause, DomainSettings, HygieneSettings
from features.sifted import PLACE, Sifted
from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import TABLES, TableName
from leadlight.workspace import Workspace, file_atomically

FIELDS: Final[dict[str, TableName]] = {
    "leads": "leads",
    "activities": "activities",
    "stages": "stages",
    "changes": "attribute_changes",
}
# Causes that concern a whole lead: they are counted in leads, all others in activities (or changes).
OF_LEADS: Final[tuple[Cause, ...]] = ("merged_lead", "internal_domain", "competitor_domain")


@dataclass(frozen=True, slots=True)
class Report:
    """How many rows came, stayed and were set aside: `rows[t] == kept[t] + sum(set_aside[t].values())` for table t."""

    rows: Mapping[str, int]
    kept: Mapping[str, int]
    set_aside: Mapping[str, Mapping[str, int]]

    def causes(self) -> dict[str, int]:
        """Count by cause: leads where it concerns whole leads, else activities and changes."""
        return by_cause(self.set_aside)

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return {**asdict(self), "causes": self.causes()}


def by_cause(set_aside: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Add up counts by table and cause: leads where a cause concerns whole leads, else activities and changes."""
    counted: dict[str, int] = {}
    for table, causes in set_aside.items():
        for cause, number in causes.items():
            if (cause in OF_LEADS) == (table == "leads"):
                counted[cause] = counted.get(cause, 0) + number
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What hygiene makes of tables.

    Attributes:
        tables: what stays, lazily.
        set_aside: what was set aside, lazily; each table with a column `cause` beside its own. An attribute of leads
            that has this name is called `__cause` there.
    """

    tables: Tables
    set_aside: Tables

    def before(self, until: int) -> "Cleaned":
        """Restrict Polars tables to what was known before an instant (see `features.tables.before`)."""
        return Cleaned(tables_of.before(self.tables, until), tables_of.before(self.set_aside, until))

    def counts(self) -> dict[str, dict[str, int]]:
        """Count what was set aside, by table and cause."""
        aside: dict[str, dict[str, int]] = {}
        for field, name in FIELDS.items():
            frame = nw.from_native(getattr(self.set_aside, field)).lazy()
            counted = frame.group_by("cause").agg(n=nw.len()).collect()
            aside[name] = dict(sorted(zip(counted["cause"].to_list(), counted["n"].to_list(), strict=True)))
        return aside

    def report(self) -> Report:
        """Count what stays too; this reads the tables."""
        rows: dict[str, int] = {}
        kept: dict[str, int] = {}
        aside = self.counts()
        for field, name in FIELDS.items():
            own = nw.from_native(getattr(self.tables, field)).lazy()
            kept[name] = int(own.select(nw.len()).collect().item())
            rows[name] = kept[name] + sum(aside[name].values())
        return Report(rows, kept, aside)


def clean(
    tables: Tables,
    observed_until: int,
    settings: HygieneSettings | None = None,
    merges: Iterable[Merge] = (),
    *,
    unique_ids: bool = False,
) -> Cleaned:
    """Set aside what would mislead features, labels and thresholds.

    The decisions are made here; the tables stay as lazy as their engine lets them. On DuckDB the decisions are
    temporary tables (`leadlight_*`) of the connection, which are there as long as it is.

    Args:
        tables: native frames of one engine, instants as int64 µs.
        observed_until: µs UTC; how far the record is complete.
        settings: None = the usual ones.
        merges: leads that are one.
        unique_ids: every activity has an id of its own, as in every workspace; then nobody has to look.

    Raises:
        InputError: an id is null, merges form a circle or name an unknown lead, the attribute of the domains is no
            column of leads, or an attribute has a name or type that none can have.
    """
    settings = settings or HygieneSettings()
    check.attributes(tables.leads)
    _refuse_null_ids(tables, () if unique_ids else ("activity_id",))
    tables, columns = _encoded(tables)
    tables, aside = _without_leads(tables, settings, tuple(merges), columns)
    tables, gone = _without_activities(tables, observed_until, settings, unique_ids=unique_ids)
    return Cleaned(_named(tables, columns), _named(_together([*aside, gone]), _beside_cause(columns)))


def leads(tables: Tables, settings: HygieneSettings, merges: Iterable[Merge] = ()) -> Any:
    """Give the leads that `clean` keeps, with the beginning that it gives them, without looking at activities.

    Args:
        tables: native frames of one engine, instants as int64 µs.
        settings: of hygiene.
        merges: leads that are one.

    Raises:
        InputError: as `clean`, where it concerns leads.
    """
    encoded, columns = _encoded(tables)
    kept, _ = _without_leads(encoded, settings, tuple(merges), columns)
    return _named(kept, columns).leads


def _without_leads(
    tables: Tables, settings: HygieneSettings, merges: tuple[Merge, ...], columns: list[str]
) -> tuple[Tables, list[Tables]]:
    """Carry merges over, and set aside whole leads."""
    aside = []
    if merges:
        tables, gone = hygiene_merges.carry(tables, merges)
        aside.append(gone)
    if settings.domains is not None:
        tables, gone = _without_domains(tables, settings.domains, columns)
        aside.append(gone)
    return tables, aside


def of_workspace(
    workspace: Workspace,
    settings: HygieneSettings | None = None,
    merges: Path | None = None,
    tables: Tables | None = None,
) -> Cleaned:
    """Clean a workspace's tables by its settings and its merge map.

    Args:
        workspace: holds the tables.
        settings: None = the workspace's `hygiene.yaml`, else the usual ones.
        merges: file of a merge map; None = the workspace's own, if it has one.
        tables: its tables as native frames of an engine; None = as Polars scans them.

    Raises:
        InputError: settings or merge map are wrong.
        WorkspaceError: nothing was ingested.
    """
    info = workspace.tables_info()
    found = workspace.merges() if merges is None else merges
    return clean(
        tables_of.read(workspace) if tables is None else tables,
        info.observed_until,
        hygiene_settings.of_workspace(workspace) if settings is None else settings,
        () if found is None else hygiene_merges.read(found),
        unique_ids=True,
    )


def as_they_are(tables: Tables) -> Cleaned:
    """Give tables of which nothing is set aside."""
    encoded, columns = _encoded(tables)
    return Cleaned(tables, _named(_none_of(encoded), _beside_cause(columns)))


def tables_for(workspace: Workspace, settings: HygieneSettings | None, tables: Tables | None = None) -> Tables:
    """Give a workspace's tables as a scorer reads them that was trained with these settings (None: as they are).

    Args:
        workspace: holds the tables.
        settings: of hygiene.
        tables: as for `of_workspace`.
    """
    found = tables_of.read(workspace) if tables is None else tables
    return found if settings is None else of_workspace(workspace, settings, tables=found).tables


def write_set_aside(cleaned: Cleaned, workspace: Workspace) -> None:
    """Write what was set aside (Polars tables) into the workspace, each table whole or not at all."""
    generation = workspace.tables_info().generation
    for field, name in FIELDS.items():
        with file_atomically(workspace.set_aside_path(name, generation)) as temporary:
            getattr(cleaned.set_aside, field).collect().write_parquet(temporary)


def _refuse_null_ids(tables: Tables, of_activities: Iterable[str]) -> None:
    for field, columns in {"leads": ["lead_id"], "activities": [*of_activities, "lead_id"]}.items():
        frame = nw.from_native(getattr(tables, field)).lazy()
        counted = frame.select(nw.col(columns).is_null().cast(nw.Int64).sum()).collect()  # Spark adds no booleans up
        for column in columns:
            number = counted[column].to_list()[0]
            if number:
                raise InputError(f"{number} rows of `{field}` have no {column}; leave them out or give them one")


def _encoded(tables: Tables) -> tuple[Tables, list[str]]:
    """Give the attributes of leads names that no other column has; and the columns' own names."""
    leads = nw.from_native(tables.leads).lazy()
    return replace(tables, leads=nw.to_native(names.encoded(leads))), leads.collect_schema().names()


def _beside_cause(columns: list[str]) -> list[str]:
    """Name the columns of leads that were set aside; no attribute begins with two underscores."""
    return [*("__cause" if column == "cause" else column for column in columns), "cause"]


def _named(tables: Tables, columns: list[str]) -> Tables:
    """Give the columns of leads their own names back."""
    leads = nw.from_native(tables.leads).lazy()
    return replace(tables, leads=nw.to_native(names.renamed(leads, columns)))


def _without_domains(tables: Tables, domains: DomainSettings, columns: list[str]) -> tuple[Tables, Tables]:
    leads = nw.from_native(tables.leads).lazy()
    if domains.attribute not in columns:
        raise InputError.unknown_name("hygiene: `domains.attribute`: the column of leads", domains.attribute, columns)
    internal, competitor = (_of_domains(domains, listed) for listed in (domains.internal, domains.competitors))
    cause = nw.when(internal).then(nw.lit("internal_domain")).when(competitor).then(nw.lit("competitor_domain"))
    found = leads.select("lead_id", cause=cause).filter(~nw.col("cause").is_null())
    found = settled(found)
    kept, gone = {}, {}
    for field in FIELDS:
        rows = nw.from_native(getattr(tables, field)).lazy()
        kept[field] = nw.to_native(hygiene_rules.left(rows, found, "lead_id"))
        gone[field] = nw.to_native(rows.join(found, on="lead_id"))
    return Tables(**kept, in_order=tables.in_order), Tables(**gone)


def _of_domains(domains: DomainSettings, listed: tuple[str, ...]) -> Any:
    """Whether an attribute is one of the domains, lies under one, or is an address or URL there."""
    own = domains.attribute in TABLES["leads"]
    column = domains.attribute if own else names.column_of(domains.attribute)
    text = nw.col(column).cast(nw.String).str.strip_chars().str.to_lowercase()
    if not listed:
        return text.is_null() & ~text.is_null()
    pieces = "|".join(domain.replace(".", r"\.") for domain in listed)
    return text.str.contains(rf"^(?:[^\s]*[@./])?(?:{pieces})(?:[:/].*)?$")


def _without_activities(
    tables: Tables, observed_until: int, settings: HygieneSettings, *, unique_ids: bool
) -> tuple[Tables, Tables]:
    activities, leads = nw.from_native(tables.activities).lazy(), nw.from_native(tables.leads).lazy()
    if unique_ids and tables.in_order and activities.implementation is nw.Implementation.POLARS:
        return _without_places(tables, observed_until, settings)
    aside, in_order = [], tables.in_order
    if settings.duplicate_ids and not unique_ids:
        in_order = False  # those that stay of the repeated ones come last
        activities, repeated = hygiene_rules.without_repeated_ids(activities)
        aside.append(repeated.with_columns(cause=nw.lit("duplicate_id")))
    judged = hygiene_rules.judge(AnyRows(activities, settings), leads, observed_until)
    aside.append(activities.join(judged, on="activity_id"))
    kept = hygiene_rules.left(activities, judged)
    gone = replace(_none_of(tables), activities=nw.to_native(nw.concat(aside)))
    return replace(tables, activities=nw.to_native(kept), in_order=in_order), gone


def _without_places(tables: Tables, observed_until: int, settings: HygieneSettings) -> tuple[Tables, Tables]:
    """Set activities of a Polars log in order aside by their places in it."""
    log, leads = tables.activities.lazy(), nw.from_native(tables.leads).lazy()
    judged = nw.to_native(hygiene_rules.judge(OrderedRows(log, settings), leads, observed_until))
    judged = judged.rename({"activity_id": PLACE}).collect()
    sifted = Sifted.of(log, judged[PLACE].to_numpy())
    gone = log.with_row_index(PLACE).join(judged.lazy(), on=PLACE, maintain_order="left").drop(PLACE)
    return replace(tables, activities=sifted.rest, sifted=sifted), replace(_none_of(tables), activities=gone)


def _none_of(tables: Tables) -> Tables:
    none = {field: nw.from_native(getattr(tables, field)).lazy().head(0) for field in FIELDS}
    return Tables(**{field: nw.to_native(frame.with_columns(cause=nw.lit(""))) for field, frame in none.items()})


def _together(parts: list[Tables]) -> Tables:
    frames = {field: [nw.from_native(getattr(part, field)).lazy() for part in parts] for field in FIELDS}
    return Tables(**{field: nw.to_native(nw.concat(own)) for field, own in frames.items()})
