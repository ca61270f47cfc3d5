"""Attributes as columns: people name them as they like, and SQL takes a dot for a path and a star for every column."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import narwhals as nw

from features.expressions.frame import Frame, plain
from leadlight.schema import TABLES

_AS_THEY_ARE: Final[Mapping[str, str]] = MappingProxyType({})


def column_of(attribute: str) -> str:
    """Name the column of an attribute: small letters, digits and `_` only, and no other column's name."""
    return f"a_{plain(attribute)}"


def encoded(leads: Frame, attributes: Mapping[str, str] = _AS_THEY_ARE) -> Frame:
    """Give the attributes of `leads` the names of `column_of`; columns that every lead has keep theirs.

    Args:
        leads: the leads.
        attributes: column -> attribute, where the engine could not give the column the attribute's name.
    """
    own = TABLES["leads"]
    names = leads.collect_schema().names()
    return renamed(leads, [name if name in own else column_of(attributes.get(name, name)) for name in names])


def renamed(frame: Any, names: Sequence[str]) -> Frame:
    """Name the columns of a frame anew, by their place; the old names may hold any character."""
    old = frame.collect_schema().names()
    again: Frame
    # Spark and DuckDB read a dot as a path in every expression, even in one that renames.
    if frame.implementation is nw.Implementation.PYSPARK:
        again = nw.from_native(frame.to_native().toDF(*names))
    elif frame.implementation is nw.Implementation.DUCKDB:
        pairs = (f"{quoted(before)} AS {quoted(now)}" for before, now in zip(old, names, strict=True))
        again = nw.from_native(frame.to_native().project(", ".join(pairs)))
    else:
        again = frame.rename({before: now for before, now in zip(old, names, strict=True) if before != now})
    return again


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
