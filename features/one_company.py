"""The clean record of one lead's company: all that the lead's features look at, without cleaning everybody else's."""

from features import hygiene, hygiene_merges, incremental
from features import tables as tables_of
from features.engines import registry
from features.hygiene_settings import HygieneSettings
from features.tables import Tables
from leadlight.workspace import Workspace


def tables_for(workspace: Workspace, settings: HygieneSettings | None, lead_id: str) -> Tables:
    """Give the tables of `hygiene.tables_for`, restricted to the company of one lead.

    Hygiene judges an activity by its lead's record alone, and merges carry history within the company of the lead that
    stays; so cleaning a company and then looking at it is the same as looking at it in the clean whole.

    Args:
        workspace: holds the tables.
        settings: those that the scorer was trained with; None = the tables as they are.
        lead_id: the lead; where it is unknown, the tables are empty.

    Raises:
        InputError: the merge map is wrong.
        WorkspaceError: nothing was ingested.
    """
    import polars as pl  # noqa: PLC0415  (read by `--help`)

    raw = tables_of.read(workspace)
    found = None if settings is None else workspace.merges()
    merges = () if found is None else hygiene_merges.read(found)
    leads = incremental.whole(incremental.companies(raw, merges), pl.Series([lead_id]))
    part = incremental.restrict(registry.get("polars"), raw, leads)
    if settings is None:
        return part
    members = set(leads)
    own = [merge for lead, merge in hygiene_merges.resolve(merges).items() if lead in members]
    return hygiene.clean(part, workspace.tables_info().observed_until, settings, own, unique_ids=True).tables
