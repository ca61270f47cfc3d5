"""Tables, looked at before any engine reads them: columns, types, zones, and ids that are missing.

Of the log only the file's own statistics are read, so a check costs nothing that grows with it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadlight.errors import InputError, did_you_mean
from leadlight.schema import RESERVED, STAGES, TABLES, ColumnKind, TableName

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Columns that features need and that must say something in every row.
NEVER_NULL: Final[Mapping[TableName, tuple[str, ...]]] = {
    "leads": ("lead_id", "created_at"),
    "activities": ("activity_id", "lead_id", "type", "occurred_at", "actor"),
    "stages": ("lead_id", "stage", "entered_at"),
    "attribute_changes": ("lead_id", "field", "changed_at"),
}
_NAMED: Final = 5  # unknown stages
_WANTED: Final[dict[ColumnKind, str]] = {
    "text": "text",
    "instant": "timestamp[us, UTC]",
    "number": "a number",
}


def files(paths: Mapping[TableName, Path]) -> None:
    """Check the Parquet files (or folders of them) that features are computed from.

    Args:
        paths: table -> file, or folder of files (parts of a path such as `day=3` are columns too).

    Raises:
        InputError: a file is missing or unreadable, a column is missing, of the wrong type, without a zone, or null
            where it must not be; two leads have one id, or a stage is none of the funnel.
    """
    for name, path in paths.items():
        for part in _parts(name, path):
            _check(name, path, part)
    if "leads" in paths:
        _refuse_doubled(paths["leads"])
    if "stages" in paths:
        _refuse_other_stages(paths["stages"])


def _parts(name: TableName, path: Path) -> list[Path]:
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not found or not found[0].exists():
        raise InputError(f"table `{name}`: there is no Parquet file at `{path}`; check the path, or ingest again")
    return found


def _check(name: TableName, root: Path, part: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415  (the service imports this package's online half only)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(part)
    except (pa.ArrowInvalid, OSError) as unreadable:
        told = " ".join(str(unreadable).split())
        raise InputError(f"table `{name}`: `{part.name}` cannot be read as Parquet ({told})") from unreadable
    with file:
        in_path = {piece.partition("=")[0] for piece in part.relative_to(root).parts if "=" in piece}
        columns(name, file.schema_arrow, in_path)
        _refuse_nulls(name, file, in_path)


def attributes(leads: Any, read: Iterable[str | None] = ()) -> None:
    """Check the attributes of leads, given as a native frame of any engine.

    Args:
        leads: the frame.
        read: attributes that features are made of; None and what is not there are passed over.

    Raises:
        InputError: an attribute's name begins with two underscores (columns of leadlight's own do), or one that is
            read is of a type that engines do not treat alike.
    """
    import narwhals as nw  # noqa: PLC0415

    frame = nw.from_native(leads)
    kinds = frame.collect_schema()
    for column in kinds:
        if column.startswith(RESERVED):
            raise InputError(
                f"table `leads`: `{column}` begins with `{RESERVED}`, as only leadlight's own columns do; rename it"
            )
    for column in sorted({column for column in read if column is not None} & set(kinds)):
        kind = kinds[column]
        if isinstance(frame, nw.DataFrame) and kind in {nw.Object, nw.Unknown}:  # the values tell
            known = frame[column].drop_nulls().head(1).to_list()
            kind = nw.from_dict({column: known}, backend="polars").schema[column] if known else kind
        told = _not_alike(kind)
        if told is not None:
            raise InputError(f"table `leads`: attribute `{column}` holds {told}; convert it to text or a number")


def _not_alike(kind: Any) -> str | None:
    """Say what values of a type are that engines write and compare each in its own way; None for others."""
    import narwhals as nw  # noqa: PLC0415

    if kind == nw.Datetime:
        return None if kind.time_zone is None else "times with a zone"
    told = {nw.List: "lists", nw.Array: "lists", nw.Struct: "records", nw.Duration: "durations", nw.Binary: "bytes"}
    return told.get(kind.base_type())


def columns(name: TableName, schema: "pa.Schema", beside: Iterable[str] = ()) -> None:
    """Check the columns of a table.

    Args:
        name: which table.
        schema: of the file.
        beside: columns that stand in the path.

    Raises:
        InputError: a column is missing, of the wrong type, or an instant without a zone.
    """
    for column, kind in TABLES[name].items():
        if column in set(beside):
            continue
        if column not in schema.names:
            raise InputError(f"table `{name}`: column `{column}` is missing{did_you_mean(column, schema.names)}")
        _check_type(f"{name}.{column}", kind, schema.field(column).type)


def _check_type(where: str, kind: ColumnKind, found: "pa.DataType") -> None:
    import pyarrow.types as of  # noqa: PLC0415

    if of.is_dictionary(found):
        found = found.value_type
    if of.is_null(found) and kind != "instant":
        return
    fits = {
        "text": of.is_string(found) or of.is_large_string(found) or of.is_string_view(found),
        "number": of.is_floating(found) or of.is_integer(found),
        "instant": of.is_timestamp(found),
    }
    if not fits[kind]:
        raise InputError(f"{where} is of type {found}, must be {_WANTED[kind]}; convert the column")
    if kind == "instant" and found.tz is None:
        raise InputError(f"{where} holds times without a zone ({found}); convert it to {_WANTED[kind]}")


def _refuse_nulls(name: TableName, file: "pq.ParquetFile", beside: Iterable[str]) -> None:
    for column in NEVER_NULL.get(name, ()):
        if column in set(beside):
            continue
        number = _nulls(file, column)
        if number:
            raise InputError(f"{number} rows of `{name}` have no {column}; leave them out or give them one")


def _nulls(file: "pq.ParquetFile", column: str) -> int:
    """Count the nulls of a column by the statistics of its row groups, and by its values where they say nothing."""
    paths = [file.schema.column(number).path for number in range(len(file.schema))]
    place, total = paths.index(column), 0
    for group in range(file.metadata.num_row_groups):
        found = file.metadata.row_group(group).column(place).statistics
        if found is None or not found.has_null_count:
            return sum(batch.column(0).null_count for batch in file.iter_batches(columns=[column]))
        total += found.null_count
    return total


def _refuse_doubled(path: Path) -> None:
    import polars as pl  # noqa: PLC0415

    ids = pl.scan_parquet(path).select("lead_id").collect()["lead_id"]
    if ids.n_unique() < len(ids):
        twice = ids.filter(ids.is_duplicated())
        raise InputError(f"table `leads`: lead_id `{twice[0]}` stands in more than one row; keep one row a lead")


def _refuse_other_stages(path: Path) -> None:
    import polars as pl  # noqa: PLC0415

    words = pl.scan_parquet(path).select(pl.col("stage").cast(pl.String))
    other = words.filter(~pl.col("stage").is_in(STAGES)).group_by("stage").len()
    found = other.sort(["len", "stage"], descending=[True, False]).collect().rows()
    if found:
        told = ", ".join(f"`{word}` ({number:,} rows)" for word, number in found[:_NAMED])
        more = f" and {len(found) - _NAMED:,} others" if len(found) > _NAMED else ""
        raise InputError(f"table `stages`: the funnel has no stage {told}{more}{did_you_mean(found[0][0], STAGES)}")
