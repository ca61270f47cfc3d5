"""Where runs are tracked: the workspace's own store, or a team's server named by `MLFLOW_TRACKING_URI`.

Both are looked at before MLflow is asked, so that a store that another process holds and a server that is away, hangs
or answers errors are told within seconds. MLflow itself would retry for minutes.

    MLFLOW_TRACKING_URI        http(s) address of a server; a file or database named there is not used
    LEADLIGHT_MLFLOW_NAME      name of the experiment, and beginning of the registered models; default `leadlight`
"""

import logging
import os
import re
import ssl
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit, urlunsplit

from leadlight.errors import LeadlightError, TrackingError
from leadlight.workspace import Workspace
from training import track_database

if TYPE_CHECKING:
    from mlflow import MlflowClient

ADDRESS_VARIABLE: Final = "MLFLOW_TRACKING_URI"
NAME_VARIABLE: Final = "LEADLIGHT_MLFLOW_NAME"
DEFAULT_NAME: Final = "leadlight"
# How the workspace's own store is named where an address is expected.
OWN: Final = "workspace"
# Set before mlflow is imported: it would otherwise report its use to its makers.
SILENT: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# Unless the user set them: our own queue is what retries. Seconds without an answer to one request.
IMPATIENT: Final = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "15", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
# Our stdout is for one JSON object: MLflow would print the address of every run there.
WORDLESS: Final = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
NOISY: Final = ("mlflow", "alembic")
# A server that does not answer its health check within so long is away.
HEALTH_SECONDS: Final = 3.0
LONGEST_MESSAGE: Final = 300


@dataclass(frozen=True, slots=True)
class Store:
    """Where runs go.

    Attributes:
        uri: what MLflow takes; may hold a password.
        address: what is shown and remembered: `workspace`, or the address of a server without user and password.
        name: name of the experiment and beginning of the registered models.
        artifacts: where artefacts of the experiment lie; None = the server decides.
    """

    uri: str
    address: str
    name: str
    artifacts: str | None = None

    @property
    def remote(self) -> bool:
        """Whether it is a server."""
        return self.address != OWN

    @property
    def database(self) -> Path:
        """SQLite file of a workspace's own store."""
        return Path(self.uri.removeprefix("sqlite:///"))

    def told(self) -> str:
        """Name it in a sentence."""
        return f"MLflow at `{self.address}`" if self.remote else f"MLflow's store `{self.database}`"

    @classmethod
    def own(cls, workspace: Workspace) -> Self:
        """Give the workspace's own store."""
        return cls(workspace.mlflow_uri, OWN, _name(), workspace.mlflow_artifacts.resolve().as_uri())

    @classmethod
    def chosen(cls, workspace: Workspace) -> Self:
        """Give the store that the environment names, else the workspace's own."""
        uri = os.environ.get(ADDRESS_VARIABLE, "").strip()
        scheme = urlsplit(uri).scheme.partition("+")[0]
        if scheme in {"", "file", "sqlite"}:
            return cls.own(workspace)
        return cls(uri, _without_user(uri), _name())


def model_name(target: str, name: str = DEFAULT_NAME) -> str:
    """Give the registered model of a target.

    >>> model_name("sql")
    'leadlight-sql'
    """
    return f"{name}-{target}"


@contextmanager
def opened(store: Store) -> "Iterator[MlflowClient]":
    """Open a store quietly and impatiently; whatever goes wrong inside becomes a TrackingError of one line."""
    os.environ.update(SILENT)
    levels = {name: logging.getLogger(name).level for name in NOISY}
    hurried = {name: value for name, value in (IMPATIENT | WORDLESS).items() if name not in os.environ}
    try:
        check(store)
        os.environ.update(hurried)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mlflow's, about itself
            from mlflow import MlflowClient  # noqa: PLC0415

            for name in NOISY:  # importing mlflow sets its own levels; it logs at length, as errors, what it raises
                logging.getLogger(name).setLevel(logging.CRITICAL)
            if not store.remote:
                track_database.make(store.database)
            yield MlflowClient(store.uri, store.uri)
    except LeadlightError:
        raise
    except Exception as problem:
        damage = None if store.remote else track_database.of_damage(store.database, problem)
        raise TrackingError(damage or f"{store.told()}: {_line(problem, store)}") from problem
    finally:
        for name in hurried:
            os.environ.pop(name, None)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def check(store: Store) -> None:
    """Look whether a store can be used at all, within seconds.

    Raises:
        TrackingError: the address is none, nobody answers there, or not in time, or by an error of the server; or the
            workspace's own store is half-made, or no database.
        sqlite3.Error: the workspace's own store is held by another process.
    """
    if store.remote:
        _check_answers(store)
    else:
        track_database.check(store.database)


def _check_answers(store: Store) -> None:
    """Ask for the server's health. Any answer but a server's error will do: MLflow tells better what it is about."""
    if urlsplit(store.address).scheme not in {"http", "https"} or not urlsplit(store.address).hostname:
        raise TrackingError(f"{ADDRESS_VARIABLE} `{store.address}` is no address of a server; write http://HOST:PORT")
    try:
        request = urllib.request.Request(f"{store.address.rstrip('/')}/health")  # noqa: S310  (checked above)
        with urllib.request.urlopen(request, timeout=HEALTH_SECONDS):  # noqa: S310  (checked above)
            return
    except urllib.error.HTTPError as answer:
        if answer.code >= 500:
            raise TrackingError(f"{store.told()} answers {answer.code}; look after the server") from answer
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        if not isinstance(reason, ssl.SSLError):  # MLflow may know a certificate that we do not
            told = "no answer in time" if isinstance(reason, TimeoutError) else _line(reason, store)
            raise TrackingError(f"{store.told()} cannot be reached: {told}") from problem


def _line(problem: object, store: Store) -> str:
    """Give the first line of a problem, without the password of the address."""
    text = str(problem).strip() or type(problem).__name__
    user = urlsplit(store.uri).netloc.rpartition("@")[0] if store.remote else ""
    shown = text.replace(f"{user}@", "") if user else text
    return shown.splitlines()[0][:LONGEST_MESSAGE]


def _without_user(uri: str) -> str:
    """Leave user and password out of an address.

    >>> _without_user("https://me:secret@mlflow.example.com:5000/x")
    'https://mlflow.example.com:5000/x'
    """
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def _name() -> str:
    """Read the name of experiment and models.

    Raises:
        TrackingError: it is none.
    """
    name = os.environ.get(NAME_VARIABLE, "").strip() or DEFAULT_NAME
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is None:
        raise TrackingError(f"{NAME_VARIABLE} `{name}`: write letters, digits, `.`, `_` and `-` only")
    return name
