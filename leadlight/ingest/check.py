"""What a mapping must fulfil beyond its shape, each problem with its line."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from leadlight.documents import Document
from leadlight.errors import MappingError, did_you_mean
from leadlight.ingest.mapping import AttributeSource, Mapping, Output, RawFile, Source
from leadlight.schema import ACTORS, RESERVED, STAGES, TABLES, TableName

Loc = tuple[int | str, ...]

# Columns without which a row has no meaning. An activity id may be missing altogether (a hash stands in for it).
REQUIRED: Final[dict[TableName, tuple[str, ...]]] = {
    "leads": ("lead_id", "created_at"),
    "accounts": ("account_id",),
    "activities": ("lead_id", "type", "occurred_at", "actor"),
    "stages": ("lead_id", "stage", "entered_at"),
    "attribute_changes": ("lead_id", "field", "changed_at", "value"),
}
# A column that must be mapped, and whose value a row may miss: a change to nothing clears the attribute.
CLEARED_BY: Final[tuple[TableName, str]] = ("attribute_changes", "value")
# Under `clock: order` these come from the order, not from a raw column.
ORDERED_INSTANTS: Final[dict[TableName, str]] = {"leads": "created_at", "stages": "entered_at"}
VOCABULARIES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("activities", "actor"): ACTORS,
    ("stages", "stage"): STAGES,
}
_CLOSE: Final = 0.75  # likeness of two names above which a slip of the pen is likelier than another word
_TIME_LIKE: Final = re.compile(r"time|date|stamp|_at$|_on$|日時|日付|時刻", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping that holds, with the document that knows its lines."""

    document: Document
    mapping: Mapping

    @classmethod
    def read(cls, path: Path) -> "MappingFile":
        """Read and check a mapping.

        Raises:
            MappingError: it is missing, not YAML, or wrong; with the line.
        """
        document = Document.read(path, MappingError)
        mapping = document.validate(Mapping)
        check_mapping(document, mapping)
        return cls(document, mapping)


def check_mapping(document: Document, mapping: Mapping) -> None:
    """Check zones, tables, columns, stages and actors.

    Raises:
        MappingError: located at the first problem.
    """
    _check_zone(document, ("zone",), mapping.zone)
    if mapping.order_column and mapping.observed_until is not None:
        raise document.problem(("observed_until",), "`observed_until` comes from `clock: order`; leave it out")
    kinds: dict[tuple[str, str], str] = {}
    for i, raw in enumerate(mapping.files):
        _check_file(document, ("files", i), raw)
        for j, output in enumerate(raw.tables):
            loc: Loc = ("files", i, "tables", j)
            _check_output(document, loc, mapping, output)
            for name, source in output.attributes.items():
                if kinds.setdefault((output.table, name), source.kind) != source.kind:
                    raise document.problem((*loc, "attributes", name), f"`{name}` is a category here, a number there")


def _check_zone(document: Document, loc: Loc, zone: str | None) -> None:
    if zone is not None and zone not in available_timezones():
        raise document.problem(loc, f"zone `{zone}` does not exist{did_you_mean(zone, available_timezones())}")


def _check_file(document: Document, loc: Loc, raw: RawFile) -> None:
    if not raw.file.strip() or Path(raw.file).is_absolute():
        raise document.problem((*loc, "file"), f"`{raw.file}` is no name or glob inside the --data folder")
    _check_zone(document, (*loc, "zone"), raw.zone)
    if raw.quote != "none" and len(raw.quote) != 1:
        raise document.problem((*loc, "quote"), f"`quote` is one character or `none`, not `{raw.quote}`")
    try:
        codecs.lookup(raw.encoding)
    except LookupError as unknown:
        known = ("utf-8", "cp932", "shift_jis", "euc_jp", "latin-1", "cp1252", "utf-16")
        raise document.problem(
            (*loc, "encoding"), f"encoding `{raw.encoding}` does not exist{did_you_mean(raw.encoding, known)}"
        ) from unknown


def required_columns(mapping: Mapping, table: TableName) -> tuple[str, ...]:
    """Give the columns of `table` that this mapping must fill from raw columns."""
    ordered = ORDERED_INSTANTS.get(table) if mapping.order_column else None
    return tuple(column for column in REQUIRED[table] if column != ordered)


