"""Different contents of a lead's activities."""

from collections.abc import Sequence

import narwhals as nw

from features.expressions.frame import ROW, Frame, chosen, width
from leadlight.spec import FeatureSpec


def distinct_contents(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Count different contents: specifications with the same filters.

    The newest activity of each content decides in which windows it counts.
    """
    newest = (
        chosen(met, specs[0]).filter(~nw.col("content").is_null()).group_by(ROW, "content").agg(age=nw.col("age").min())
    )
    inside = {
        spec.name: nw.lit(1, nw.Int64)
        if spec.window_days is None
        else (nw.col("age") <= width(spec.window_days)).cast(nw.Int64)
        for spec in specs
    }
    return newest.with_columns(**inside).group_by(ROW).agg(**{name: nw.col(name).sum() for name in inside})
