"""Running the service: the socket first, then the bundle, the store, the tables, and only then the first request."""

import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from types import FrameType
from typing import Any, NoReturn

import uvicorn

from leadlight.errors import ServiceError
from leadlight.workspace import Workspace
from serving import importer, keys
from serving.app import create_app
from serving.current import Current
from serving.deps import Runtime
from serving.settings import Settings
from serving.store import leads
from serving.store.database import open_store

BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Started:
    """What a running service tells of itself.

    Attributes:
        address: its URL.
        curl: a command that asks it for a score.
        model_version: what answers.
        degraded: whether that is a rule card for want of a usable bundle.
        problem: why.
        leads: number that the store knows.
        activities: number that the store knows.
        keys: number of valid API keys; None where none is needed.
    """

    address: str
    curl: str
    model_version: str
    degraded: bool
    problem: str | None
    leads: int
    activities: int
    keys: int | None


def run(
    workspace: Workspace, settings: Settings, database_url: str | None, announce: Callable[[Started], None]
) -> None:
    """Serve until a signal ends it; requests under way are answered first.

    Raises:
        ServiceError: the port is busy, the store cannot be opened, or the tables cannot be imported.
        CardError: no bundle is usable and the workspace's rule card is wrong.
    """
    with bound(settings.host, settings.port) as listening:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        runtime = prepare(workspace, settings, database_url)
        told = started(runtime, address(settings.host, listening.getsockname()[1]))
        config = uvicorn.Config(
            create_app(runtime),
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=10,
            backlog=BACKLOG,
        )
        _Announcing(config, lambda: announce(told)).run(sockets=[listening])


def prepare(workspace: Workspace, settings: Settings, database_url: str | None) -> Runtime:
    """Load the scorer, open the store and bring its tables up to date."""
    current = Current.load(workspace)
    store = open_store(database_url or workspace.serve_db)
    importer.bring_up_to_date(store, workspace, database_url)
    return Runtime(workspace, store, current, settings, default_as_of=end_of_order(workspace))


def end_of_order(workspace: Workspace) -> int | None:
    """Give the end of the record (µs) where its instants are ranks, so that "now" means nothing; None for real time."""
    info = workspace.tables_info() if workspace.has_tables() else None
    return info.observed_until if info is not None and info.clock == "order" else None


def bound(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        ServiceError: it is busy, not ours, or not an address.
    """
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as unknown:
        raise ServiceError(f"cannot listen on `{host}`: {unknown.strerror or unknown}; check --host") from unknown
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(target)
        listening.listen(BACKLOG)
    except OSError as busy:
        listening.close()
        raise ServiceError(f"cannot listen on {host}:{port}: {busy.strerror}; choose another --port") from busy
    return listening


def address(host: str, port: int) -> str:
    """Give the URL of an address; one that means every interface is reached as localhost from here."""
    shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104  (compared, not bound)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def started(runtime: Runtime, url: str) -> Started:
    """Gather what a service tells when it starts."""
    with runtime.store.reading() as connection:
        known_leads, known_activities = leads.count(connection)
        example = leads.any_lead(connection)
    everybody = runtime.settings.everybody
    valid = None if everybody else sum(key.revoked_at is None for key in keys.listing(runtime.store))
    return Started(
        address=url,
        curl=curl(url, example, with_key=not everybody),
        model_version=runtime.current.scorer.model_version,
        degraded=runtime.current.degraded,
        problem=runtime.current.problem,
        leads=known_leads,
        activities=known_activities,
        keys=valid,
    )


def curl(url: str, lead_id: str | None, *, with_key: bool) -> str:
    """Write a command that asks for a score: of a lead that is known, else of one given inline."""
    inline = {
        "lead": {
            "lead_id": "example",
            "created_at": "2026-01-05T09:00:00Z",
            "activities": [{"type": "pricing_view", "occurred_at": "2026-01-06T09:00:00Z"}],
        },
        "as_of": "2026-01-07T09:00:00Z",
    }
    body = dumps(inline if lead_id is None else {"lead_id": lead_id}).replace("'", "\\u0027")
    key = ' -H "Authorization: Bearer $LEADLIGHT_API_KEY"' if with_key else ""
    return f"curl -s {url}/v1/score{key} -H 'Content-Type: application/json' -d '{body}'"


class _Announcing(uvicorn.Server):
    """Says that it serves once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End quietly: uvicorn sends itself the signal again after it has shut down."""
    sys.exit(0)


def to_json(told: Started) -> dict[str, Any]:
    """Give what was told as JSON."""
    return {name: getattr(told, name) for name in Started.__dataclass_fields__}
