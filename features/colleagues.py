"""The colleagues of one lead out of the tables, for those who score it alone."""

from features.tables import Tables, timelines
from leadlight.measures import MOST_COLLEAGUES
from leadlight.timeline import Timeline


def colleagues(tables: Tables, lead_id: str, as_of: int) -> list[Timeline]:
    """Gather the timelines of a lead's colleagues at as_of (µs UTC); none for an unknown lead or one without account.

    Returns:
        Of the other leads of its account that were created before as_of, the newest `MOST_COLLEAGUES`.
    """
    import polars as pl  # noqa: PLC0415

    if "account_id" not in tables.leads.collect_schema():
        return []
    own = tables.leads.filter(pl.col("lead_id") == lead_id).select("account_id")
    others = tables.leads.filter((pl.col("lead_id") != lead_id) & (pl.col("created_at") < as_of))
    newest = (
        others.join(own, on="account_id")  # null joins nothing
        .select("lead_id", "created_at")
        .sort("created_at", "lead_id", descending=True)
        .head(MOST_COLLEAGUES)
    )
    ids = newest.collect()["lead_id"].to_list()
    return list(timelines(tables, ids).values()) if ids else []
