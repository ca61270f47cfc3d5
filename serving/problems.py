"""Errors as problem+json (RFC 9457): one shape for every status, the field path named, nothing sent back verbatim."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from leadlight.errors import InputError, LeadlightError, NotEnoughDataError, UnknownLeadError
from serving.wire import FieldProblem, Problem

LOG: Final = logging.getLogger("leadlight.serving")
MEDIA_TYPE: Final = "application/problem+json"
PLAIN: Final = "about:blank"  # the status says what kind it is; `code` says more
MAX_ERRORS: Final = 20
SOURCES: Final = frozenset({"body", "query", "path", "header"})
# Names that pydantic adds to a location for its own bookkeeping.
TAGS: Final = frozenset({"one", "many", "float", "str", "constrained-str", "constrained-float"})
CODES: Final[dict[int, str]] = {
    400: "malformed_body",
    401: "key_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "not_enough_data",
    413: "body_too_large",
    415: "not_json",
    422: "invalid_request",
    500: "defect",
    503: "unavailable",
}


class ProblemError(HTTPException):
    """A problem with a code of its own."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def problem(status: int, detail: str, code: str | None = None, errors: Sequence[FieldProblem] = ()) -> Problem:
    """Build a problem; the code follows from the status where none is given."""
    title = HTTPStatus(status).phrase
    return Problem(
        type=PLAIN,
        title=title,
        status=status,
        code=code or CODES.get(status, "error"),
        detail=detail,
        errors=list(errors),
    )


def response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Put a problem into a response."""
    return Response(found.model_dump_json(), found.status, dict(headers or {}), MEDIA_TYPE)


def of_validation(errors: Sequence[Any]) -> Problem:
    """Tell what is wrong with a request, with the path of each field.

    Args:
        errors: as pydantic lists them (`loc`, `msg`).
    """
    found = [FieldProblem(field=path(error["loc"]), message=_message(error)) for error in errors[:MAX_ERRORS]]
    first = found[0] if found else FieldProblem(field="", message="not valid")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"`{first.field}`: " if first.field else ""
    return problem(422, f"{where}{first.message}{more}", errors=found)


def of_error(error: LeadlightError) -> Problem:
    """Tell what one of our own errors means to a client."""
    if isinstance(error, UnknownLeadError):
        return problem(404, str(error), "unknown_lead")
    if isinstance(error, InputError):
        return problem(422, str(error))
    if isinstance(error, NotEnoughDataError):
        return problem(409, str(error))
    return problem(500, "the service met a defect; its log says more")


def path(loc: Sequence[int | str]) -> str:
    """Write a location as a path.

    >>> path(("body", "lead", "activities", 3, "occurred_at"))
    'lead.activities[3].occurred_at'
    """
    out = ""
    for position, part in enumerate(loc):
        if (position == 0 and part in SOURCES) or part in TAGS:
            continue
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            name = part if len(part) <= 100 else part[:100] + "..."
            out += f".{name}" if out else name
    return out


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(LeadlightError, _on_leadlight)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(Exception, _on_defect)


async def _on_validation(_request: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    return response(of_validation(errors))


async def _on_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return await _on_defect(_request, error)
    found = problem(error.status_code, str(error.detail), getattr(error, "code", None))
    return response(found, error.headers)


async def _on_leadlight(_request: Request, error: Exception) -> Response:
    found = of_error(error) if isinstance(error, LeadlightError) else None
    if found is None or found.status >= 500:
        LOG.error("%s: %s", type(error).__name__, error)
    return response(found or problem(500, "the service met a defect; its log says more"))


async def _on_database(_request: Request, error: Exception) -> Response:
    return store_unavailable(error)


async def _on_defect(_request: Request, _error: Exception) -> Response:
    return response(problem(500, "the service met a defect; its log says more"))


def store_unavailable(error: Exception) -> Response:
    """Answer while the database does not; its error goes to the log, without the values that were asked for."""
    LOG.error("the store does not answer: %s", getattr(error, "orig", None) or type(error).__name__)
    return response(problem(503, "the store does not answer; try again", "store_unavailable"), {"Retry-After": "5"})


def _message(error: Mapping[str, Any]) -> str:
    if error.get("type") == "extra_forbidden":
        return "unknown field"
    return str(error["msg"]).removeprefix("Value error, ")
