"""One batch of raw texts -> typed rows of one table, and the rows refused with their cause."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import polars as pl

from leadlight.errors import did_you_mean
from leadlight.ingest.check import CLEARED_BY, VOCABULARIES, required_columns
from leadlight.ingest.mapping import AttributeSource, Mapping, Output, RawFile, Source
from leadlight.ingest.numbers import bounded, finite, readable_changes, unreadable, unreadable_changes
from leadlight.ingest.readers import ROW
from leadlight.ingest.report import Cleared, Unreadable
from leadlight.ingest.times import parse_instants
from leadlight.ingest.values import condition, text_of
from leadlight.schema import TABLES, ColumnKind, TableName

DTYPES: Final[dict[str, type[pl.DataType]]] = {"text": pl.String, "instant": pl.Int64, "number": pl.Float64}
ORDER: Final = "__order__"  # under `clock: order`: the raw order of a lead, Float64
_CAUSE: Final = "__cause__"
# The content of an activity, by which one without an id is told from others.
_CONTENT: Final = ("lead_id", "type", "occurred_at", "actor", "channel", "campaign", "content", "detail", "value")
_RECORD_SEPARATOR: Final = "\x1e"
_NULL: Final = "\x00"
_HASH_BYTES: Final = 12
# Words outside a vocabulary that causes name: so many of a batch, unless they are longer.
_MOST_NAMED: Final = 8
_LONGEST_NAMED: Final = 40


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table and how to fill it."""

    name: str
    kind: ColumnKind
    required: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch gave to one table.

    Attributes:
        good: `ROW` and the mapped columns in their types (instants Int64 µs UTC), valid rows only.
        bad: `ROW`, `cause`, `content` (the raw texts as JSON).
        unreadable: column of numbers -> its values in valid rows that are no number within ±10^15, and null in `good`.
        cleared: of changes of attributes, the valid ones to nothing.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    unreadable: dict[str, Unreadable]
    cleared: Cleared


@dataclass(frozen=True, slots=True)
class Transform:
    """One output of one raw file, ready to be applied to batches."""

    table: TableName
    columns: tuple[Column, ...]
    zones: dict[str, str]
    where: pl.Expr
    missing: tuple[str, ...]
    numbers: Collection[str] = ()

    @classmethod
    def of(cls, mapping: Mapping, raw: RawFile, output: Output, numbers: Collection[str] = ()) -> "Transform":
        """Prepare an output; `numbers` are the attributes of leads that are numbers, whose changes are read as such."""
        required = {name for name in required_columns(mapping, output.table) if (output.table, name) != CLEARED_BY}
        kinds = TABLES[output.table]
        columns = [Column(name, kinds[name], name in required, source) for name, source in output.columns.items()]
        columns += [
            Column(name, "number" if source.kind == "number" else "text", required=False, source=source)
            for name, source in output.attributes.items()
        ]
        if mapping.order_column and output.table == "leads":
            columns.append(Column(ORDER, "number", required=True, source=Source(column=mapping.order_column)))
        if "activity_id" in output.columns:
            columns = [_demanded(column) if column.name == "activity_id" else column for column in columns]
        missing = (*mapping.missing, *raw.missing)
        zones = {column.name: column.source.zone or raw.zone or mapping.zone for column in columns}
        return cls(output.table, tuple(columns), zones, condition(output.where, missing), missing, numbers)

    def select(self, batch: pl.DataFrame) -> pl.Series:
        """Say for each raw row whether it goes into this table, shape (n,)."""
        return batch.select(pl.repeat(value=True, n=pl.len()) & self.where).to_series()

    def apply(self, batch: pl.DataFrame) -> Rows:
        """Fill the table's columns from raw rows that were selected for it."""
        texts = batch.select(text_of(column.source, self.missing).alias(column.name) for column in self.columns)
        if len(texts) != len(batch):  # constants only
            texts = pl.concat([texts] * len(batch)) if len(batch) else texts.clear()
        filled: dict[str, pl.Series] = {ROW: batch[ROW]}
        cause = pl.Series(_CAUSE, [None], dtype=pl.String).new_from_index(0, len(batch))
        for column in self.columns:
            text = texts[column.name]
            filled[column.name], problem = self._typed(column, text)
            for why, wrong in problem:
                if wrong.any():
                    said = pl.Series([f"{_shown(column)}: {why}"]).new_from_index(0, len(batch))
                    cause = cause.zip_with(cause.is_not_null() | ~wrong, said)
        frame = pl.DataFrame(filled)
        valid = cause.is_null()
        good = frame.filter(valid)
        counts = self._unreadable(texts.filter(valid), good)
        if self.table == "activities" and "activity_id" not in frame.columns:
            good = good.with_columns(content_hash(good).alias("activity_id"))
        cleared = Cleared()
        if self.table == CLEARED_BY[0]:
            good, cleared = readable_changes(good, self.numbers), Cleared.among(good[CLEARED_BY[1]])
        return Rows(good, _refused(batch, cause), counts, cleared)

    def _unreadable(self, texts: pl.DataFrame, good: pl.DataFrame) -> dict[str, Unreadable]:
        if self.table == "attribute_changes":
            return unreadable_changes(good, self.numbers)
        names = [column.name for column in self.columns if column.kind == "number" and not column.required]
        return {name: unreadable(good[ROW], texts[name], good[name]) for name in names}

    def _typed(self, column: Column, text: pl.Series) -> tuple[pl.Series, list[tuple[str, pl.Series]]]:
        """Convert a column; give with it each kind of problem and where it is."""
        problems: list[tuple[str, pl.Series]] = []
        value = text
        if column.kind == "instant":
            form = column.source.time or "iso"
            value = parse_instants(text, form, self.zones[column.name])
            problems.append((f"not a time in the format {form}", value.is_null() & text.is_not_null()))
        elif column.kind == "number":
            value = finite(text) if column.required else bounded(text)
            if column.required:
                problems.append(("not a finite number", value.is_null() & text.is_not_null()))
        vocabulary = VOCABULARIES.get((self.table, column.name))
        if vocabulary is not None:
            problems += _unknown(text, vocabulary)
        if column.required:
            problems.append(("missing", text.is_null()))
        return value, problems


