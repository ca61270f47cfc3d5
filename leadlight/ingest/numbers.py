"""Texts -> numbers within ±`LARGEST_NUMBER`. A text that is none becomes null and is counted; its row stays."""

from collections.abc import Collection
from typing import Final

import polars as pl

from leadlight.ingest.readers import ROW
from leadlight.ingest.report import MOST_EXAMPLES, Example, Unreadable
from leadlight.schema import LARGEST_NUMBER

_CHANGED: Final = ("value", "old_value")  # of attribute_changes: where values of attributes stand as texts


def finite(texts: pl.Series) -> pl.Series:
    """Read texts as numbers of any size: an order, of which nothing is summed.

    Whole numbers beyond 2^53 become the nearest number of 64 bits, and what lies beyond 1.8e308 is infinite.

    Args:
        texts: shape (n,), trimmed; null is a missing value.

    Returns:
        Float64, shape (n,); null where the text is null, no number, or not finite.
    """
    numbers = texts.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite(), None)


def bounded(texts: pl.Series) -> pl.Series:
    """Read texts as numbers to be computed with: the same bound as over HTTP and in features.

    Args:
        texts: shape (n,), trimmed; null is a missing value.

    Returns:
        Float64, shape (n,); null where the text is null, no number, or one beyond ±`LARGEST_NUMBER`.
    """
    numbers = finite(texts)
    return numbers.set(numbers.abs() > LARGEST_NUMBER, None)


def unreadable(rows: pl.Series, texts: pl.Series, numbers: pl.Series) -> Unreadable:
    """Count the texts that gave no number.

    Args:
        rows: row in the raw file, shape (n,).
        texts: what stands there, shape (n,).
        numbers: what `bounded` made of it, shape (n,).
    """
    lost = texts.is_not_null() & numbers.is_null()
    first = pl.DataFrame([rows.alias("row"), texts.alias("value")]).filter(lost).head(MOST_EXAMPLES)
    examples = [Example.of(row, value) for row, value in first.iter_rows()]
    return Unreadable(int(lost.sum()), len(texts) - texts.null_count(), examples)


def unreadable_changes(changes: pl.DataFrame, fields: Collection[str]) -> dict[str, Unreadable]:
    """Count the changes to and from what is no number, of attributes that are numbers.

    Args:
        changes: `ROW`, `field`, `value` and, if mapped, `old_value`, texts.
        fields: the attributes of leads that are numbers.

    Returns:
        `value of FIELD` or `old_value of FIELD` -> its count, of the fields that occur.
    """
    found: dict[str, Unreadable] = {}
    for (field,), part in changes.filter(pl.col("field").is_in(sorted(fields))).group_by("field", maintain_order=True):
        for column in _CHANGED:
            if column in part.columns:
                found[f"{column} of {field}"] = unreadable(part[ROW], part[column], bounded(part[column]))
    return found


def readable_changes(changes: pl.DataFrame, fields: Collection[str]) -> pl.DataFrame:
    """Make null what is no number in changes of attributes that are numbers, as it is in the attributes themselves.

    So such a value is missing, and no number, whichever of the two it came by. Other texts stay as they are written.

    Args:
        changes: `field`, `value` and, if mapped, `old_value`, texts.
        fields: the attributes of leads that are numbers.
    """
    numeric = changes["field"].is_in(sorted(fields))
    columns = [changes[column] for column in _CHANGED if column in changes.columns]
    return changes.with_columns(
        texts.zip_with(~numeric | bounded(texts).is_not_null(), _none(texts)) for texts in columns
    )


def _none(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, len(texts))
