"""Create leads, activities, stages, attribute changes, imports and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
    )
    op.create_table(
        "activities",
        sa.Column("activity_id", sa.Text, primary_key=True),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("channel", sa.Text),
        sa.Column("campaign", sa.Text),
        sa.Column("content", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("value", sa.Float),
        sa.Column("origin", sa.String(6), nullable=False),
    )
    op.create_index("activities_of_lead", "activities", ["lead_id", "occurred_at"])
    _create_histories()
    _create_service_tables()


def downgrade() -> None:
    """Drop the tables."""
    for table in ("api_keys", "imports", "attribute_changes", "stages", "activities", "leads"):
        op.drop_table(table)


def _create_histories() -> None:
    op.create_table(
        "stages",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("entered_at", sa.BigInteger, primary_key=True),
        sa.Column("reason", sa.Text),
        sa.Column("amount", sa.Float),
    )
    op.create_table(
        "attribute_changes",
        sa.Column("lead_id", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("changed_at", sa.BigInteger, primary_key=True),
        sa.Column("old_value", sa.Text),
        sa.Column("value", sa.Text, nullable=False),
    )


def _create_service_tables() -> None:
    op.create_table(
        "imports",
        sa.Column("generation", sa.Text, primary_key=True),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.JSON, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
