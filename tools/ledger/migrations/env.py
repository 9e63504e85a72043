"""Run by Alembic on the connection, and in the transaction, that `tools.ledger.migrate` holds."""

from alembic import context

from tools.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
