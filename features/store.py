"""A table of features on disk: a folder of Parquet parts, and `features.json`, which says what they are.

    features.json        what was asked, of what, and how (written last)
    part-*.parquet       lead_id, as_of (timestamp[us, UTC]), one double per feature; in no order
    changes/*.parquet    rows that came by updates, of the same columns
    superseded.parquet   lead_id, as_of of the rows of part-* that no longer count

The last two are there after an update only: read such a table with `scan`. A full build has parts alone.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from leadlight.errors import InputError, LeadlightError, SpecError, WorkspaceError
from leadlight.spec import FeatureSpec
from leadlight.workspace import folder_replaced

FORMAT: Final = 1
INFO: Final = "features.json"
PARTS: Final = "part-*.parquet"
CHANGES: Final = "changes"
SUPERSEDED: Final = "superseded.parquet"
_KEY: Final = ("lead_id", "as_of")
_INSTANT: Final = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Info:
    """What is known of a table of features beside its rows.

    Attributes:
        specs: its columns.
        generation: the tables that it was computed from.
        observed_until: µs UTC; how far their record was complete.
        engine: what computed it last.
        asked: which snapshots it has (`features.asked.Asked`).
        hygiene: settings and merge map that its tables were cleaned by; None = as they were.
        counts: rows, activities and the like, for people.
        before: µs UTC; the instant before which the data lay that its catalog was suggested from; None = the catalog
            was given, or it is not known.
        beyond: whether activities lay at or after `observed_until`, which may count later; True where it is not known.
    """

    specs: tuple[FeatureSpec, ...]
    generation: str
    observed_until: int
    engine: str
    asked: Mapping[str, Any]
    hygiene: Mapping[str, Any] | None
    counts: Mapping[str, Any]
    before: int | None = None
    beyond: bool = True

    def write(self, folder: Path) -> None:
        """Write `features.json`."""
        data = {
            "format": FORMAT,
            "generation": self.generation,
            "observed_until": self.observed_until,
            "engine": self.engine,
            "asked": dict(self.asked),
            "hygiene": self.hygiene,
            "counts": dict(self.counts),
            "before": self.before,
            "beyond": self.beyond,
            "specs": [spec.to_json() for spec in self.specs],
        }
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / INFO).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `features.json`.

        Raises:
            WorkspaceError: the folder is no table of features, is damaged, or of another version.
        """
        path = folder / INFO
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.pop("format") != FORMAT:
                raise WorkspaceError(f"`{folder}` was written by another version of leadlight; build it anew")
            specs = tuple(FeatureSpec.from_json(spec) for spec in data.pop("specs"))
            return cls(specs=specs, **data)
        except FileNotFoundError as missing:
            raise WorkspaceError(f"`{folder}` is no table of features; run `leadlight features build`") from missing
        except (ValueError, KeyError, TypeError, AttributeError, SpecError) as damaged:
            raise WorkspaceError(f"`{path}` is damaged ({damaged}); build the table anew") from damaged


def checked(folder: Path) -> Info:
    """Read `features.json`, and see that every file of the table is whole.

    Raises:
        WorkspaceError: as `Info.read`; or a file is damaged.
    """
    info = Info.read(folder)
    for part in sorted(folder.rglob("*.parquet")):
        try:
            pl.read_parquet_schema(part)
        except (pl.exceptions.PolarsError, OSError) as damaged:
            told = " ".join(str(damaged).split())
            raise WorkspaceError(f"`{part}` is damaged ({told}); build the table anew") from damaged
    return info


def scan(folder: Path) -> pl.LazyFrame:
    """Scan a table, updates included; in no order.

    Raises:
        WorkspaceError: the folder is no table of features, or its `features.json` is damaged.
    """
    found = _parts(folder, PARTS, Info.read(folder).specs)
    if not (folder / SUPERSEDED).exists():
        return found
    gone = pl.scan_parquet(folder / SUPERSEDED)
    return pl.concat([found.join(gone, on=_KEY, how="anti"), changes(folder)])