def _check_output(document: Document, loc: Loc, mapping: Mapping, output: Output) -> None:
    if mapping.order_column and output.table in {"activities", "attribute_changes"}:
        raise document.problem((*loc, "table"), f"`clock: order` has no times, so it cannot fill `{output.table}`")
    known = TABLES[output.table]
    for name in output.columns:
        if name not in known:
            raise document.problem(
                (*loc, "columns", name), f"table `{output.table}` has no column `{name}`{did_you_mean(name, known)}"
            )
        if mapping.order_column and ORDERED_INSTANTS.get(output.table) == name:
            raise document.problem((*loc, "columns", name), f"`{name}` comes from `clock: order`; leave it out")
    for name in required_columns(mapping, output.table):
        if name not in output.columns:
            raise document.problem((*loc, "columns"), f"table `{output.table}` needs the column `{name}`")
    _check_attributes(document, loc, output)
    for name, source, where in _located_sources(output, loc):
        kind = source.kind if isinstance(source, AttributeSource) else known.get(name, "text")
        _check_source(document, where, source, str(kind), VOCABULARIES.get((output.table, name)))


def _check_attributes(document: Document, loc: Loc, output: Output) -> None:
    for name, source in output.attributes.items():
        where = (*loc, "attributes", name)
        if output.table not in {"leads", "accounts"}:
            raise document.problem(where, f"only leads and accounts have attributes, not `{output.table}`")
        if not name.isidentifier() or name in TABLES[output.table]:
            raise document.problem(
                where, f"`{name}` cannot be an attribute's name; use letters, digits and `_`, not a table's own column"
            )
        if name.startswith(RESERVED):
            raise document.problem(
                where, f"`{name}` begins with `{RESERVED}`, as only leadlight's own columns do; choose another name"
            )
        if source.time is not None:
            raise document.problem((*where, "time"), f"attribute `{name}` is a {source.kind}; it takes no `time`")


def _located_sources(output: Output, loc: Loc) -> Iterator[tuple[str, Source, Loc]]:
    for name, source in output.columns.items():
        yield name, source, (*loc, "columns", name)
    for name, attribute in output.attributes.items():
        yield name, attribute, (*loc, "attributes", name)


def _check_source(document: Document, loc: Loc, source: Source, kind: str, vocabulary: Sequence[str] | None) -> None:
    _check_zone(document, (*loc, "zone"), source.zone)
    if kind != "instant" and (source.time is not None or source.zone is not None):
        key = "time" if source.time is not None else "zone"
        raise document.problem((*loc, key), f"`{loc[-1]}` is no instant; it takes no `{key}`")
    if source.template is not None and not source.raw_columns():
        raise document.problem((*loc, "template"), "no column in braces; use `constant` for a fixed text")
    if vocabulary is None:
        return
    values: list[tuple[Loc, str]] = [((*loc, "map", key), value) for key, value in source.map.items()]
    values += [((*loc, "patterns", n, "value"), pattern.value) for n, pattern in enumerate(source.patterns)]
    values += [((*loc, key), text) for key in ("constant", "default") if (text := getattr(source, key)) is not None]
    for where, value in values:
        if value not in vocabulary:
            raise document.problem(where, f"{loc[-1]} `{value}` does not exist{did_you_mean(value, vocabulary)}")


def raw_columns(mapping: Mapping, raw: RawFile) -> dict[str, Loc]:
    """Give every raw column that a file's outputs read, with the place in the mapping that asks for it first."""
    index = mapping.files.index(raw)
    columns: dict[str, Loc] = {}
    if mapping.order_column and any(output.table == "leads" for output in raw.tables):
        columns[mapping.order_column] = ("clock",)
    for j, output in enumerate(raw.tables):
        loc: Loc = ("files", index, "tables", j)
        for name, source, where in _located_sources(output, loc):
            key = "template" if source.template is not None else "column"
            for column in source.raw_columns():
                columns.setdefault(column, (*loc, *where[len(loc) :], key))
            _ = name
        for column in output.where:
            columns.setdefault(column, (*loc, "where", column))
    return columns


def missing_column(wrong: str, loc: Loc, file: str, known: Sequence[str]) -> str:
    """Say that a raw column does not exist; for an instant the nearest name may be near in meaning only."""
    time_like = [name for name in known if _TIME_LIKE.search(name)]
    wants_time = any(str(part).endswith(("_at", "_until")) for part in loc)
    meant = wants_time and len(time_like) == 1 and not get_close_matches(wrong, known, cutoff=_CLOSE)
    hint = f"; did you mean `{time_like[0]}`?" if meant else did_you_mean(wrong, known)
    return f"column `{wrong}` is not in {file}{hint}"
