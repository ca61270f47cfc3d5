"""One record in the frames of every engine, and how two tables are compared."""

import numpy as np
import polars as pl

from features import batch
from features.tables import Tables
from tests.features import market


def native(name, tables, engine, *, arrow=False):
    """Give Polars tables as the frames of another engine; those of pandas backed by NumPy or by Arrow."""
    if name == "polars":
        return tables
    frames = {key: getattr(tables, key).collect() for key in ("leads", "activities", "stages", "changes")}
    if name == "pandas":
        return Tables(**{key: frame.to_pandas(use_pyarrow_extension_array=arrow) for key, frame in frames.items()})
    return Tables(**{key: engine.rows(frame).to_native() for key, frame in frames.items()})


def computed(engine, record, pairs, specs=market.SPECS):
    """Compute all specifications with an engine: shape (pairs, specs), NaN = null."""
    rows = pl.DataFrame(pairs, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    tables = native(engine.name, market.tables(*record), engine)
    frame = batch.named(engine.to_polars(batch.compute(engine, tables, rows, specs)), specs)
    return batch.matrix(frame, specs)


def expected(record, pairs, specs=market.SPECS):
    """Compute all specifications the slow way, over the record of the lead's company: it reads no other."""
    companies = {lead: of_company(record, lead) for lead, _ in pairs}
    values = [[market.reference(companies[lead], lead, at, spec) for spec in specs] for lead, at in pairs]
    return np.array([[np.nan if value is None else value for value in row] for row in values], dtype=float)


def of_company(record, lead_id):
    """Keep the rows of a lead and of those of the same account."""
    accounts = {row["lead_id"]: row["account_id"] for row in record[0]}
    own = accounts[lead_id]
    names = {lead_id, *(lead for lead, account in accounts.items() if own is not None and account == own)}
    return tuple([row for row in rows if row["lead_id"] in names] for rows in record)


def differences(found, wanted, pairs, specs=market.SPECS):
    """Name the cells that differ by more than 1e-9, relative to their size."""
    same = np.isclose(found, wanted, rtol=1e-9, atol=1e-12, equal_nan=True)
    return [
        (pairs[row], specs[column].name, found[row, column], wanted[row, column]) for row, column in np.argwhere(~same)
    ]
