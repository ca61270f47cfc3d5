"""The mapping file: where each column of the tables comes from. Reference for users: `docs/mapping.md`."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from leadlight.schema import AttributeKind, KnownAt, TableName

Format = Literal["csv", "parquet", "ndjson"]
TIME_WORDS: Final = ("iso", "epoch_s", "epoch_ms", "epoch_us")
_ORDER: Final = re.compile(r"^order\((?P<column>.+)\)$")
_SUFFIXES: Final[tuple[tuple[tuple[str, ...], Format], ...]] = (
    ((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz"), "csv"),
    ((".parquet", ".pq"), "parquet"),
    ((".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz"), "ndjson"),
)


def _text(value: Any) -> Any:
    """Read what YAML took for a number, flag or date as the text that was meant."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | date) else value


def _texts(value: Any) -> Any:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[str], BeforeValidator(_texts)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Strict):
    """One pattern of a list: the first that fits gives the value. Exactly one of `glob`, `regex`."""

    glob: str | None = None
    regex: str | None = None
    value: Text

    @model_validator(mode="after")
    def _one(self) -> "Pattern":
        if (self.glob is None) == (self.regex is None):
            raise ValueError("give exactly one of `glob` and `regex`")
        return self

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str | None) -> str | None:
        return _regex(regex)


def _regex(regex: str | None) -> str | None:
    """Try the expression on the engine that will use it (it knows no look-around and no back-references)."""
    if regex is not None:
        import polars as pl  # noqa: PLC0415  (slow to load, and most mappings have no expression)

        try:
            pl.Series([""]).str.contains(regex)
        except pl.exceptions.ComputeError as wrong:
            reason = str(wrong).strip().splitlines()[-1].removeprefix("error: ")
            raise ValueError(f"`{regex}` is not a regular expression: {reason}") from wrong
    return regex


class Condition(_Strict):
    """What a raw column must hold; all that is given must be true. A text alone means `in: [text]`."""

    in_: Texts | None = Field(default=None, alias="in")
    not_in: Texts | None = None
    glob: str | None = None
    not_glob: str | None = None
    regex: str | None = None
    missing: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return data if isinstance(data, dict) else {"in": data}

    @model_validator(mode="after")
    def _something(self) -> "Condition":
        if not self.model_fields_set:
            raise ValueError("an empty condition; give `in`, `not_in`, `glob`, `not_glob`, `regex` or `missing`")
        return self

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str | None) -> str | None:
        return _regex(regex)


class Source(_Strict):
    """Where one column of a table comes from. A text alone means `column: text`.

    Attributes:
        column: raw column. Exactly one of `column`, `template`, `constant`.
        template: text with raw columns in braces, e.g. `{activity} {lifecycle}`; a missing one gives nothing.
        constant: the same text for every row.
        strip: characters to take out first, e.g. `¥,`.
        missing: texts that mean missing, beside those of the file and the mapping.
        map: raw text -> value.
        patterns: tried in order on what `map` does not know.
        otherwise: what becomes of a text that neither knows: `keep` it or take it as `missing`. Without being said:
            `missing` where there are patterns, else `keep`.
        slug: lower case, everything but letters and digits as `_`.
        default: the value where nothing is left.
        time: for instants: `iso`, `epoch_s`, `epoch_ms`, `epoch_us` or a format such as `%Y/%m/%d %H:%M`.
        zone: IANA zone in which a time without offset is read.
    """

    column: Text | None = None
    template: str | None = None
    constant: Text | None = None
    strip: str | None = None
    missing: Texts = Field(default_factory=list)
    map: dict[str, Text] = Field(default_factory=dict)
    patterns: list[Pattern] = Field(default_factory=list)
    otherwise: Literal["keep", "missing"] | None = None
    slug: bool = False
    default: Text | None = None
    time: str | None = None
    zone: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return data if isinstance(data, dict) else {"column": data}

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if [self.column, self.template, self.constant].count(None) != 2:
            raise ValueError("give exactly one of `column`, `template` and `constant`")
        return self

    @field_validator("time")
    @classmethod
    def _known_time(cls, time: str | None) -> str | None:
        if time is not None and time not in TIME_WORDS and "%" not in time:
            raise ValueError(
                f"`{time}` is neither a format such as `%Y/%m/%d %H:%M` nor one of {', '.join(TIME_WORDS)}"
            )
        return time

    def raw_columns(self) -> list[str]:
        """Give the raw columns that it reads."""
        if self.template is not None:
            return re.findall(r"\{([^{}]+)\}", self.template)
        return [self.column] if self.column is not None else []


