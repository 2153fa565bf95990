"""Brings a database to the schema this version needs; run by `make run`, by `set-up` and by the tests."""

import os
from contextlib import suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from ivr.errors import ConfigError
from ivr.logs import FULL, fault_name
from ivr.places import COMMAND, SHIPPED
from ivr.store.database import Database
from ivr.store.tables import metadata

FOLDER = SHIPPED / "migrations"
EXPECTED = "DATABASE_URL: expected sqlite:///path or postgresql+psycopg://user@host/database"
# Any number that nobody else uses: two processes that migrate at once take turns.
TURN = 7_266_245


def named_database(url: str) -> str:
    """The address for people: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def migrate(url: str) -> None:
    """ConfigError for a database that cannot be reached, is not ours, or that a newer version has already changed."""
    try:
        parsed = make_url(url)
        engine = create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise ConfigError(EXPECTED) from None
    named = parsed.render_as_string(hide_password=True)
    file = _sqlite_file(parsed)
    if file is not None:
        _make_folder(file.parent)
        _make_private(file)
        _lock_before_reading(engine)
    try:
        with engine.begin() as connection:
            _migrate(connection, named)
    except OperationalError as error:
        _require_room(error)
        raise ConfigError(f"cannot reach the database {named}: is it up, and may we write to it?") from None
    except DatabaseError:
        raise ConfigError(f"{named} is not a database of ours: set DATABASE_URL to another") from None
    finally:
        engine.dispose()
    if file is not None:
        _tighten(file)


def _sqlite_file(url: URL) -> Path | None:
    is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(url.database or "") if is_file else None


def _make_private(file: Path) -> None:
    """For its owner only, from its first byte: SQLite would make it as the umask says, readable for everybody."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}; set DATABASE_URL to another place") from None


def _tighten(file: Path) -> None:
    """A database that is ours and was made before this rule. SQLite gives new logs the mode of their database."""
    for part in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        with suppress(FileNotFoundError, PermissionError):
            part.chmod(0o600)


def _migrate(connection: Connection, named: str) -> None:
    """One transaction for all of it: a migration that fails leaves the database as it was."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    _refuse_what_is_not_ours(connection, ScriptDirectory.from_config(config), named)
    command.upgrade(config, "head")


def require_current(database: Database) -> None:
    """ConfigError for a database that cannot be reached, or whose schema is another version's."""
    script = ScriptDirectory(str(FOLDER))
    try:
        with database.calls() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        _require_room(error)
        raise ConfigError("DATABASE_URL: cannot read the database: is it up, and is it ours?") from None
    if revision is None:
        raise ConfigError(
            f"the database is empty, no call has been taken yet: `{COMMAND} set-up` or `{COMMAND} up` makes it"
        )
    if revision != script.get_current_head():
        raise ConfigError(
            f"the database is at revision {revision}, this version needs {script.get_current_head()}: "
            f"`{COMMAND} set-up` brings it there"
        )


def _require_room(error: DatabaseError) -> None:
    """ConfigError where the server is there, and takes no more connections."""
    if FULL in (told := fault_name(error)):
        raise ConfigError(f"DATABASE_URL: {told.partition(' ')[2]}") from None


def _refuse_what_is_not_ours(connection: Connection, scripts: ScriptDirectory, named: str) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        foreign = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
        if foreign:
            raise ConfigError(
                f"{named} has tables of somebody else's ({', '.join(foreign[:3])}): set DATABASE_URL to another"
            )
    elif revision not in {script.revision for script in scripts.walk_revisions()}:
        raise ConfigError(f"{named} is at revision {revision}, which this version does not know: update first")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make {folder}: {error.strerror}; set DATABASE_URL to another place") from None


def _lock_before_reading(engine: Engine) -> None:
    """SQLite changes a schema in a transaction too, but the driver would commit before each change."""

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def create_tables(database: Database) -> None:
    """The present schema at once, for a database in memory; a test holds it equal to what the migrations make."""
    with database.money() as connection:
        metadata.create_all(connection)
