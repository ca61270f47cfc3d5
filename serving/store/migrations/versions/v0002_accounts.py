"""Know the account of a lead, for the features that look at its colleagues."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and forget which tables were imported: the next start imports them again, accounts included."""
    op.add_column("leads", sa.Column("account_id", sa.Text))
    op.create_index("leads_of_account", "leads", ["account_id", "created_at"])
    op.execute("DELETE FROM imports")


def downgrade() -> None:
    """Remove the column."""
    op.drop_index("leads_of_account", "leads")
    op.drop_column("leads", "account_id")
