"""Alembic's entry: `ivr.store.migrate` hands its connection in; run by hand, the URL is DATABASE_URL's."""

from alembic import context
from sqlalchemy import Connection, create_engine, pool

from ivr.settings import load_settings
from ivr.store.tables import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    engine = create_engine(load_settings().database_url, poolclass=pool.NullPool, hide_parameters=True)
    with engine.begin() as connection:
        run(connection)
