"""Runs the Procfile's processes on honcho, and lets none of them outlive it: not after a signal, a closed terminal, a
broken pipe, nor when it is killed itself."""

import ctypes
import math
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import honcho.manager
from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Process

from ivr.hangup import Terminals

KILL_WAIT_S = 15  # a trunk says goodbye to callers who may not be there to answer (RFC 3261, timer F would be 32 s)
RESTART_AFTER_S = 1.0  # and twice as long after each start in vain
SOON_S = 30.0  # who ends within this was started in vain: on a busy machine one reads its settings for a dozen seconds
STARTS_IN_VAIN = 5
PR_SET_PDEATHSIG = 1  # prctl(2): the signal a process gets when its parent dies
STOPPED_BY_HAND = frozenset(
    {0, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, *(128 + n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))}
)  # fmt: skip


def supervise(
    processes: Mapping[str, str],
    variables: Mapping[str, str],
    folder: Path,
    *,
    must_start: bool = False,
    may_fail: Collection[str] = (),
) -> int:
    """Until we are told to stop, or one cannot be kept up. The return code: 0 where it was stopped by hand. SIGHUP is passed on:
    the processes read their keys again.

    One that ends is started again, unless it does so over and over. `must_start`: one that cannot start at all ends them all at
    once, with its code; otherwise it is tried again as well, so that one merchant's or node's trouble is not everybody's.
    `may_fail`: those that are tried for ever, because the others can do without them.
    """
    honcho.manager.KILL_WAIT = KILL_WAIT_S
    honcho.manager.SIGNALS[signal.SIGHUP] = {"name": "SIGHUP", "rc": 128 + signal.SIGHUP}
    printer = SurvivingPrinter(sys.stdout, colour=sys.stdout.isatty(), prefix=True)
    manager = RestartingSupervisor(printer, must_start=must_start, may_fail=may_fail)
    for name, command in processes.items():
        manager.add_process(name, dying_with_parent(command), quiet=False, env=dict(variables), cwd=str(folder))
    terminals = Terminals()

    def hear_hangup(number: int, frame: FrameType | None) -> None:
        manager.stop_by_signal(number, frame) if terminals.are_gone() else manager.pass_on_hangup()

    signal.signal(signal.SIGHUP, hear_hangup)
    manager.loop()
    code = int(manager.returncode or 0)
    if manager.has_given_up:
        return code if code > 0 else 128 - code if code else 1
    return 0 if code in STOPPED_BY_HAND else code


def dying_with_parent(command: str) -> str:
    """For the shell that honcho runs it by. Without util-linux's `setpriv` only orderly ends are covered."""
    tied = "setpriv --pdeathsig TERM " if shutil.which("setpriv") else ""
    return f"exec {tied}{command}"


class Supervisor(Manager):  # type: ignore[misc]
    """honcho's manager, which also stops when nobody can read what it prints any more."""

    def __init__(self, printer: "SurvivingPrinter") -> None:
        super().__init__(printer)
        self._process_ctor = TiedProcess
        self._is_to_stop = False
        printer.on_lost = self.stop_unread

    def terminate(self) -> None:
        """honcho signals only children whose start it has heard of: before that it is put off until it has."""
        self._is_to_stop = True
        if super()._all_started():
            super().terminate()

    def _all_started(self) -> bool:
        """Asked in each round of honcho's loop."""
        started = bool(super()._all_started())
        if started and self._is_to_stop:
            super().terminate()
        return started

    def stop_by_signal(self, number: int, _frame: FrameType | None) -> None:
        self.returncode = 128 + number
        self.terminate()

    def pass_on_hangup(self) -> None:
        """To the processes themselves, and not to what they have started. What is still starting ignores it (`TiedProcess`)."""
        for running in self._processes.values():
            if "pid" in running and "returncode" not in running:
                with suppress(ProcessLookupError):
                    os.kill(running["pid"], signal.SIGHUP)

    def stop_unread(self) -> None:
        self.returncode = 128 + signal.SIGHUP
        self.terminate()


