"""Alembic's entry: the URL comes from `ivr.store.migrate`, or from DATABASE_URL when alembic is run by hand."""

from alembic import context
from sqlalchemy import create_engine, pool

from ivr.settings import load_settings
from ivr.store.tables import metadata

url = context.config.attributes.get("url") or load_settings().database_url
engine = create_engine(url, poolclass=pool.NullPool, hide_parameters=True)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
