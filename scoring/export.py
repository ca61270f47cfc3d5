"""A table of scores as CSV or Parquet: whole or not at all, and safe to open in a spreadsheet program."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.workspace import file_atomically
from scoring.score import LeadScore

if TYPE_CHECKING:
    import polars as pl

FORMATS: Final = (".csv", ".parquet")
# A text that begins with one of these is a formula to a spreadsheet program (the wide ones in Japanese editions too).
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
INSTANTS: Final = ("feature_as_of", "scored_at")
COLUMNS: Final = tuple(field.name for field in fields(LeadScore) if field.name not in {"contributions", "base_note"})
TEXTS: Final = frozenset(
    {
        "lead_id",
        "score_basis",
        "temperature",
        "fit_grade",
        "reason_1",
        "reason_2",
        "reason_3",
        "reason_rest",
        "model_version",
    }
)


def check_format(path: Path) -> None:
    """Refuse a file name whose ending is not known.

    Raises:
        InputError: neither .csv nor .parquet.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"`{path.name}`: its ending must be .csv or .parquet")


def table(scores: Iterable[LeadScore]) -> "pl.DataFrame":
    """Give scores as a frame: the flat fields of `LeadScore`, instants in UTC, the highest score first."""
    import polars as pl  # noqa: PLC0415  (the module is read by `--help`)

    kinds: dict[str, Any] = {name: pl.String if name in TEXTS else pl.Float64 for name in COLUMNS}
    kinds |= {"engagement_level": pl.Int64, "degraded": pl.Boolean, **dict.fromkeys(INSTANTS, pl.Int64)}
    rows = [tuple(getattr(score, name) for name in COLUMNS) for score in scores]
    return arranged(pl.DataFrame(rows, schema=kinds, orient="row"))


def arranged(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Put a frame of the flat fields of `LeadScore` (instants in µs) into the form that is written."""
    import polars as pl  # noqa: PLC0415

    instants = (pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in INSTANTS)
    return frame.sort(["raw_score", "lead_id"], descending=[True, False]).with_columns(instants)


def write(frame: "pl.DataFrame", path: Path) -> None:
    """Write a table of scores whole or not at all, as the ending of the file says.

    CSV is UTF-8 with a byte order mark, so that spreadsheet programs read Japanese. A text cell that would be read as
    a formula is led in by an apostrophe; numbers stay numbers.

    Raises:
        InputError: the ending is not known, or the folder does not exist.
    """
    check_format(path)
    if not path.parent.is_dir():
        raise InputError(f"`{path.parent}` is no folder; create it, or write elsewhere")
    with file_atomically(path) as temporary:
        if path.suffix.lower() == ".parquet":
            frame.write_parquet(temporary)
        else:
            _write_csv(frame, temporary)


def safe(cell: object) -> object:
    """Make a cell safe: a text that a spreadsheet program would run is led in by an apostrophe.

    >>> safe("=1+1"), safe(-3.5), safe("Tokyo")
    ("'=1+1", -3.5, 'Tokyo')
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _write_csv(frame: "pl.DataFrame", path: Path) -> None:
    import polars as pl  # noqa: PLC0415

    plain = frame.with_columns(pl.col(name).dt.epoch("us") for name in INSTANTS)
    instants = [plain.columns.index(name) for name in INSTANTS]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(plain.columns)
        for row in plain.iter_rows():
            cells = [safe(cell) for cell in row]
            for at in instants:
                cells[at] = iso(row[at])
            writer.writerow(cells)
