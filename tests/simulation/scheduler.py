"""Virtual time and who runs next: one heap of events, one greenlet at a time. What actors do is not known here."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

SECOND = 1_000_000  # time is counted in whole microseconds, so that no sum of pauses is rounded


class Killed(BaseException):
    """The process is gone in the middle of what it was doing. Nobody catches it: it is no Exception."""


@dataclass(eq=False)
class Process:
    """What dies together. A process that is started again is another one. `frailty`: how likely its death is at each of the
    moments at which it may die, beside others; 0 for what never does."""

    name: str
    frailty: float = 1.0
    is_dead: bool = False
    tasks: dict["Task", None] = field(default_factory=dict)  # in the order of their beginning, as a set would not be


@dataclass(eq=False)
class Task:
    """One thread of a process."""

    process: Process
    name: str
    greenlet: greenlet = field(init=False)


@dataclass(eq=False)
class Answer:
    """What one task waits for and another, or the network, gives. The second one given is ignored."""

    scheduler: "Scheduler"
    value: Any = None
    is_given: bool = False
    _waiting: Task | None = None

    def give(self, value: Any) -> None:
        if self.is_given:
            return
        self.value, self.is_given = value, True
        if self._waiting is not None:
            self.scheduler.resume(self._waiting)

    def wait(self, seconds: float) -> bool:
        """False where nothing came in time."""
        if not self.is_given:
            self._waiting = self.scheduler.current
            self.scheduler.after(seconds, self._give_up)
            self.scheduler.pause()
            self._waiting = None
        return self.is_given

    def _give_up(self) -> None:
        if self._waiting is not None and not self.is_given:
            self.scheduler.switch_to(self._waiting)


class Scheduler:
    """`chance`: the only source of chance. `note` is called with each thing that happens, for the trace."""

    def __init__(self, chance: random.Random, note: Callable[[int, str, str], object]) -> None:
        self.chance, self._note = chance, note
        self.now_us = 0
        self.events = 0
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._number = 0
        self._hub = getcurrent()
        self._task: Task | None = None
        self.crashed: list[tuple[str, BaseException]] = []

    # ---- from outside

    def run(self, until: Callable[[], bool]) -> None:
        """Event by event, until there is none or `until` says so."""
        while self._heap and not until():
            at, _, work = heapq.heappop(self._heap)
            self.now_us = max(self.now_us, at)
            self.events += 1
            work()

    def run_for(self, seconds: float) -> None:
        """All that happens until then."""
        end = self.now_us + round(seconds * SECOND)
        self.run(lambda: self._heap[0][0] > end)
        self.now_us = max(self.now_us, end)

    @property
    def now_s(self) -> float:
        return self.now_us / SECOND

    def note(self, who: str, what: str) -> None:
        self._note(self.now_us, who, what)

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        self._number += 1
        heapq.heappush(self._heap, (self.now_us + round(seconds * SECOND), self._number, work))

    # ---- tasks

    @property
    def current(self) -> Task:
        assert self._task is not None, "only a task can wait"
        return self._task

    def spawn(self, process: Process, name: str, work: Callable[[], object]) -> Task:
        """Begins at the next moment. What it raises, but for its death, is a fault of the simulation or the product."""
        task = Task(process, name)

        def body() -> None:
            try:
                if not process.is_dead:
                    work()
            except Killed:
                pass
            except BaseException as error:
                self.crashed.append((f"{process.name} {name}", error))
            finally:
                process.tasks.pop(task, None)

        task.greenlet = greenlet(body, self._hub)
        process.tasks[task] = None
        self.resume(task)
        return task

    def resume(self, task: Task) -> None:
        self.after(0, lambda: self.switch_to(task))

    def switch_to(self, task: Task) -> None:
        """From the hub alone; nothing where the task has ended."""
        if not task.greenlet.dead:
            self._task = task
            try:
                task.greenlet.switch()
            finally:
                self._task = None

    def sleep(self, seconds: float) -> None:
        self.resume_after(seconds)
        self.pause()

    def resume_after(self, seconds: float) -> None:
        task = self.current
        self.after(seconds, lambda: self.switch_to(task))

    def pause(self) -> None:
        """Until somebody resumes this task. Killed where its process has died."""
        process = self.current.process
        if process.is_dead:
            raise Killed(process.name)
        self._hub.switch()
        if process.is_dead:
            raise Killed(process.name)

    def kill(self, process: Process) -> None:
        """From the hub, or from one of its own tasks, which then has to raise Killed."""
        if process.is_dead:
            return
        process.is_dead = True
        self.note(process.name, "dies")
        self.after(0, lambda: self._bury(process))

    def end(self, process: Process) -> None:
        """From the hub, at once: the world is over."""
        process.is_dead = True
        self._bury(process)

    def _bury(self, process: Process) -> None:
        """Each of its tasks unwinds; one that has not begun never does."""
        for task in list(process.tasks):
            if task.greenlet:
                self._task = task
                task.greenlet.throw(Killed(process.name))
        self._task = None
