"""The tables and their columns: the language of the product.

All instants are UTC with microseconds, all ids text. In Parquet an instant is `timestamp[us, UTC]`; inside the
engines it is an int64 of microseconds since the epoch (integer ages run unchanged on every engine).
A trailing `?` in a comment marks a column that may be null.
"""

from typing import Final, Literal

MICROSECONDS_PER_SECOND: Final = 1_000_000
MINUTE: Final = 60 * MICROSECONDS_PER_SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# A number is finite and lies within ± this, or it is null; over HTTP it is refused. Sums over a record stay finite.
LARGEST_NUMBER: Final = 1e15

ColumnKind = Literal["text", "instant", "number"]
TableName = Literal["leads", "accounts", "activities", "stages", "attribute_changes"]

# Columns that every row of a table has; leads and accounts carry any number of attributes beside them.
TABLES: Final[dict[TableName, dict[str, ColumnKind]]] = {
    "leads": {
        "lead_id": "text",
        "created_at": "instant",
        "account_id": "text",  # ?
        "consent": "text",  # ?
    },
    "accounts": {"account_id": "text"},
    "activities": {
        "activity_id": "text",
        "lead_id": "text",
        "type": "text",
        "occurred_at": "instant",
        "received_at": "instant",  # ? when it became known; null = at once
        "actor": "text",
        "channel": "text",  # ?
        "campaign": "text",  # ?
        "content": "text",  # ? which page, mail, document or event
        "detail": "text",  # ? free text, e.g. a user agent
        "value": "number",  # ?
    },
    "stages": {
        "lead_id": "text",
        "stage": "text",
        "entered_at": "instant",
        "reason": "text",  # ?
        "amount": "number",  # ?
    },
    "attribute_changes": {
        "lead_id": "text",
        "field": "text",
        "changed_at": "instant",
        "old_value": "text",  # ?
        "value": "text",  # ? null: the attribute was cleared
    },
}

RESERVED: Final = "__"  # begins the names of columns that are added while computing; no attribute's name does

# The columns that tell two rows of a table apart (leads: newest file wins; stages: every entry is kept).
KEYS: Final[dict[TableName, tuple[str, ...]]] = {
    "leads": ("lead_id",),
    "accounts": ("account_id",),
    "activities": ("activity_id",),
    "stages": ("lead_id", "stage", "entered_at"),
    "attribute_changes": ("lead_id", "field", "changed_at"),
}

Actor = Literal["lead", "marketing", "sales", "system"]
ACTORS: Final[tuple[Actor, ...]] = ("lead", "marketing", "sales", "system")

Stage = Literal["lead", "mql", "sql", "opportunity", "customer", "lost"]
# Order of the funnel; `lost` is outside it.
FUNNEL: Final[tuple[Stage, ...]] = ("lead", "mql", "sql", "opportunity", "customer")
STAGES: Final[tuple[Stage, ...]] = (*FUNNEL, "lost")

Target = Literal["sql", "opportunity", "customer"]
TARGETS: Final[tuple[Target, ...]] = ("sql", "opportunity", "customer")

# Activity types with a meaning of their own (wording, default cards, simulator). A log may hold any other.
ACTIVITY_TYPES: Final[tuple[str, ...]] = (
    "mail_sent",
    "mail_open",
    "mail_click",
    "unsubscribe",
    "page_view",
    "blog_view",
    "case_study_view",
    "pricing_view",
    "download",
    "seminar_registered",
    "seminar_attended",
    "survey_answered",
    "chat",
    "business_card",
    "contact_form",
    "document_request",
    "call",
    "meeting",
)

# When an attribute of `leads` became known. `unknown`: nobody says; no feature without the word of the leak audit.
KnownAt = Literal["creation", "unknown", "changes"]
AttributeKind = Literal["category", "number"]


def at_or_beyond(stage: Target) -> tuple[Stage, ...]:
    """Give the stages that fulfil a target: itself and every later one of the funnel.

    >>> at_or_beyond("opportunity")
    ('opportunity', 'customer')
    """
    return FUNNEL[FUNNEL.index(stage) :]
