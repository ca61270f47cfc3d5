"""Different contents of a lead's activities."""

from collections.abc import Sequence

import narwhals as nw

from features.expressions.frame import ROW, Frame, chosen, lazy, width
from leadlight.spec import FeatureSpec


def distinct_contents(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Count different contents: specifications with the same filters.

    Outside its window a content is null; engines count null as one more value.
    """
    rows = lazy(chosen(met, specs[0]).select(ROW, "age", "content"))
    cells = {spec.name: _inside(spec) for spec in specs}
    nulls = {f"__none_{name}": nw.col(name).is_null().cast(nw.Int64) for name in cells}
    counted = (
        rows.with_columns(**cells)
        .with_columns(**nulls)
        .group_by(ROW)
        .agg(
            **{name: nw.col(name).n_unique() for name in cells},
            **{name: nw.col(name).max() for name in nulls},
        )
    )
    return counted.select(
        ROW, *((nw.col(name).cast(nw.Int64) - nw.col(f"__none_{name}")).alias(name) for name in cells)
    )


def _inside(spec: FeatureSpec) -> nw.Expr:
    if spec.window_days is None:
        return nw.col("content")
    return nw.when(nw.col("age") <= width(spec.window_days)).then(nw.col("content"))
