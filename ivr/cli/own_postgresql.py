"""A PostgreSQL of our own below VAR, for a cluster on one machine: on loopback, durable, stopped with whoever started it."""

import getpass
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ivr.errors import ConfigError

START_S = 60.0
SERVERS_USER = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this user


def find_program(name: str) -> str | None:
    """On the path, or where Debian keeps what is not on every user's path."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(debian[-1]) if debian else None)


@contextmanager
def own_postgresql(folder: Path, port: int, most: int = 100) -> Iterator[str]:
    """Its DATABASE_URL. `most`: connections at once. What it keeps stays in `folder` and is taken up again. ConfigError says why it does not start."""
    folder = folder.resolve()
    user, prefix = whose(folder)
    programs = Path(str(find_program("postgres"))).resolve().parent
    if not (folder / "PG_VERSION").exists():
        run([*prefix, str(programs / "initdb"), "-D", str(folder), "-U", user, "-A", "trust", "-E", "UTF8"])
    log = folder.parent / "postgresql.log"
    options = [
        "listen_addresses=127.0.0.1",
        f"port={port}",
        f"max_connections={most}",
        f"unix_socket_directories={folder}",
    ]
    command = [
        *prefix,
        str(programs / "postgres"),
        "-D",
        str(folder),
        *(word for one in options for word in ("-c", one)),
    ]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until_it_answers(server, user, port, log)
        yield f"postgresql+psycopg://{user}@127.0.0.1:{port}/tonetill"
    finally:
        server.send_signal(signal.SIGINT)  # its fast shutdown: sessions are ended, everything is written
        server.wait()


def whose(folder: Path) -> tuple[str, Sequence[str]]:
    """The user that it runs as, and what a command begins with to run as that user."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    tied = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return getpass.getuser(), tied if shutil.which("setpriv") else []
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.chown(folder, SERVERS_USER, SERVERS_USER)
    except LookupError:
        raise ConfigError("PostgreSQL does not run as root: start this as another user, or set DATABASE_URL") from None
    return SERVERS_USER, [*tied, f"--reuid={SERVERS_USER}", f"--regid={SERVERS_USER}", "--init-groups"]


def run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        cure = f": it runs as {SERVERS_USER}, who must reach VAR" if os.geteuid() == 0 else ""
        raise ConfigError(f"{done.stderr.strip()}{cure}")


def wait_until_it_answers(server: "subprocess.Popen[bytes]", user: str, port: int, log: Path) -> None:
    due = time.monotonic() + START_S
    while time.monotonic() < due and server.poll() is None:
        try:
            with psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="postgres", autocommit=True) as there:
                if not there.execute("SELECT 1 FROM pg_database WHERE datname = 'tonetill'").fetchone():
                    there.execute("CREATE DATABASE tonetill")
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    last = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise ConfigError(f"PostgreSQL did not start: {' / '.join(last)} ({log})")
