"""How Alembic runs the migrations: always on a connection that the caller opened (see `serving.store.database`)."""

from alembic import context

from serving.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
