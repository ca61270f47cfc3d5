"""Attributes that are numbers or truth values as texts, by the rule of `leadlight.measures`, on every engine.

What an engine writes for a float is its own affair (`1.0E-5`, `1e-05`, `0.00001`), so no engine writes one: whole
numbers are written as integers, and what is not whole is written by `leadlight.timeline.text`, each value once.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import narwhals as nw

from features.expressions.frame import Frame
from leadlight.timeline import WHOLE_FROM, WHOLE_TO, text

_NUMBER: Final = "__number"
_TEXT: Final = "__text"


def as_texts(frame: Frame, columns: Iterable[str], bring: Callable[[Any], Frame]) -> Frame:
    """Turn columns into texts; null and NaN are null.

    Args:
        frame: holds the columns, or some of them.
        columns: names of columns.
        bring: brings a small Polars frame into the engine.
    """
    kinds = frame.collect_schema()
    for column in columns:
        kind = kinds.get(column)
        if kind is None or kind == nw.String:
            continue
        value = nw.col(column)
        if kind == nw.Boolean:
            frame = frame.with_columns(value.cast(nw.String).str.to_lowercase())
        elif kind.is_float() or kind.is_decimal():
            frame = _floats_as_texts(frame, column, bring)
        else:
            frame = frame.with_columns(value.cast(nw.String))
    return frame


def _floats_as_texts(frame: Frame, column: str, bring: Callable[[Any], Frame]) -> Frame:
    value = nw.col(column).cast(nw.Float64)
    value = nw.when(~value.is_nan()).then(value)
    fits = (value >= WHOLE_FROM) & (value < WHOLE_TO)
    floor = nw.when(fits).then(value).floor()
    digits = nw.when(floor == value).then(floor).cast(nw.Int64)  # never back: Arrow refuses integers beyond 2**53
    frame = frame.with_columns(digits.cast(nw.String).alias(_TEXT), value.alias(_NUMBER))
    others = frame.filter(nw.col(_TEXT).is_null() & ~nw.col(_NUMBER).is_null()).select(_NUMBER).unique()
    found = (others.collect() if isinstance(others, nw.LazyFrame) else others)[_NUMBER].to_list()
    if found:
        texts = nw.from_dict({_NUMBER: found, "__written": [text(value) for value in found]}, backend="polars")
        frame = frame.join(bring(texts.to_native()), on=_NUMBER, how="left")
        frame = frame.with_columns(nw.coalesce(_TEXT, "__written").alias(_TEXT)).drop("__written")
    return frame.drop(column, _NUMBER).rename({_TEXT: column})
