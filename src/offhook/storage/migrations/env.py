"""Alembic's entry: runs the revisions on the connection and inside the transaction that it was given."""

from alembic import context

from offhook.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
