"""What the routes work with, put together once by `serving.app` and handed to them by FastAPI."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request

from leadlight.errors import did_you_mean
from leadlight.vocabulary import Lang
from leadlight.workspace import Workspace
from serving import clock
from serving.current import Current
from serving.metrics import Metrics
from serving.problems import ProblemError
from serving.settings import Settings
from serving.store.database import Store
from serving.wire import Instant


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a running service.

    Attributes:
        workspace: the folder it serves.
        store: leads, activities and keys.
        current: the scorer that answers.
        settings: its options.
        metrics: what it counts.
        clock: gives now, in µs.
        default_as_of: µs; where leads are scored when nobody says; None = now.
    """

    workspace: Workspace
    store: Store
    current: Current
    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], int] = clock.now
    default_as_of: int | None = None


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def refuse_unknown_queries(request: Request) -> None:
    """Refuse a query parameter that the route does not know: a misspelt limit must not be taken for none.

    Raises:
        ProblemError: 422, with the nearest parameter that is known.
    """
    if not request.query_params:
        return
    route = request.scope["route"]
    described = request.app.openapi()["paths"].get(route.path_format, {}).get(request.method.lower(), {})
    known = {part["name"] for part in described.get("parameters", ()) if part["in"] == "query"}
    for name in request.query_params:
        if name not in known:
            detail = f"unknown query parameter `{name[:100]}`{did_you_mean(name, known)}"
            raise ProblemError(422, "invalid_request", detail)


Serving = Annotated[Runtime, Depends(_runtime)]
LangQuery = Annotated[Lang, Query(alias="lang", description="Language of the sentences.")]
ExplainQuery = Annotated[bool, Query(alias="explain", description="Add every contribution to the score.")]
AsOfQuery = Annotated[Instant | None, Query(alias="as_of", description="Score as of this instant; default now.")]
