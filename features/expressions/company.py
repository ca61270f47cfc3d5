"""Company: the activity of a lead's colleagues, and how many and who they are.

Nothing here is a sum over colleagues' activities, which would grow with the head-count of the account.
"""

from collections.abc import Sequence
from typing import Final

import narwhals as nw

from features.expressions.attributes import Attributes, with_attributes
from features.expressions.frame import ROW, Frame, lazy, width
from features.expressions.names import column_of
from leadlight.measures import MOST_COLLEAGUES
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec

COLLEAGUE: Final = "__colleague"
_BLOCK: Final = MOST_COLLEAGUES + 1  # the lead itself and its colleagues
_PAIRS: Final = 1 << 31  # more than an account has leads


def pairs(rows: Frame, leads: Frame) -> Frame:
    """Pair each snapshot with the colleagues of its lead.

    Where an account has more leads than count, the newest are found by their number within it: a snapshot meets the two
    blocks of 51 numbers in which they lie, so that an account of any size costs at most 102 rows per snapshot.

    Args:
        rows: ROW, lead_id, as_of.
        leads: lead_id, account_id, created_at.

    Returns:
        ROW, as_of, `COLLEAGUE` (lead_id of the colleague), `__number` (which of the account's leads that is).
    """
    members = leads.select("lead_id", "account_id", "created_at").filter(~nw.col("account_id").is_null())
    numbers = members.with_columns(__one=nw.lit(1, nw.Int64)).with_columns(
        __number=nw.col("__one").cum_sum().over("account_id", order_by=["created_at", "lead_id"])
    )
    own = rows.join(numbers.select("lead_id", "account_id", __own="__number"), on="lead_id")
    theirs = numbers.select("account_id", "__number", "created_at", nw.col("lead_id").alias(COLLEAGUE))
    if _crowded(numbers):
        met = _among_newest(own, members, theirs)
    else:
        met = own.join(theirs, on="account_id").filter(nw.col("created_at") < nw.col("as_of"))
    return met.filter(nw.col("__number") != nw.col("__own")).select(ROW, "as_of", COLLEAGUE, "__number")


def _crowded(numbers: Frame) -> bool:
    """Tell whether an account has more leads than count."""
    beyond = numbers.filter(nw.col("__number") > _BLOCK).select(nw.len().alias("__beyond"))
    (number,) = (beyond.collect() if isinstance(beyond, nw.LazyFrame) else beyond)["__beyond"].to_list()
    return bool(number)


def _among_newest(own: Frame, members: Frame, theirs: Frame) -> Frame:
    """Meet the newest 51 leads of an account created before as_of, or 50 where the lead itself is not among them."""
    # A left join, though each finds one: Polars would join inner ones in another order, first on as_of alone.
    known = own.join(_created_before(own, members), on=["account_id", "as_of"], how="left")
    newest = nw.col("__known")
    low = known.with_columns(__block=(newest - 1 + _BLOCK) // _BLOCK - 1)  # -1 where nobody is known
    both = nw.concat([low, low.with_columns(__block=nw.col("__block") - 1)])
    others = theirs.with_columns(__block=(nw.col("__number") - 1) // _BLOCK)
    among = (nw.col("__own") <= newest) & (nw.col("__own") > newest - _BLOCK)
    lowest = newest - MOST_COLLEAGUES - among.cast(nw.Int64)
    found = both.join(others, on=["account_id", "__block"])
    return found.filter(nw.col("__number") <= newest, nw.col("__number") > lowest)


def _created_before(own: Frame, members: Frame) -> Frame:
    """Count the leads of an account created before each as_of at which it is asked for."""
    asked = own.select("account_id", "as_of").unique().select("account_id", __at="as_of", __new=nw.lit(0, nw.Int64))
    created = members.select("account_id", __at="created_at", __new=nw.lit(1, nw.Int64))
    # At one instant the question comes first: created before, not at.
    counted = nw.concat([asked, created]).with_columns(
        __known=nw.col("__new").cum_sum().over("account_id", order_by=["__at", "__new"])
    )
    return counted.filter(nw.col("__new") == 0).select("account_id", as_of="__at", __known="__known")


def number_of(paired: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Count the colleagues."""
    return paired.group_by(ROW).agg(**{spec.name: nw.len() for spec in specs})


def as_rows(paired: Frame) -> Frame:
    """Give pairs as snapshots of the colleagues, each with a number of its own from which the snapshot's comes back."""
    pair = nw.col(ROW) * _PAIRS + nw.col("__number").cast(nw.Int64)  # DuckDB adds up to 128 bits
    return paired.select(pair.alias(ROW), nw.col(COLLEAGUE).alias("lead_id"), "as_of")


def by_newest(newest: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Measure what a colleague's newest activity decides: who was active in a window, and how long ago.

    Args:
        newest: ROW of `as_rows` and the age of the newest activity that the specifications choose.
        specs: specifications of colleagues_active and colleague_recency with the same filters.
    """
    cells: dict[str, nw.Expr] = {}
    for spec in specs:
        inside = nw.lit(value=True) if spec.window_days is None else nw.col("age") <= width(spec.window_days)
        age = nw.when(inside).then(nw.col("age").cast(nw.Float64) / DAY)
        cells[spec.name] = age if spec.measure == "colleague_recency" else inside.cast(nw.Int64)
    snapshot = (nw.col(ROW) // _PAIRS).alias(ROW)
    return (
        newest.select(snapshot, "age")
        .with_columns(**cells)
        .group_by(ROW)
        .agg(
            **{
                spec.name: nw.col(spec.name).min() if spec.measure == "colleague_recency" else nw.col(spec.name).sum()
                for spec in specs
            }
        )
    )


def by_number(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Find the most active colleague.

    Args:
        met: the meeting of `as_rows` with the activities that the specifications choose.
        specs: specifications of most_active_colleague with the same filters.
    """
    cells = {
        spec.name: nw.lit(1, nw.Int64)
        if spec.window_days is None
        else (nw.col("age") <= width(spec.window_days)).cast(nw.Int64)
        for spec in specs
    }
    each = lazy(met).with_columns(**cells).group_by(ROW).agg(**{name: nw.col(name).sum() for name in cells})
    snapshot = (nw.col(ROW) // _PAIRS).alias(ROW)
    return each.with_columns(snapshot).group_by(ROW).agg(**{name: nw.col(name).max() for name in cells})


def roles(rows: Frame, paired: Frame, attributes: Attributes, spec: FeatureSpec) -> Frame:
    """Count the different values of an attribute at as_of among a lead and its colleagues."""
    name = spec.attribute or ""
    itself = rows.select((nw.col(ROW) * _PAIRS).alias(ROW), "lead_id", "as_of")  # a colleague's number is never 0
    everybody = nw.concat([itself, as_rows(paired)])
    valued = with_attributes(everybody, attributes, [name])
    if column_of(name) not in valued.collect_schema():
        return rows.select(ROW, nw.lit(0, nw.Int64).alias(spec.name))
    snapshot = (nw.col(ROW) // _PAIRS).alias(ROW)
    text = valued.select(snapshot, __value=nw.col(column_of(name))).filter(~nw.col("__value").is_null())
    return text.unique([ROW, "__value"]).group_by(ROW).agg(nw.len().alias(spec.name))
