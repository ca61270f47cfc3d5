"""No body beyond the limit is read, whether its length is announced or it comes in chunks: 413."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import problem, response


class BodyLimit:
    """Reads a body up to the limit before the app sees it, and counts its bytes itself."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or pass the whole body on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = None if self._announced(scope) > self.limit else await self._read(receive)
        if body is None:
            detail = f"the body is larger than {self.limit} bytes; send less at once"
            await response(problem(413, detail), {"Connection": "close"})(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)

    def _announced(self, scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() and len(value) < 20 else self.limit + 1
        return 0

    async def _read(self, receive: Receive) -> list[Message] | None:
        """Gather the body's messages; None as soon as they hold too much."""
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self.limit:
                return None
            if not message.get("more_body", False):
                return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replayed() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return replayed