def changes(folder: Path) -> pl.LazyFrame:
    """Scan the rows that came by updates."""
    return _parts(folder / CHANGES, "*.parquet", Info.read(folder).specs)


def keys(folder: Path, leads: pl.Series | None = None) -> pl.DataFrame:
    """Read which snapshots a table has, of some leads (None: of all): lead_id, as_of (int64 µs)."""
    rows = scan(folder).select("lead_id", pl.col("as_of").cast(pl.Int64))
    return (rows if leads is None else rows.filter(pl.col("lead_id").is_in(leads.implode()))).collect()


def schema(specs: tuple[FeatureSpec, ...]) -> dict[str, pl.DataType]:
    """Give the columns of a table."""
    return {"lead_id": pl.String(), "as_of": _INSTANT, **{spec.name: pl.Float64() for spec in specs}}


def _parts(folder: Path, pattern: str, specs: tuple[FeatureSpec, ...]) -> pl.LazyFrame:
    files, columns = sorted(folder.glob(pattern)), schema(specs)
    if not files:
        return pl.LazyFrame(schema=columns)
    return pl.scan_parquet(files).select(pl.col(name).cast(kind) for name, kind in columns.items())


def height(folder: Path) -> int:
    """Count the rows of a table."""
    return int(scan(folder).select(pl.len()).collect().item())


def carry(old: Path, new: Path, superseded: pl.DataFrame) -> None:
    """Begin a table with the rows of an older one but some; parts are linked, not copied.

    Args:
        old: the older table.
        new: an empty folder; `changes` is made in it.
        superseded: lead_id, as_of (int64 µs) of the rows that no longer count.
    """
    gone = superseded.select("lead_id", pl.col("as_of").cast(_INSTANT))
    for part in old.glob(PARTS):
        _link(part, new / part.name)
    (new / CHANGES).mkdir()
    before = [pl.read_parquet(old / SUPERSEDED)] if (old / SUPERSEDED).exists() else []
    pl.concat([*before, gone]).unique().write_parquet(new / SUPERSEDED)
    earlier = changes(old).join(gone.lazy(), on=_KEY, how="anti").collect()
    if len(earlier):
        earlier.write_parquet(new / CHANGES / "earlier.parquet", compression="lz4")


def _link(part: Path, target: Path) -> None:
    try:
        os.link(part, target)
    except OSError:  # a file system without links
        shutil.copyfile(part, target)


def compact(folder: Path) -> None:
    """Write a table in one part, as a full build would."""
    specs = Info.read(folder).specs
    whole = folder / "whole.parquet"
    scan(folder).select(list(schema(specs))).sink_parquet(whole, compression="lz4")
    for part in folder.glob(PARTS):
        part.unlink()
    shutil.rmtree(folder / CHANGES, ignore_errors=True)
    (folder / SUPERSEDED).unlink(missing_ok=True)
    whole.rename(folder / "part-00000.parquet")


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes the table `target` if the block ends without an error.

    Raises:
        InputError: something else than a table of features is there.
        WorkspaceError: nothing can be written, or not enough; an older table stays as it was.
    """
    of_another = any(target.iterdir()) and not (target / INFO).exists() if target.is_dir() else target.exists()
    if of_another:
        raise InputError(f"`{target}` holds something else than a table of features; choose another --out")
    try:
        with folder_replaced(target) as folder:
            yield folder
    except LeadlightError:
        raise
    except Exception as failed:
        if not of_disk(failed):
            raise
        told = " ".join(str(failed).split())
        raise WorkspaceError(f"`{target}` was not written ({told}); nothing is half-written; build again") from failed


def of_disk(failed: Exception) -> bool:
    """Whether an error is of reading or writing files, whatever library raised it."""
    if isinstance(failed, OSError) or type(failed).__name__ == "IOException":  # the latter is DuckDB's
        return True
    return isinstance(failed, pl.exceptions.PolarsError) and "os error" in str(failed)
