"""Which trials are made: a cell is a store, a bank and a process; in it every point of a life is died at in turn, by fates and manners."""

import gc
import logging
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import structlog

from ivr.store import migrate
from tests.bank_process import BankKeys
from tests.kill.banks import KINDS, bank_at
from tests.kill.lives import ASKS_AGAIN, CUT_OFF, Case
from tests.kill.planted import PLANTED
from tests.kill.points import watch_sockets
from tests.kill.trial import Trial, run_trial
from tests.kill.warming import warm_up
from tests.kill.world import World, make_world
from tests.store.databases import SERVER
from tests.web.process_memory import card_number

MEMORY = Path("/dev/shm")  # a killed process loses nothing there that it would not lose on a disk
# What the bank does with a charge, by its amount (the simulator's table), and what a caller does.
FATES = {"approved": 4250, "closed, booked": 1367, "closed, not booked": 1366, "cut, booked": 1368, "declined": 1305}
WEB, LINE, FORWARDER, SWEEPER = "web", "line", "forwarder", "sweeper"
SETTING_RIGHT = 25  # it is killed at one of its first points; what it has done until then moves on with the next life
PROCESSES = (WEB, LINE, FORWARDER, SWEEPER)
FATES_OF = {
    WEB: ("approved", "declined"),
    LINE: ("approved", "declined"),
    FORWARDER: tuple(FATES),
    SWEEPER: ("approved", "closed, booked"),
}
MANNERS = {
    WEB: ("waits", CUT_OFF, ASKS_AGAIN, "hangs up", "falls silent"),
    LINE: ("waits", "hangs up"),
    FORWARDER: ("waits", "hangs up", "falls silent"),
    SWEEPER: ("charged", "hangs up"),
}
# A server that has imported everything: each cell is run in a clean worker, which has no threads when it forks its lives.
workers = multiprocessing.get_context("forkserver")
workers.set_forkserver_preload(["tests.kill.cells"])


@dataclass(frozen=True)
class Cell:
    """`stride`: every so manieth point, from `first` on; `again`: how often setting right is killed too, for each. `planted`: a
    mistake that is to be found."""

    store: str
    protocol: str
    kind: str
    process: str
    fate: str = "approved"
    manners: Sequence[str] = ()
    stride: int = 1
    first: int = 1
    again: int = 1
    planted: str = ""


@dataclass
class Tally:
    """`points`: that the process has, in the calls of all manners; `examples`: sentences of what was wrong."""

    cell: Cell
    trials: int = 0
    points: int = 0
    kills: int = 0
    charged: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    died_at: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not any(self.wrong[name] for name in ("double", "lost", "untold", "unequal", "unheard"))

    def add(self, trial: Trial, about: str) -> None:
        self.trials += 1
        self.kills += len(trial.died_at)
        self.died_at.update(trial.died_at)
        self.charged += trial.verdict.charged
        for name in ("double", "lost", "untold", "unequal", "unheard"):
            if found := getattr(trial.verdict, name):
                self.wrong[name] += 1
                self.examples += [f"{name}: {one} ({about}; died at {trial.died_at})" for one in found]


def run_cell(cell: Cell, keys: Path) -> Tally:
    """In a worker without threads. `keys`: the folder that the banks' development keys are in."""
    began, tally = time.monotonic(), Tally(cell)
    be_still()
    with (
        tempfile.TemporaryDirectory(dir=MEMORY, prefix="tonetill-kill-") as name,
        database(cell.store, Path(name)) as url,
    ):
        folder = Path(name)
        with bank_at(cell.protocol, cell.kind, BankKeys(keys), folder / "bank") as place:
            watch_sockets()
            patch_pauses()
            plant = PLANTED[cell.planted] if cell.planted else lambda bank: bank
            world = make_world(url, place, folder, plant)
            be_still()
            warm_up(world)
            gc.collect()
            gc.freeze()
            gc.disable()
            for trial, about in trials(world, cell, tally):
                tally.add(trial, about)
                if cell.planted and not tally.is_clean:
                    break
    tally.seconds = time.monotonic() - began
    return tally


def be_still() -> None:
    """Lives that end are no news."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def patch_pauses() -> None:
    """After each connection that breaks; time is not what is tested."""
    import ivr.bank.iso8583.link as link

    link.FIRST_PAUSE_S = 0.02


def trials(world: World, cell: Cell, tally: Tally) -> Iterator[tuple[Trial, str]]:
    """Each point of a life in turn, until one lives to its end."""
    numbers = iter(range(1, 10**6))
    for manner in cell.manners or MANNERS[cell.process]:
        rehearsal = run_trial(world, cell.process, new_case(next(numbers), cell.fate, manner), [0])
        yield rehearsal, f"{cell.fate}, {manner}, unkilled"
        tally.points += rehearsal.reached
        for dies_at in range(cell.first, rehearsal.reached + 1, cell.stride):
            later = [1 + (dies_at * 7 + turn * 11) % SETTING_RIGHT for turn in range(cell.again)]
            about = f"{cell.fate}, {manner}, {cell.process} killed at {dies_at}, then at {later}"
            yield run_trial(world, cell.process, new_case(next(numbers), cell.fate, manner), [dies_at, *later]), about


def new_case(number: int, fate: str, manner: str) -> Case:
    """A caller, a card and a bill of their own, so that no trial meets another."""
    call = f"CA{uuid4().hex}"
    return Case(call, number, f"{10_000_000 + number}", card_number(number), FATES[fate], manner)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """A migrated, empty one, gone afterwards."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'store.db'}"
        migrate(url)
        yield url
        return
    name = f"tonetill_kill_{uuid4().hex[:12]}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        about = server.info.user, server.info.host, server.info.port
        server.execute(f"CREATE DATABASE {name}")
        server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        url = "postgresql+psycopg://{}@{}:{}/".format(*about) + name
        migrate(url)
        yield url
    finally:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


# ---- which cells there are

STORES = ("sqlite", "postgresql")
OURS = ("tonetill", "honours keys")


def long_cells(stride: int = 1) -> list[Cell]:
    """Every point of a charge that our own protocol approves, on SQLite; of others some, in other places fewer. The long ones come first."""
    cells: list[Cell] = []
    for protocol, kind in KINDS:
        for store in STORES:
            is_first = (store, protocol, kind) == (STORES[0], *OURS)
            for process in PROCESSES:
                fates = FATES_OF[process] if is_first else FATES_OF[process][: 2 if process == FORWARDER else 1]
                for fate in fates:
                    wide = (1 if fate == "approved" else 3) if is_first else 8 if process == FORWARDER else 16
                    cells.append(Cell(store, protocol, kind, process, fate, stride=wide * stride, again=4))
    return cells


def planted_cells() -> list[Cell]:
    """Each mistake at the bank where it costs money."""
    forgets = "forgets keys"
    return [
        Cell("sqlite", "tonetill", forgets, FORWARDER, manners=("hangs up",), stride=3, planted=name)
        for name in PLANTED
    ]