def _unknown(text: pl.Series, vocabulary: Sequence[str]) -> list[tuple[str, pl.Series]]:
    """Give the commonest words that a vocabulary does not have, and at last all such words, and where they are."""
    wrong = ~text.is_in(list(vocabulary)).fill_null(value=True)
    if not wrong.any():
        return []
    short = text.filter(wrong & (text.str.len_chars() <= _LONGEST_NAMED)).value_counts(name="n")
    words = short.sort("n", text.name, descending=[True, False]).head(_MOST_NAMED)[text.name]
    named = [(f"`{word}` is unknown{did_you_mean(word, vocabulary)}", text == word) for word in words]
    return [*named, (f"not one of {', '.join(vocabulary)}", wrong)]


def _demanded(column: Column) -> Column:
    return Column(column.name, column.kind, required=True, source=column.source)


def _shown(column: Column) -> str:
    return str(column.source.column) if column.name == ORDER else column.name


def _refused(batch: pl.DataFrame, cause: pl.Series) -> pl.DataFrame:
    wrong = batch.with_columns(cause).filter(cause.is_not_null())
    raw = [name for name in batch.columns if name != ROW]
    content = pl.struct(raw).struct.json_encode() if raw else pl.lit("{}")
    return wrong.select(ROW, pl.col(_CAUSE).alias("cause"), content.alias("content"))


def content_hash(activities: pl.DataFrame) -> pl.Series:
    """Hash the content of activities (not when it was received), shape (n,); the same in every version and engine.

    BLAKE2b with 96 bits over the columns' texts, separated by control characters that trimmed fields rarely hold.
    """
    parts = [
        pl.col(name).cast(pl.String).fill_null(_NULL) if name in activities.columns else pl.lit(_NULL)
        for name in _CONTENT
    ]
    lines = activities.select(pl.concat_str(parts, separator=_RECORD_SEPARATOR)).to_series()
    return pl.Series([blake2b(line.encode(), digest_size=_HASH_BYTES).hexdigest() for line in lines], dtype=pl.String)


def attributes_of(outputs: Sequence[Output], table: TableName) -> dict[str, AttributeSource]:
    """Give the attributes that outputs fill in a table; the last definition of a name counts."""
    return {name: source for output in outputs if output.table == table for name, source in output.attributes.items()}
