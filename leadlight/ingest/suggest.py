"""A first mapping for a folder of raw files. It guesses from names and some rows, and marks every guess `TODO`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.errors import RawDataError
from leadlight.ingest.mapping import Format, RawFile
from leadlight.ingest.readers import ROW, OpenedFile, open_bytes, open_raw
from leadlight.ingest.times import parse_instants
from leadlight.ingest.values import raw_text
from leadlight.schema import ACTIVITY_TYPES, STAGES

_SAMPLE_ROWS: Final = 2_000
_SAMPLE_BYTES: Final = 1 << 20
_MOST_VALUES: Final = 40  # of a column whose values are listed in the mapping
_ENCODINGS: Final = ("utf-8", "cp932", "latin-1")
_DELIMITERS: Final = (",", ";", "\t", "|")
_TIMES: Final = ("iso", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%m/%d/%Y")
_EPOCHS: Final = (("epoch_s", 10), ("epoch_ms", 13), ("epoch_us", 16))
_LEAD_ID: Final = re.compile(
    r"^(lead|case|contact|prospect|mql|person|customer|リード)(.{0,6}(id|key|no|number|番号))?$", re.IGNORECASE
)
_PLAIN_ID: Final = re.compile(r"^(id|key|番号)$", re.IGNORECASE)
_EVENT_ID: Final = re.compile(r"(activity|event|log|message|row).{0,2}id", re.IGNORECASE)
_TYPE: Final = re.compile(r"type|activity|event|action|kind|種別|種類", re.IGNORECASE)
_STAGE: Final = re.compile(r"stage|status|phase|ステージ|フェーズ|状態", re.IGNORECASE)
_FLAG: Final = re.compile(r"convert|won|customer|成約|受注", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"(account|company|org).{0,3}id|会社id|企業id", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Column:
    """What a sample tells of a raw column: its different values, its time format if it has one, whether numbers."""

    name: str
    values: tuple[str, ...]
    rows: int
    time: str | None
    number: bool

    @property
    def unique(self) -> bool:
        return self.rows > 1 and len(self.values) == self.rows


def suggest_mapping(folder: Path) -> str:
    """Write a first mapping for the raw files of a folder; it loads, and every guess in it bears a `TODO`.

    Raises:
        RawDataError: the folder does not exist or holds no raw file.
    """
    paths = sorted(path for path in folder.iterdir() if _looks_raw(path)) if folder.is_dir() else []
    if not paths:
        raise RawDataError(f"{folder} holds no CSV, Parquet or NDJSON file; give the folder of the raw files")
    lines = [
        "# A first mapping, guessed from names and the first rows. Check every TODO; the reference is docs/mapping.md.",
        "version: 1",
        "zone: UTC # TODO: the IANA zone of times without offset, e.g. Asia/Tokyo",
        '# observed_until: "2026-01-01" # TODO: how far the record is complete (default: the newest instant)',
        "missing: [] # TODO: texts that mean missing, e.g. [Select, N/A]",
        "files:",
    ]
    opened = [_Described.of(path) for path in paths]
    order = _order_column(opened)
    if order is not None:
        lines.insert(2, f"clock: order({order}) # TODO: no time was found; does this column rise with creation?")
    for file in opened:
        lines += _file(file, ordered=order is not None)
    return "\n".join(lines) + "\n"


def _looks_raw(path: Path) -> bool:
    described = RawFile.model_construct(file=path.name, format=None)
    return path.is_file() and not path.name.startswith(".") and described.format_of(path.name) is not None


@dataclass(frozen=True, slots=True)
class _Described:
    """A file, how to read it, and its columns."""

    name: str
    encoding: str
    delimiter: str | None
    columns: list[_Column]

    @classmethod
    def of(cls, path: Path) -> "_Described":
        opened, encoding, delimiter = _open(path)
        return cls(path.name, encoding, delimiter, _sample(opened))


def _order_column(files: Sequence[_Described]) -> str | None:
    """Give the raw column that may stand in for the clock: one file, no time in it, whole numbers that never repeat."""
    if len(files) != 1 or any(column.time for column in files[0].columns):
        return None
    whole = re.compile(r"[0-9]+")
    return next(
        (c.name for c in files[0].columns if c.number and c.unique and all(whole.fullmatch(v) for v in c.values)), None
    )


def _file(file: _Described, *, ordered: bool) -> Iterator[str]:
    """Write the part of one file."""
    yield f"  - file: {_quoted(file.name)}"
    if file.encoding != _ENCODINGS[0]:
        yield f"    encoding: {file.encoding} # TODO: it is not UTF-8; is it this?"
    if file.delimiter is not None:
        yield f"    delimiter: {_quoted(file.delimiter)} # TODO: check"
    yield "    tables:"
    if any(column.time for column in file.columns) and not _one_row_a_lead(file.columns):
        yield from _log(file.columns)
    else:
        yield from _leads(file.columns, ordered=ordered)


def _open(path: Path) -> tuple[OpenedFile, str, str | None]:
    raw = RawFile.model_construct(
        file=path.name,
        format=None,
        encoding="utf-8",
        delimiter=None,
        quote='"',
        names=None,
        zone=None,
        missing=[],
        tables=[],
    )
    kind: Format | None = raw.format_of(path.name)
    if kind == "parquet":
        return open_raw(path, raw), "utf-8", None
    with open_bytes(path) as file:
        head = file.read(_SAMPLE_BYTES)
    encoding = _encoding(head)
    delimiter: str | None = None
    if kind == "csv":
        first = head.decode(encoding, errors="replace").partition("\n")[0]
        best = max(_DELIMITERS, key=first.count)
        delimiter = best if first.count(best) and best != raw.delimiter_of(path.name) else None
    described = raw.model_copy(update={"encoding": encoding, "delimiter": delimiter})
    return open_raw(path, described), encoding, delimiter


def _encoding(head: bytes) -> str:
    """Give the first encoding that reads the sample, whose last line may be cut off."""
    whole = head[: head.rfind(b"\n") + 1] or head
    for encoding in _ENCODINGS:
        try:
            whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return _ENCODINGS[-1]


def _sample(opened: OpenedFile) -> list[_Column]:
    """Look at the first rows of a file."""
    names = opened.columns if opened.columns is not None else _keys(opened)
    frames = [batch.frame for batch in islice(opened.batches(names), 1)]
    frame = (
        pl.concat(frames).head(_SAMPLE_ROWS) if frames else pl.DataFrame(schema=dict.fromkeys([ROW, *names], pl.String))
    )
    return [_column(frame.select(raw_text(name, ()).alias(name))[name]) for name in names if name]


def _keys(opened: OpenedFile) -> list[str]:
    import json  # noqa: PLC0415  (only for NDJSON)

    keys: dict[str, None] = {}
    with open_bytes(opened.path) as file:
        for line in islice(file, _SAMPLE_ROWS):
            try:
                record = json.loads(line.decode(opened.raw.encoding).lstrip("\ufeff") or "{}")
            except ValueError:
                continue
            keys.update(dict.fromkeys(record if isinstance(record, dict) else ()))
    return list(keys)


def _column(texts: pl.Series) -> _Column:
    present = texts.drop_nulls()
    values = tuple(present.unique(maintain_order=True).to_list())
    number = len(present) > 0 and present.cast(pl.Float64, strict=False).null_count() == 0
    return _Column(texts.name, values, len(texts), _time(present, number=number), number)


def _time(present: pl.Series, *, number: bool) -> str | None:
    if present.is_empty():
        return None
    if number:
        lengths = set(present.str.len_chars().unique())
        named = re.search(r"time|date|stamp|_at$|日時", present.name, re.IGNORECASE)
        return next((name for name, digits in _EPOCHS if named and lengths == {digits}), None)
    return next((form for form in _TIMES if parse_instants(present, form, "UTC").null_count() == 0), None)


def _first(columns: Sequence[_Column], pattern: re.Pattern[str]) -> _Column | None:
    return next((column for column in columns if pattern.search(column.name)), None)


def _lead_id(columns: Sequence[_Column]) -> _Column:
    named = _first(columns, _LEAD_ID) or _first(columns, _PLAIN_ID)
    return named or next((column for column in columns if column.time is None), columns[0])


def _event_id(columns: Sequence[_Column]) -> _Column | None:
    plain = _first(columns, _PLAIN_ID)
    return _first(columns, _EVENT_ID) or (plain if plain != _lead_id(columns) else None)


def _one_row_a_lead(columns: Sequence[_Column]) -> bool:
    """Whether the file looks like a table of leads: its lead id never repeats, and it is no log with ids of its own."""
    return _lead_id(columns).unique and _event_id(columns) is None


def _source(column: _Column) -> str:
    time = f", time: {_quoted(column.time)}" if column.time not in {None, "iso"} else ""
    return f"{{ column: {_quoted(column.name)}{time} }}" if time else _quoted(column.name)


def _leads(columns: Sequence[_Column], *, ordered: bool) -> Iterator[str]:
    lead_id = _lead_id(columns)
    times = [column for column in columns if column.time]
    account = _first(columns, _ACCOUNT)
    yield "      - table: leads # TODO: one row a lead?"
    yield "        columns:"
    yield f"          lead_id: {_quoted(lead_id.name)} # TODO"
    created = _source(times[0]) if times else _quoted(lead_id.name)
    note = "is this when the lead was created?" if times else "no time found: name one, or use `clock: order(COLUMN)`"
    if not ordered:
        yield f"          created_at: {created} # TODO: {note}"
    if account is not None:
        yield f"          account_id: {_quoted(account.name)} # TODO"
    rest = [column for column in columns if column not in {lead_id, account, *times}]
    if rest:
        yield "        attributes: # TODO: known_at is `creation` only for what was known when the lead was created"
    taken: set[str] = set()
    for column in rest:
        kind = "number" if column.number else "category"
        name = _attribute(column.name, taken)
        yield f"          {name}: {{ column: {_quoted(column.name)}, kind: {kind}, known_at: unknown }} # TODO"
    for column in columns:
        if ordered and _FLAG.search(column.name) and len(column.values) == 2:
            yield "      - table: stages # TODO: is this flag the outcome?"
            yield f'        where: {{ {_quoted(column.name)}: "{max(column.values)}" }} # TODO'
            yield f"        columns: {{ lead_id: {_quoted(lead_id.name)}, stage: {{ constant: customer }} }} # TODO"
    for column in times[1:]:
        yield f"      # TODO: `{column.name}` is a time too; if it is when a stage was entered:"
        yield f"      # - table: stages, where: {{ {_quoted(column.name)}: {{ missing: false }} }}"


def _log(columns: Sequence[_Column]) -> Iterator[str]:
    lead_id, event_id = _lead_id(columns), _event_id(columns)
    time = next(column for column in columns if column.time)
    rest = [column for column in columns if column not in {lead_id, event_id, time}]
    stage, kind = _first(rest, _STAGE), _first(rest, _TYPE)
    if stage is not None and kind is None:
        yield "      - table: stages # TODO: a log of stage entries?"
        yield "        columns:"
        yield f"          lead_id: {_quoted(lead_id.name)} # TODO"
        yield f"          entered_at: {_source(time)} # TODO"
        yield from _mapped("stage", stage, STAGES)
        return
    yield "      - table: activities # TODO: a log of activities? Rows that are stage entries go to `stages`"
    yield "        columns:"
    if event_id is not None:
        yield f"          activity_id: {_quoted(event_id.name)} # TODO"
    yield f"          lead_id: {_quoted(lead_id.name)} # TODO"
    yield f"          occurred_at: {_source(time)} # TODO"
    if kind is None:
        yield "          type: { constant: activity } # TODO: which column says what happened?"
    else:
        yield from _mapped("type", kind, ACTIVITY_TYPES)
    yield "          actor: { constant: lead } # TODO: who acted: lead, marketing, sales or system"


def _mapped(target: str, column: _Column, known: Sequence[str]) -> Iterator[str]:
    """Write a column with its values, so that each can be given its meaning."""
    yield f"          {target}:"
    yield f"            column: {_quoted(column.name)} # TODO"
    yield f"            slug: true # known: {', '.join(known)}"
    if 0 < len(column.values) <= _MOST_VALUES:
        yield "            map:"
        for value in column.values:
            slug = re.sub(r"\W+", "_", value.lower()).strip("_")
            fallback = slug if target == "type" else known[0]
            yield f"              {_quoted(value)}: {_quoted(slug if slug in known else fallback)} # TODO"


def _attribute(name: str, taken: set[str]) -> str:
    """Make a raw column's name an attribute's."""
    slug = re.sub(r"\W+", "_", name.lower()).strip("_")
    if not slug.isidentifier() or slug in {"lead_id", "created_at", "account_id", "consent"}:
        slug = f"raw_{slug}"
    while slug in taken:
        slug += "_2"
    taken.add(slug)
    return slug


def _quoted(text: str) -> str:
    """Quote a text for YAML where it needs it."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.lower() not in {
        "yes",
        "no",
        "true",
        "false",
        "null",
        "on",
        "off",
    }:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n") + '"'
