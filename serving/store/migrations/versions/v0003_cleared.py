"""Let a change of an attribute have no new value: the attribute was cleared."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow null."""
    with op.batch_alter_table("attribute_changes") as table:
        table.alter_column("value", existing_type=sa.Text, nullable=True)


def downgrade() -> None:
    """Refuse null again; changes without a value are removed."""
    op.execute("DELETE FROM attribute_changes WHERE value IS NULL")
    with op.batch_alter_table("attribute_changes") as table:
        table.alter_column("value", existing_type=sa.Text, nullable=False)