class AttributeSource(Source):
    """An attribute of leads or accounts: a source with its kind and when it became known.

    Attributes:
        kind: `category` (text) or `number`.
        known_at: `creation`, `changes` (its history is in attribute_changes), or `unknown`: nobody says when it was
            known. It is kept; a feature is made of it only where the leak audit of a training vouches for it.
    """

    kind: AttributeKind = "category"
    known_at: KnownAt = "unknown"


class Output(_Strict):
    """What a raw file gives to one table.

    Attributes:
        table: name of the table.
        where: raw column -> condition; a row goes into the table if all conditions hold.
        columns: column of the table -> source.
        attributes: for leads and accounts: name -> source; the raw column may be left out if it has the same name.
    """

    table: TableName
    where: dict[str, Condition] = Field(default_factory=dict)
    columns: dict[str, Source]
    attributes: dict[str, AttributeSource] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _same_name(cls, data: Any) -> Any:
        attributes = data.get("attributes") if isinstance(data, dict) else None
        if not isinstance(attributes, dict):
            return data
        named = {
            name: {"column": name, **source}
            if isinstance(source, dict) and not {"column", "template", "constant"} & set(source)
            else source
            for name, source in attributes.items()
        }
        return {**data, "attributes": named}

    def sources(self) -> dict[str, Source]:
        """Give columns and attributes together."""
        return {**self.columns, **self.attributes}


class RawFile(_Strict):
    """One raw file, or all that a glob finds.

    Attributes:
        file: name or glob, relative to the data folder.
        format: `csv`, `parquet` or `ndjson`; by default from the suffix.
        encoding: of CSV and NDJSON; a byte order mark is skipped.
        delimiter: of CSV; by default a comma, or a tab for `.tsv`.
        quote: the quoting character of CSV, or `none`.
        names: column names of a CSV without header.
        zone: zone of this file's times without offset.
        missing: texts that mean missing in this file.
        tables: what it gives.
    """

    file: str
    format: Format | None = None
    encoding: str = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    quote: str = '"'
    names: Texts | None = None
    zone: str | None = None
    missing: Texts = Field(default_factory=list)
    tables: list[Output] = Field(min_length=1)

    def format_of(self, name: str) -> Format | None:
        """Give the format of a file, None where the suffix does not tell."""
        if self.format is not None:
            return self.format
        return next((kind for suffixes, kind in _SUFFIXES if name.lower().endswith(suffixes)), None)

    def delimiter_of(self, name: str) -> str:
        """Give the delimiter of a CSV file."""
        if self.delimiter is not None:
            return self.delimiter
        return "\t" if name.lower().endswith((".tsv", ".tsv.gz")) else ","


class Mapping(_Strict):
    """A mapping file.

    Attributes:
        version: of this format; 1.
        zone: IANA zone in which times without offset are read; UTC by default.
        observed_until: how far the record is complete; by default the newest instant seen.
        clock: `time`, or `order(column)` where the data has an order but no time.
        missing: texts that mean missing everywhere; the empty text always does.
        files: the raw files.
    """

    version: Literal[1] = 1
    zone: str = "UTC"
    observed_until: Text | None = None
    clock: str = "time"
    missing: Texts = Field(default_factory=list)
    files: list[RawFile] = Field(min_length=1)

    @field_validator("clock")
    @classmethod
    def _known_clock(cls, clock: str) -> str:
        if clock != "time" and not _ORDER.match(clock):
            raise ValueError(f"`{clock}` is neither `time` nor `order(COLUMN)`")
        return clock

    @field_validator("observed_until")
    @classmethod
    def _instant(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                datetime.fromisoformat(text)
            except ValueError as wrong:
                raise ValueError(f"`{text}` is not an ISO 8601 date or time") from wrong
        return text

    @property
    def order_column(self) -> str | None:
        """The raw column that gives the order, None where the clock is time."""
        match = _ORDER.match(self.clock)
        return match["column"].strip() if match else None

    def observed_until_us(self) -> int | None:
        """Give `observed_until` in µs UTC; without offset it is read in `zone`."""
        if self.observed_until is None:
            return None
        instant = datetime.fromisoformat(self.observed_until)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=ZoneInfo(self.zone))
        since = instant - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
