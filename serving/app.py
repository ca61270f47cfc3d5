"""The FastAPI application, put together from a runtime."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from fastapi import Depends, FastAPI

from serving import problems
from serving.access import PUBLIC, Access
from serving.deps import Runtime, refuse_unknown_queries
from serving.limits import BodyLimit
from serving.metrics import Observed
from serving.routes import events, health, score, thresholds
from serving.wire import Problem

DESCRIPTION: Final = "Lead scores with reasons that add up. Errors are problem+json (RFC 9457)."
KEY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "What went wrong.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
    422: {
        "description": "The request is not valid; `errors` names each field.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application; it closes the runtime's store when it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runtime.store.close()

    app = FastAPI(
        title="leadlight",
        version=version("leadlight"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from a CDN
        redoc_url=None,
        separate_input_output_schemas=False,
        responses=REFUSALS,
    )
    app.state.runtime = runtime
    problems.install(app)
    for part in (score, events, thresholds, health):
        app.include_router(part.router, dependencies=[Depends(refuse_unknown_queries)])
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, limit=runtime.settings.max_body)
    app.add_middleware(Access, store=runtime.store, everybody=runtime.settings.everybody)
    app.add_middleware(Observed, metrics=runtime.metrics)
    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """Add to the OpenAPI document what FastAPI cannot know: the keys, and the shape of every error."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            components["schemas"]["Problem"].pop("$defs", None)
            components["securitySchemes"] = KEY_SCHEMES
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    operation["security"] = [] if path in PUBLIC else [{name: []} for name in KEY_SCHEMES]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
