"""Brings a database to the schema this version needs; run by `make run`, by `set-up` and by the tests."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from ivr.errors import ConfigError
from ivr.store.database import Database
from ivr.store.tables import metadata

FOLDER = Path(__file__).resolve().parent.parent.parent / "migrations"


def migrate(url: str) -> None:
    """ConfigError for a database that cannot be reached, or that a newer version has already changed."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("DATABASE_URL: expected sqlite:///path or postgresql+psycopg://user@host/database") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    try:
        _refuse_newer(url, config)
        command.upgrade(config, "head")
    except OperationalError:
        raise ConfigError(
            f"cannot reach the database {parsed.render_as_string(hide_password=True)}: is it up?"
        ) from None


def _refuse_newer(url: str, config: Config) -> None:
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    if revision is None:
        return
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError:
        raise ConfigError(
            f"the database is at revision {revision}, which this version does not know: update first"
        ) from None


def create_tables(database: Database) -> None:
    """The present schema at once, for a database in memory; a test holds it equal to what the migrations make."""
    with database.money() as connection:
        metadata.create_all(connection)
