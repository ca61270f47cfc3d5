"""The tables of the store. Instants are int64 µs UTC, as in `leadlight.timeline`; migrations create them.

`activities` has no foreign key on purpose: an event may arrive before its lead, is kept, and counts from the moment
the lead is known.
"""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, Float, Index, MetaData, String, Table, Text

METADATA: Final = MetaData()

LEADS: Final = Table(
    "leads",
    METADATA,
    Column("lead_id", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("account_id", Text),
    Column("attributes", JSON, nullable=False),  # name -> text, number or null
    Index("leads_of_account", "account_id", "created_at"),
)

# `origin` is `tables` for what the workspace's tables hold (replaced by the next import) and `api` for what was posted.
ACTIVITIES: Final = Table(
    "activities",
    METADATA,
    Column("activity_id", Text, primary_key=True),
    Column("lead_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger),
    Column("actor", Text, nullable=False),
    Column("channel", Text),
    Column("campaign", Text),
    Column("content", Text),
    Column("detail", Text),
    Column("value", Float),
    Column("origin", String(6), nullable=False),
    Index("activities_of_lead", "lead_id", "occurred_at"),
)

STAGES: Final = Table(
    "stages",
    METADATA,
    Column("lead_id", Text, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("entered_at", BigInteger, primary_key=True),
    Column("reason", Text),
    Column("amount", Float),
)

CHANGES: Final = Table(
    "attribute_changes",
    METADATA,
    Column("lead_id", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("changed_at", BigInteger, primary_key=True),
    Column("old_value", Text),
    Column("value", Text),  # null: the attribute was cleared
)

# One row for each generation of workspace tables that was imported; the newest says what the store holds.
IMPORTS: Final = Table(
    "imports",
    METADATA,
    Column("generation", Text, primary_key=True),
    Column("imported_at", BigInteger, nullable=False),
    Column("rows", JSON, nullable=False),  # table -> number of rows
)

# `secret_sha256` is the digest of the secret half of a key; the secret itself is never stored.
API_KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("key_id", String(16), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
