"""What a scenario of a drill is: what happens, what shows it, what ends it, what must follow, and what makes it worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ivr.testing.drills.drill_line import DrillLine


@dataclass(frozen=True)
class DrillCommand:
    """`text` without the name of the program. `worked`: it was no mistake of typing, and not refused."""

    minute: int
    text: str
    worked: bool = True


@dataclass
class DrillRecord:
    """What was done, and the line that it was done to."""

    line: DrillLine
    did: list[DrillCommand] = field(default_factory=list)


Seen = Callable[[DrillRecord], bool]


@dataclass(frozen=True)
class DrillTask:
    """What must be done beside stopping it. `why`: said where it was not."""

    words: str
    is_done: Seen
    why: str


@dataclass(frozen=True)
class DrillMistake:
    words: str
    is_made: Seen
    costs: int = 10


@dataclass(frozen=True)
class DrillScenario:
    """`act`: what the incident does in a minute. `begins`: in which it does so first; alerts look from `watched_from` on.
    `shows`: the beginnings of commands that show it to whoever runs them, once `is_seen`. `contains`: whether it can do no more harm.
    `news`: what is heard in a minute without being looked for. `best`: the commands of somebody who knows."""

    name: str
    title: str
    story: str
    teaches: str
    act: Callable[[DrillLine, int], None]
    contains: Seen
    contained_by: str
    shows: Sequence[str]
    tasks: Sequence[DrillTask]
    mistakes: Sequence[DrillMistake]
    best: Sequence[str]
    begins: int = 2
    minutes: int = 25
    watched_from: int = 0
    sealing_key_days: int | None = None
    is_seen: Seen = lambda _: True
    news: tuple[int, str] | None = None
