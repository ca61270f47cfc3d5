"""Reading a JSON body strictly: JSON media type, UTF-8, no NaN or infinity, no deep nesting, no lone surrogates."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from serving.problems import ProblemError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose body is read by a parser that takes JSON only, to 200 levels."""

    async def json(self) -> Any:
        """Parse the body.

        Raises:
            ProblemError: 400, it is not JSON.
        """
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as malformed:
            raise ProblemError(400, "malformed_body", f"the body is not JSON: {malformed}") from malformed


class JsonRoute(APIRoute):
    """A route whose body is JSON and nothing else."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if self.body_field is not None and not is_json(request.headers.get("content-type", "")):
                raise ProblemError(415, "not_json", "send the body as `Content-Type: application/json`")
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def is_json(content_type: str) -> bool:
    """Tell whether a media type is JSON in UTF-8.

    >>> is_json("application/json; charset=utf-8"), is_json("text/plain"), is_json("application/json; charset=cp932")
    (True, False, False)
    """
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [value.split("=", 1)[1].strip('" ') for value in parameters if value.startswith("charset=")]
    return media == "application/json" and all(charset in {"utf-8", "utf8"} for charset in charsets)
