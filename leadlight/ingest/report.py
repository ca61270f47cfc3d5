"""What an ingest did, row by row accounted for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from leadlight.errors import LeadlightError
from leadlight.schema import TableName

if TYPE_CHECKING:
    import polars as pl

MOST_EXAMPLES: Final = 3  # of the unreadable values of a column
_LONGEST_EXAMPLE: Final = 40


@dataclass(frozen=True, slots=True)
class Example:
    """A value of a raw file: its row, as a spreadsheet shows it, and its text, cut where it is long."""

    row: int
    value: str

    @classmethod
    def of(cls, row: int, value: str) -> "Example":
        """Quote a value."""
        return cls(row, value if len(value) <= _LONGEST_EXAMPLE else f"{value[:_LONGEST_EXAMPLE]}...")


@dataclass(slots=True)
class Unreadable:
    """Values of a column of numbers that are no number within ±10^15: null in the tables, in rows that are stored.

    Attributes:
        count: how many.
        of: how many values there are, missing ones left out.
        examples: the first of them.
    """

    count: int = 0
    of: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, later: "Unreadable") -> None:
        """Add those of later rows."""
        self.count += later.count
        self.of += later.of
        self.examples = [*self.examples, *later.examples][:MOST_EXAMPLES]

    def sentence(self, column: str) -> str:
        """Say how many and show examples; where nothing at all could be read, the mapping may be wrong."""
        whole = self.count == self.of
        share = f"all {self.of:,}" if whole else f"{self.count:,} of {self.of:,}"
        shown = ", ".join(f"`{' '.join(found.value.split())}` in row {found.row}" for found in self.examples)
        hint = "; does the mapping need `strip`, or is it no number?" if whole else ""
        return f"{share} values of `{column}` are no number within ±10^15 and count as missing: {shown}{hint}"


@dataclass(slots=True)
class Cleared:
    """Changes of attributes to nothing: somebody emptied the field, and its value is missing from then on.

    Attributes:
        count: how many.
        of: how many changes there are.
    """

    count: int = 0
    of: int = 0

    @classmethod
    def among(cls, values: "pl.Series") -> "Cleared":
        """Count those among the new values of changes, null = cleared, shape (n,)."""
        return cls(values.null_count(), len(values))

    def add(self, later: "Cleared") -> None:
        """Add those of later rows."""
        self.count += later.count
        self.of += later.of

    def sentence(self) -> str:
        """Say how many; where all are, the mapping may be wrong."""
        whole = self.count == self.of
        share = f"all {self.of:,}" if whole else f"{self.count:,} of {self.of:,}"
        hint = "; does the mapping read `value` from the right column?" if whole else ""
        return f"{share} changes clear their attribute, which is missing from then on{hint}"


@dataclass(slots=True)
class TableReport:
    """What one file gave to one table: `rows` = stored + updated + duplicates + quarantined.

    Attributes:
        table: name of the table.
        rows: raw rows selected for the table.
        stored: new rows.
        updated: rows whose key was known and whose values differ (the newer ones stay).
        duplicates: rows that say what was known.
        quarantined: rows kept aside.
        causes: cause -> number of quarantined rows.
        unreadable: column of numbers -> those of its values that could not be read, if any. Quarantined rows are not
            looked at.
        cleared: of changes of attributes, those to nothing; of quarantined rows none.
    """

    table: TableName
    rows: int = 0
    stored: int = 0
    updated: int = 0
    duplicates: int = 0
    quarantined: int = 0
    causes: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    cleared: Cleared = field(default_factory=Cleared)

    def quarantine(self, cause: str, count: int) -> None:
        """Count rows kept aside."""
        self.quarantined += count
        self.causes[cause] = self.causes.get(cause, 0) + count

    def read(self, unreadable: Mapping[str, Unreadable], cleared: Cleared) -> None:
        """Count the values of a batch that could not be read, and its changes to nothing."""
        for column, found in unreadable.items():
            self.unreadable.setdefault(column, Unreadable()).add(found)
        self.cleared.add(cleared)


@dataclass(slots=True)
class FileReport:
    """One raw file.

    Attributes:
        file: name relative to the data folder.
        rows: records read, malformed ones included.
        malformed: records that could not be read (quarantined for no table).
        left_out: well-formed records that no table asked for.
        causes: cause -> number of malformed records.
        tables: what it gave.
    """

    file: str
    rows: int = 0
    malformed: int = 0
    left_out: int = 0
    causes: dict[str, int] = field(default_factory=dict)
    tables: list[TableReport] = field(default_factory=list)


@dataclass(slots=True)
class Retried:
    """Rows that waited in quarantine: `rows` = stored + updated + duplicates + waiting."""

    rows: int = 0
    stored: int = 0
    updated: int = 0
    duplicates: int = 0
    waiting: int = 0


@dataclass(slots=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        generation: name of the published tables.
        observed_until: µs UTC.
        clock: `time` or `order`.
        files: one report a file, in the order read.
        retried: rows that waited in quarantine from earlier ingests.
        tables: rows per table now, quarantine included.
        seconds: wall time.
    """

    generation: str
    observed_until: int
    clock: str
    files: list[FileReport]
    retried: Retried
    tables: dict[str, int]
    seconds: float = 0.0

    def total(self, count: str) -> int:
        """Sum a count of `TableReport` over files and tables."""
        return sum(int(getattr(table, count)) for file in self.files for table in file.tables)

    @property
    def quarantined(self) -> int:
        """Rows of this ingest kept aside, malformed ones included."""
        return self.total("quarantined") + sum(file.malformed for file in self.files)

    @property
    def unreadable(self) -> int:
        """Values of this ingest that could not be read and are null."""
        tables = (table for file in self.files for table in file.tables)
        return sum(column.count for table in tables for column in table.unreadable.values())

    @property
    def cleared(self) -> int:
        """Changes of this ingest that clear their attribute."""
        return sum(table.cleared.count for file in self.files for table in file.tables)

    @property
    def nothing_stored(self) -> bool:
        """Whether not one row was stored, updated or known already."""
        return self.total("stored") + self.total("updated") + self.total("duplicates") == 0

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON."""
        whole = {"quarantined": self.quarantined, "unreadable": self.unreadable, "cleared": self.cleared}
        return {**asdict(self), **whole}


def check_balance(files: list[FileReport], retried: Retried) -> None:
    """Prove that no row was lost.

    Raises:
        LeadlightError: rows in are not the sum of what became of them (a defect of leadlight, nothing is published).
    """
    for file in files:
        for table in file.tables:
            found = table.stored + table.updated + table.duplicates + table.quarantined
            if found != table.rows or sum(table.causes.values()) != table.quarantined:
                raise LeadlightError(
                    f"{file.file} -> {table.table}: {table.rows} rows in, {found} accounted for; "
                    "nothing was published, please report this as a defect"
                )
    if retried.rows != retried.stored + retried.updated + retried.duplicates + retried.waiting:
        raise LeadlightError("rows retried from quarantine do not add up; nothing was published, please report this")
