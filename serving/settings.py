"""The options of the service, checked once where it is put together."""

from dataclasses import dataclass
from typing import Final

from leadlight.errors import InputError
from serving.access import is_loopback

DEFAULT_MAX_BODY: Final = 1_048_576
DEFAULT_PORT: Final = 8_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of a running service.

    Attributes:
        host: address to listen on.
        port: 0 = any free one.
        everybody: no API key is needed; only on an address that no other machine reaches.
        max_body: largest body of a request, in bytes.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    everybody: bool = False
    max_body: int = DEFAULT_MAX_BODY

    def __post_init__(self) -> None:
        """Refuse what is unsafe or has no meaning."""
        if not 0 <= self.port <= 65_535:
            raise InputError(f"port == {self.port}, must be 0 to 65535")
        if not 1_024 <= self.max_body <= 1 << 30:
            raise InputError(f"max-body == {self.max_body}, must be 1024 to {1 << 30} bytes")
        if self.everybody and not is_loopback(self.host):
            raise InputError(
                f"--open on `{self.host}` would let every machine that reaches it ask for scores without a key; "
                "bind to 127.0.0.1, or leave --open out and run `leadlight keys create`"
            )
