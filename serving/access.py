"""Who may ask: a valid API key for everything but the probes, or, with `--open`, anybody on this machine.

It stands before the routes and before the body is read: a route that is added later is closed until it is listed.
"""

import ipaddress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import keys
from serving.problems import problem, response, store_unavailable
from serving.store.database import Store

PUBLIC: Final = frozenset({"/livez", "/readyz", "/openapi.json"})


class Access:
    """Refuses what comes without a valid key (401), or, when open, under a foreign host name (403)."""

    def __init__(self, app: ASGIApp, *, store: Store, everybody: bool) -> None:
        self.app = app
        self.store = store
        self.everybody = everybody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer."""
        if scope["type"] != "http" or scope["path"] in PUBLIC:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self.everybody:
            # A web page in this machine's browser could reach us under a name of its own (DNS rebinding).
            if is_loopback(_host_name(headers.get("host", ""))):
                await self.app(scope, receive, send)
            else:
                refused = problem(403, "an open service answers to `localhost` only; use an API key")
                await response(refused)(scope, receive, send)
            return
        try:
            allowed = await run_in_threadpool(keys.is_valid, self.store, presented(headers))
        except SQLAlchemyError as error:
            await store_unavailable(error)(scope, receive, send)
            return
        if allowed:
            await self.app(scope, receive, send)
        else:
            refused = problem(401, "send a valid API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
            await response(refused, {"WWW-Authenticate": "Bearer"})(scope, receive, send)


def presented(headers: Headers) -> str:
    """Give the key that a request carries, empty where it carries none."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine and no other can reach it.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
