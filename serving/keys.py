"""API keys: `ll_<key id>_<secret>`. The secret is random (32 bytes), shown once, and stored only as its SHA-256.

A slow hash would protect guessable passwords; these secrets have 256 bits, so that no dictionary holds them.
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import insert, select, update

from leadlight.errors import InputError
from serving import clock
from serving.store.database import Store
from serving.store.tables import API_KEYS

PREFIX: Final = "ll"
SECRET_BYTES: Final = 32
# Compared with where a key id is unknown, so that both paths take the same time.
NOBODY: Final = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known of a key; instants in µs UTC, `revoked_at` None while it is valid."""

    key_id: str
    label: str
    created_at: int
    revoked_at: int | None


def create(store: Store, label: str) -> tuple[KeyInfo, str]:
    """Make a key and give it in clear, once.

    Raises:
        InputError: the label is empty or long.
    """
    if not 0 < len(label) <= 100 or not label.isprintable():
        raise InputError("a key's label must have 1 to 100 printable characters; name the system that will use it")
    info = KeyInfo(secrets.token_hex(6), label, clock.now(), None)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "key_id": info.key_id,
        "secret_sha256": _digest(secret),
        "label": label,
        "created_at": info.created_at,
        "revoked_at": None,
    }
    with store.writing() as connection:
        connection.execute(insert(API_KEYS), row)
    return info, f"{PREFIX}_{info.key_id}_{secret}"


def listing(store: Store) -> list[KeyInfo]:
    """List every key, oldest first, revoked ones too."""
    columns = (API_KEYS.c.key_id, API_KEYS.c.label, API_KEYS.c.created_at, API_KEYS.c.revoked_at)
    with store.reading() as connection:
        rows = connection.execute(select(*columns).order_by(API_KEYS.c.created_at, API_KEYS.c.key_id)).all()
    return [KeyInfo(*row) for row in rows]


def revoke(store: Store, key_id: str) -> None:
    """Make a key invalid from now on; doing so again changes nothing.

    Raises:
        InputError: no key has this id.
    """
    with store.writing() as connection:
        known = connection.execute(select(API_KEYS.c.key_id)).scalars().all()
        if key_id not in known:
            raise InputError(f"no API key has the id `{key_id}`; see `leadlight keys list`")
        still_valid = (API_KEYS.c.key_id == key_id) & API_KEYS.c.revoked_at.is_(None)
        connection.execute(update(API_KEYS).where(still_valid).values(revoked_at=clock.now()))


def is_valid(store: Store, presented: str) -> bool:
    """Tell whether a presented key is one of ours and not revoked. Takes the same path for every kind of wrong key."""
    prefix, _, rest = presented.partition("_")
    key_id, _, secret = rest.partition("_")
    if not key_id.isalnum() or not key_id.isascii():
        key_id = ""
    columns = (API_KEYS.c.secret_sha256, API_KEYS.c.revoked_at)
    with store.reading() as connection:
        row = connection.execute(select(*columns).where(API_KEYS.c.key_id == key_id)).one_or_none()
    stored = NOBODY if row is None else row.secret_sha256
    matches = hmac.compare_digest(_digest(secret), stored)
    return matches and row is not None and row.revoked_at is None and prefix == PREFIX


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