class RestartingSupervisor(Supervisor):
    """Starts a process again after it ended, and says so; one that ends again and again soon after its start ends them all, and so
    does one that cannot start, where it must (`must_start`). Those of `may_fail` are tried for ever."""

    def __init__(
        self, printer: "SurvivingPrinter", *, must_start: bool = False, may_fail: Collection[str] = ()
    ) -> None:
        super().__init__(printer)
        self.has_given_up, self._must_start, self._may_fail = False, must_start, may_fail
        self._started_at: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._in_vain: Counter[str] = Counter()
        self._restarted: set[str] = set()

    def _all_started(self) -> bool:
        """Asked in each round of honcho's loop, before it looks whether one has stopped."""
        now = time.monotonic()
        for name, process in self._processes.items():
            if not self._is_to_stop:
                self._look_after(name, process, now)
        return super()._all_started()

    def _look_after(self, name: str, process: dict[str, Any], now: float) -> None:
        if process.get("pid") is None:
            if now >= self._due.get(name, math.inf):
                del self._due[name]
                process["process"] = multiprocessing.Process(
                    name=name, target=process["obj"].run, args=(self.events, True)
                )
                process["process"].start()
            return
        began = self._started_at.setdefault(name, now)
        if "returncode" not in process:
            return
        is_soon, code = now - began < SOON_S, process["returncode"]
        self._in_vain[name] = self._in_vain[name] + 1 if is_soon else 0
        if self._must_start and is_soon and code > 0 and name not in self._restarted:
            self._give_up(name, code, f"cannot start: it {how_ended(code)}")
        elif self._in_vain[name] >= STARTS_IN_VAIN and name not in self._may_fail:
            times = f"{STARTS_IN_VAIN} times soon after its start"
            self._give_up(name, code, f"ended {times}; the last time it {how_ended(code)}")
        else:
            self._put_off(name, process, now)

    def _give_up(self, name: str, code: int, why: str) -> None:
        self._system_print(f"{name} {why}; see above. Everything is stopped.\n")
        self.has_given_up, self.returncode = True, code
        self.terminate()

    def _put_off(self, name: str, process: dict[str, Any], now: float) -> None:
        pause_s = RESTART_AFTER_S * 2 ** min(max(self._in_vain[name] - 1, 0), STARTS_IN_VAIN)
        self._system_print(f"{name} {how_ended(process['returncode'])}: it is started again in {pause_s:g} s\n")
        for known in ("pid", "returncode"):
            del process[known]
        del self._started_at[name]
        self._restarted.add(name)
        self._due[name] = now + pause_s
        self.returncode = None  # type: ignore[assignment] # honcho's word for: none has ended

    def terminate(self) -> None:
        for name in self._due:  # not running now, so there is nothing to stop
            self._processes[name] |= {"pid": 0, "returncode": 0}
        self._due.clear()
        super().terminate()


def how_ended(code: int) -> str:
    """By the return code of a child: below nought the signal that ended it."""
    try:
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    except ValueError:
        return f"was killed by signal {-code}"


class SurvivingPrinter(Printer):  # type: ignore[misc]
    """Printing to a pipe that was closed, or a terminal that is gone, must not raise: the children would be left alone."""

    on_lost: Any = staticmethod(lambda: None)

    def write(self, message: Message) -> None:
        try:
            super().write(message)
        except OSError:
            self.output = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of this process's life
            # What Python itself flushes at exit must not fail either.
            os.dup2(self.output.fileno(), sys.stdout.fileno())
            self.on_lost()


class TiedProcess(Process):  # type: ignore[misc]
    """honcho keeps a process of its own beside each child; it must go with the supervisor, so that the child gets to know."""

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        supervisor = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            return  # it died before it could be watched
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor ends the child in order
        super().run(events, ignore_signals)
