"""Counters and latencies in the Prometheus text format, version 0.0.4."""

import threading
import time
from collections import defaultdict
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
METHODS: Final = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


class Metrics:
    """What the process has answered since it started. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._events: dict[str, int] = defaultdict(int)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        place = next((place for place, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        with self._lock:
            self._requests[method if method in METHODS else "other", route, status] += 1
            self._buckets[route][place] += 1
            self._seconds[route] += seconds

    def count_events(self, status: str, number: int) -> None:
        """Count recorded events by what became of them."""
        with self._lock:
            self._events[status] += number

    def render(self, *, degraded: bool) -> str:
        """Write everything as text."""
        with self._lock:
            lines = ["# TYPE leadlight_requests_total counter"]
            for (method, route, status), number in sorted(self._requests.items()):
                labels = f'method="{method}",route="{route}",status="{status}"'
                lines.append(f"leadlight_requests_total{{{labels}}} {number}")
            lines.append("# TYPE leadlight_request_seconds histogram")
            for route in sorted(self._buckets):
                lines += self._histogram(route)
            lines.append("# TYPE leadlight_events_total counter")
            lines += [f'leadlight_events_total{{status="{name}"}} {n}' for name, n in sorted(self._events.items())]
        lines += ["# TYPE leadlight_degraded gauge", f"leadlight_degraded {int(degraded)}"]
        return "\n".join(lines) + "\n"

    def _histogram(self, route: str) -> list[str]:
        lines, total = [], 0
        for bound, number in zip((*map(str, BUCKETS), "+Inf"), self._buckets[route], strict=True):
            total += number
            lines.append(f'leadlight_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}')
        lines.append(f'leadlight_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}')
        lines.append(f'leadlight_request_seconds_count{{route="{route}"}} {total}')
        return lines


class Observed:
    """Counts every answer by the template of its route (never by the path itself: paths hold lead ids)."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and count."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = str(getattr(scope.get("route"), "path", "none"))
            self.metrics.observe(scope["method"], route, status, time.perf_counter() - started)
