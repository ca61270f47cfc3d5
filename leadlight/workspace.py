"""The folder of tables, bundles and reports of one installation; the only code that knows paths inside it.

    WORKSPACE/
      tables.json              which generation of tables is current, and what is known of it (written last)
      tables/<generation>/     leads.parquet accounts.parquet activities.parquet stages.parquet
                               attribute_changes.parquet quarantine.parquet
      bundles/<version>/       deployable scorers
      bundles/current          one line: the version that serves (the pointer is the truth)
      bundles/history.jsonl    what served when
      reports/                 what people read
      card.yaml                the workspace's own rule card, if any
      hygiene.yaml             what hygiene sets aside, if not the usual
      merges.csv               merges.parquet: leads that are one, if any
      hygiene/<generation>/    what hygiene set aside, table by table
      touched/<a>..<b>.parquet which leads are different in generation b from what they were in a
      features/<name>/         tables of features
      studies.db               what tuning tried, so that it can be resumed
      mlflow.db mlartifacts/   tracking
      tracking/                runs that wait for MLflow, and where those that went are found
      serve.db                 online state

Every write goes to a temporary name first and is renamed when it is whole.
"""

import errno
import glob
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from leadlight import parquet_file
from leadlight.errors import BundleMissingError, LeadlightError, WorkspaceError
from leadlight.schema import AttributeKind, KnownAt, TableName

if TYPE_CHECKING:
    import polars as pl

# What the system answers where a file cannot grow: a limit of file sizes, a full disk, a quota, a broken disk.
_NO_ROOM: Final = tuple(os.strerror(code) for code in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EIO))
_LEFT_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute column of `leads`: its name, how to read it, and when it became known."""

    name: str
    kind: AttributeKind
    known_at: KnownAt


@dataclass(frozen=True, slots=True)
class TablesInfo:
    """What is known of a generation of tables beside its rows.

    Attributes:
        generation: name of the folder under `tables/`.
        observed_until: µs UTC; how far the record is complete.
        clock: `time`, or `order` where the instants are ranks and results are not point in time.
        attributes: the attribute columns of `leads`.
        rows: number of rows per table, quarantine included.
        in_order: whether activities stand by company, lead, occurred_at and activity_id, as ingestion writes them.
    """

    generation: str
    observed_until: int
    clock: Literal["time", "order"]
    attributes: tuple[Attribute, ...]
    rows: dict[str, int]
    in_order: bool = False


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Say which file could not grow, and the mend, where the block ends because there is no room for it.

    Libraries wrap what the system says in errors of their own, so it is known by its words.

    Raises:
        WorkspaceError: no room.
    """
    try:
        yield
    except LeadlightError:
        raise
    except Exception as failed:
        why = next((words for words in _NO_ROOM if words in str(failed)), None)
        if why is None:
            raise
        mend = "make room or raise the limit of file sizes, then run the command again"
        raise WorkspaceError(f"`{path}` was not written ({why}); nothing is half-written; {mend}") from failed


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file whole or not at all (see `file_atomically`)."""
    with file_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def file_atomically(path: Path) -> Iterator[Path]:
    """Yield a new empty file beside `path` and rename it to `path` if the block ends without an error.

    Folders are made. A file that is there already stays as it was until the new one is whole and on disk; a link is
    followed.

    Raises:
        WorkspaceError: the file cannot be written there, or there is no room for it.
    """
    if path.exists() and not path.is_file():
        told = "is a folder" if path.is_dir() else "is no file but a device or a pipe"
        raise WorkspaceError(f"`{path}` {told}; choose another name for the file")
    path = path.resolve()
    temporary = _temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
    except OSError as refused:
        raise WorkspaceError(f"`{path}` cannot be written ({refused.strerror}); choose another place") from refused
    try:
        with room_for(path):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary_name(path: Path) -> Path:
    """Give an unused hidden name beside `path`; made with the user's umask, unlike `tempfile`'s private ones."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")


