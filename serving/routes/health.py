"""Probes and counters."""

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from leadlight.errors import WorkspaceError
from serving import metrics
from serving.current import without_folders
from serving.deps import Runtime, Serving
from serving.store import imports
from serving.wire import Check, LiveAnswer, ReadyAnswer

router = APIRouter(tags=["health"])


@router.get("/livez", operation_id="live", summary="Whether the process answers.")
async def live() -> LiveAnswer:
    """Say that the process answers."""
    return LiveAnswer()


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Whether scores can be given, and by what.",
    responses={503: {"model": ReadyAnswer, "description": "The store does not answer."}},
)
def ready(runtime: Serving, response: Response) -> ReadyAnswer:
    """Check everything that the service needs."""
    checks = [_bundle(runtime), _store(runtime), _tables(runtime)]
    if not checks[1].ok:
        response.status_code = 503
        return ReadyAnswer(status="unavailable", checks=checks)
    return ReadyAnswer(status="ready" if all(check.ok for check in checks) else "degraded", checks=checks)


@router.get("/metrics", operation_id="metrics", summary="Counters and latencies for Prometheus.")
async def prometheus(runtime: Serving) -> Response:
    """Write the counters as text."""
    text = runtime.metrics.render(degraded=runtime.current.degraded)
    return Response(text, media_type=metrics.MEDIA_TYPE)


def _bundle(runtime: Runtime) -> Check:
    current = runtime.current
    if current.problem is None:
        return Check(name="bundle", ok=True, detail=current.scorer.model_version)
    detail = f"the rule card `{current.scorer.card.name}` answers: {without_folders(current.problem)}"
    return Check(name="bundle", ok=False, detail=detail)


def _store(runtime: Runtime) -> Check:
    try:
        runtime.store.ping()
    except SQLAlchemyError:
        return Check(name="store", ok=False, detail="the database does not answer")
    return Check(name="store", ok=True, detail=runtime.store.engine.dialect.name)


def _tables(runtime: Runtime) -> Check:
    if not runtime.workspace.has_tables():
        return Check(name="tables", ok=True, detail="the workspace holds none; leads are scored inline")
    try:
        generation = runtime.workspace.tables_info().generation
        imported = imports.newest(runtime.store)
    except (WorkspaceError, SQLAlchemyError) as unknown:
        return Check(name="tables", ok=False, detail=without_folders(str(unknown).partition("\n")[0]))
    if generation == imported:
        return Check(name="tables", ok=True, detail=f"generation {generation} is imported")
    return Check(name="tables", ok=False, detail=f"generation {generation} is not imported; restart the service")
