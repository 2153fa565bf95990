"""PostgreSQL servers of our own on loopback: one that can be killed -9 and started again, and a pair that streams."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.link import Link, link
from ivr.cli.own_postgresql import find_program, whose
from tests.patience import PATIENCE_S
from tests.ports import free_port

INSTALL = "apt-get install postgresql"
DATABASE = "tonetill"
# What a server would lose that loses its power is not tried here: only processes die.
QUICK = ["fsync=off", "max_connections=200", "shared_buffers=32MB"]


def is_installed() -> bool:
    return find_program("initdb") is not None


@dataclass
class Server:
    """One server below `folder`; its data stay when it is killed."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def user(self) -> str:
        return whose(self.folder)[0]

    def run(self, program: str, *arguments: str) -> None:
        _, prefix = whose(self.folder)
        command = [*prefix, str(find_program(program)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"

    def start(self, *settings: str) -> None:
        _, prefix = whose(self.folder)
        chosen = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", *QUICK]
        options = [word for one in (*chosen, *settings) for word in ("-c", one)]
        command = [*prefix, str(find_program("postgres")), "-D", str(self.folder), *options]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)
        self.until("SELECT 1", lambda found: found == 1)

    def kill(self) -> None:
        """As a machine that is gone: -9 for it and for whatever serves its sessions."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        (self.folder / "postmaster.pid").unlink(missing_ok=True)  # a machine that comes back has no such process

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def ask(self, statement: str, database: str = "postgres") -> object:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, dbname=database, autocommit=True
        ) as there:
            found = there.execute(statement)
            row = found.fetchone() if found.description else None
            return row[0] if row else None

    def until(self, statement: str, is_right) -> None:
        due = time.monotonic() + PATIENCE_S
        while True:
            try:
                if is_right(self.ask(statement)):
                    return
            except psycopg.OperationalError:
                assert self.process is None or self.process.poll() is None, "it did not start"
            assert time.monotonic() < due, f"{statement}: not within {PATIENCE_S:.0f} s"
            time.sleep(0.05)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{DATABASE}"


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A new one with an empty database."""
    made = Server(folder / "primary", free_port())
    made.run("initdb", "-D", str(made.folder), "-U", made.user, "-A", "trust", "-E", "UTF8", "-N")
    try:
        made.start()
        made.ask(f"CREATE DATABASE {DATABASE}")
        yield made
    finally:
        made.stop()


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """As root the server runs as another user, who must get to its folder: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="tonetill-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


@dataclass
class Pair:
    """`between`: what the standby streams through."""

    primary: Server
    standby: Server
    between: Link

    @property
    def url(self) -> str:
        """Both addresses: whoever connects finds the one that takes writes (libpq's own way)."""
        hosts = f"host=127.0.0.1:{self.primary.port}&host=127.0.0.1:{self.standby.port}"
        return f"postgresql+psycopg://{self.primary.user}@/{DATABASE}?{hosts}&target_session_attrs=read-write"

    def fail_over(self, behind_s: float) -> float:
        """The primary is killed -9; the standby, which the link had left behind for so long, takes its place.

        When the primary died, by the monotonic clock.
        """
        self.between.hold()
        time.sleep(behind_s)  # what is measured: what is begun meanwhile
        self.primary.kill()
        killed_at = time.monotonic()
        self.between.cut()
        self.standby.ask("SELECT pg_promote()")
        self.standby.until("SELECT pg_is_in_recovery()", lambda found: found is False)
        # Nobody stands behind it yet; a commit that waited for one would wait for ever.
        self.standby.ask("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.standby.ask("SELECT pg_reload_conf()")
        return killed_at


@contextmanager
def pair(folder: Path, *, synchronous: bool) -> Iterator[Pair]:
    """A primary and a standby that streams from it. `synchronous`: a commit is answered once the standby has it on disk."""
    with server(folder) as primary, link(primary.port) as between:
        standby = Server(folder / "standby", free_port())
        standby.run("pg_basebackup", "-h", "127.0.0.1", "-p", str(between.port), "-U", primary.user,
                    "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast")  # fmt: skip
        try:
            standby.start()
            primary.until(
                "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", lambda found: found == 1
            )
            if synchronous:
                primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
                primary.ask("SELECT pg_reload_conf()")
                primary.until("SELECT sync_state FROM pg_stat_replication", lambda found: found == "sync")
            yield Pair(primary, standby, between)
        finally:
            standby.stop()