@contextmanager
def folder_atomically(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` and rename it to `target` if the block ends without an error.

    Raises:
        WorkspaceError: `target` exists already, or there is no room for it.
    """
    if target.exists():
        raise WorkspaceError(f"`{target}` exists already; choose another name or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(target)
    temporary.mkdir()
    try:
        with room_for(target):
            yield temporary
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _after(step: list[str]) -> str:
    return step[-1]


@contextmanager
def folder_replaced(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` that takes its place if the block ends without an error.

    The old folder stays as it was until then, and is removed after; a link is followed. What killed processes left
    beside it is removed when it has lain there for a day.

    Raises:
        WorkspaceError: no folder can be made there, or there is no room for it.
    """
    if target.exists() and not target.is_dir():
        raise WorkspaceError(f"`{target}` is no folder; choose another name for the folder")
    target = target.resolve()
    fresh, old = _temporary_name(target), _temporary_name(target)
    try:
        fresh.mkdir(parents=True)
    except OSError as refused:
        raise WorkspaceError(f"`{target}` cannot be written ({refused.strerror}); choose another place") from refused
    try:
        with room_for(target):
            yield fresh
        _exchange(fresh, target, old)
        _sweep(target)
    finally:
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Remove temporary folders of `target` that nothing was written to for a day."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 12}.tmp"):
        with suppress(FileNotFoundError):  # somebody is at work there
            newest = max(path.stat().st_mtime for path in (left, *left.rglob("*")))
            if newest < time.time() - _LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    had = target.exists()
    if had:
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if had:
            old.rename(target)
        raise


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation's folder. Constructing it touches no file."""

    root: Path

    @property
    def bundles(self) -> Path:
        """Folder of the bundles."""
        return self.root / "bundles"

    @property
    def reports(self) -> Path:
        """Folder of the reports."""
        return self.root / "reports"

    @property
    def card(self) -> Path:
        """The workspace's own rule card (may not exist)."""
        return self.root / "card.yaml"

    @property
    def hygiene(self) -> Path:
        """The workspace's own hygiene settings (may not exist)."""
        return self.root / "hygiene.yaml"

    def merges(self) -> Path | None:
        """Give the workspace's merge map, None where it has none."""
        found = (self.root / name for name in ("merges.parquet", "merges.csv"))
        return next((path for path in found if path.exists()), None)

    def set_aside_path(self, name: TableName, generation: str) -> Path:
        """Give the file of what hygiene set aside of a table in a generation."""
        return self.root / "hygiene" / generation / f"{name}.parquet"

    @property
    def serve_db(self) -> Path:
        """SQLite file of the service."""
        return self.root / "serve.db"

    @property
    def studies_db(self) -> Path:
        """SQLite file of what tuning tried."""
        return self.root / "studies.db"

    @property
    def mlflow_uri(self) -> str:
        """Tracking URI of the workspace's own MLflow store."""
        return f"sqlite:///{(self.root / 'mlflow.db').resolve()}"

    @property
    def mlflow_artifacts(self) -> Path:
        """Folder of the workspace's own MLflow artefacts."""
        return self.root / "mlartifacts"

    @property
    def tracking(self) -> Path:
        """Folder of the runs that wait for MLflow."""
        return self.root / "tracking"

    def has_tables(self) -> bool:
        """Whether anything was ingested."""
        return (self.root / "tables.json").exists()

    def tables_info(self) -> TablesInfo:
        """Read what is known of the current tables.

        Raises:
            WorkspaceError: nothing was ingested, or `tables.json` is damaged.
        """
        try:
            data = json.loads((self.root / "tables.json").read_text(encoding="utf-8"))
            attributes = tuple(Attribute(**attribute) for attribute in data.pop("attributes"))
            return TablesInfo(attributes=attributes, **data)
        except FileNotFoundError as missing:
            raise WorkspaceError.no_tables(self.root) from missing
        except (ValueError, KeyError, TypeError, AttributeError) as damaged:
            told = f"`{self.root / 'tables.json'}` is damaged ({damaged})"
            raise WorkspaceError(f"{told}; {self._ingest_anew}") from damaged

    def publish_tables(self, info: TablesInfo) -> None:
        """Make a generation, whose folder is complete, the current one."""
        write_text_atomically(self.root / "tables.json", json.dumps(asdict(info), indent=1, ensure_ascii=False))

    def table_path(self, name: TableName | Literal["quarantine"], generation: str) -> Path:
        """Give the file of a table in a generation."""
        return self.root / "tables" / generation / f"{name}.parquet"

    def whole(self, path: Path) -> Path:
        """Give the path of a file of the tables if it is there and looks whole.

        Raises:
            WorkspaceError: it is gone, cut short, or cannot be read.
        """
        wrong = parquet_file.damage(path) if path.exists() else "is gone"
        if wrong is not None:
            raise WorkspaceError(f"`{path}` {wrong}; put it back from a copy, or {self._ingest_anew}")
        return path

    @property
    def _ingest_anew(self) -> str:
        return f"move `{self.root / 'tables.json'}` away and ingest all raw files again"

    def touched_path(self, before: str, generation: str) -> Path:
        """Give the file that names the leads which a generation touched."""
        return self.root / "touched" / f"{before}..{generation}.parquet"

    def touched_steps(self) -> list[tuple[str, str]]:
        """List the steps from one generation to the next of which it is known what they touched, oldest first."""
        names = sorted((path.stem.split("..") for path in (self.root / "touched").glob("[!.]*..*.parquet")), key=_after)
        return [(before, after) for before, after in names]

    def features_path(self, name: str) -> Path:
        """Give the folder of a table of features."""
        return self.root / "features" / name

    def scan(self, name: TableName | Literal["quarantine"]) -> "pl.LazyFrame":
        """Scan a current table lazily.

        Raises:
            WorkspaceError: nothing was ingested, or the file is gone or damaged.
        """
        import polars as pl  # noqa: PLC0415  (the service never scans)

        return pl.scan_parquet(self.whole(self.table_path(name, self.tables_info().generation)))

    def bundle_path(self, version: str) -> Path:
        """Give the folder of a bundle."""
        return self.bundles / version

    def bundle_versions(self) -> list[str]:
        """List the versions on disk, oldest first (a version begins with its UTC time)."""
        if not self.bundles.is_dir():
            return []
        return sorted(path.name for path in self.bundles.iterdir() if path.is_dir() and not path.name.startswith("."))

    def model_card_path(self, version: str) -> Path:
        """Give the page that tells of a bundle's training."""
        return self.reports / "model_cards" / f"{version}.html"

    def current_version(self) -> str:
        """Read the pointer.

        Raises:
            BundleMissingError: no pointer, or it names a bundle that is not there.
        """
        pointer = self.bundles / "current"
        if not pointer.is_file():
            raise BundleMissingError.none_current(self.root)
        version = pointer.read_text(encoding="utf-8", errors="replace").strip()
        if version not in self.bundle_versions():
            raise BundleMissingError(
                f"`{pointer}` names `{version}`, which is not there; run `leadlight models promote VERSION`"
            )
        return version

    def set_current(self, version: str) -> None:
        """Point at a bundle that is on disk.

        Raises:
            BundleMissingError: it is not on disk.
        """
        if version not in self.bundle_versions():
            raise BundleMissingError(f"bundle `{version}` is not in `{self.bundles}`; see `leadlight models list`")
        write_text_atomically(self.bundles / "current", version + "\n")

    def write_report(self, name: str, data: dict[str, Any]) -> Path:
        """Write a JSON report whole and give its path."""
        path = self.reports / name
        write_text_atomically(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))
        return path

    @classmethod
    def at(cls, root: Path | str) -> Self:
        """Build from a path."""
        return cls(Path(root))
