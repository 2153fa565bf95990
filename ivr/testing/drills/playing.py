"""Plays a scenario minute by minute, and keeps what was done when."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.errors import RecordError
from ivr.testing.drills.drill_line import DrillLine
from ivr.testing.drills.scenario import DrillCommand, DrillRecord, DrillScenario

# Commands that act on a line in a drill; the others start processes, or ask banks.
ALLOWED = (
    "alerts",
    "audit",
    "evidence",
    "keys",
    "limits",
    "message",
    "notices",
    "payments",
    "settle",
    "start",
    "stop",
    "books",
)
BUILT_IN = ("wait [MINUTES]", "tell WHOM", "help", "done")
LONGEST_WAIT = 10


@dataclass(frozen=True)
class Ran:
    """What became of a command. `code` 1 is also what a list says that is not empty."""

    code: int
    output: str


@dataclass
class Drill:
    """`run`: a command on the line, by its words. `alert_at`: the minute in which the first alert was raised.

    Before `known_at`, the first alert or the first look that showed something, nobody could know that anything is wrong: a command
    that was right by luck then earns nothing. `turned_away_unknown`: callers who were turned away until then.
    """

    scenario: DrillScenario
    record: DrillRecord
    run: Callable[[Sequence[str], DrillLine], Ran]
    alert_at: int | None = None
    known_at: int | None = None
    noticed_at: int | None = None
    contained_at: int | None = None
    turned_away_unknown: int = 0
    is_over: bool = False
    _raised: set[int] = field(default_factory=set)
    _told_news: bool = False

    @property
    def line(self) -> DrillLine:
        return self.record.line

    def did_knowing(self) -> DrillRecord:
        """The commands since something could be known."""
        since = self.known_at
        return DrillRecord(self.line, [one for one in self.record.did if since is not None and one.minute >= since])

    def stopped_unknowing(self) -> bool:
        """Whether callers were kept from paying before anybody could know why."""
        since = self.known_at
        return any(
            one.worked and one.text.startswith("stop ") and (since is None or one.minute < since)
            for one in self.record.did
        )

    def begin(self) -> list[str]:
        """What is heard before the first command."""
        return self._pass(1)

    def take(self, written: str) -> list[str]:
        """One line that somebody typed; what they see and hear because of it. RecordError for what is no command here."""
        words = words_of(written)
        if not words or words == ["help"]:
            return ["commands: " + ", ".join(ALLOWED), "and: " + ", ".join(BUILT_IN)]
        text, minute = " ".join(words), self.line.minute
        if words[0] == "done":
            self.is_over = True
            return []
        if words[0] == "wait":
            return self._pass(minutes_in(words))
        if words[0] == "tell":
            if len(words) < 2:
                raise RecordError("tell whom? `tell bank`, `tell twilio`, `tell police`")
            self.record.did.append(DrillCommand(minute, text.lower()))
            return [f"{' '.join(words[1:])}: told", *self._pass(1)]
        if words[0] not in ALLOWED:
            raise RecordError(f"'{words[0]}' is nothing for a drill: {', '.join(ALLOWED)}; or {', '.join(BUILT_IN)}")
        ran = self.run(within(words, self.line.folder), self.line)
        command = DrillCommand(minute, text, ran.code in (0, 1))
        self.record.did.append(command)
        if self.noticed_at is None and self._shows(command):
            self.noticed_at = minute
            self._know(minute)
        if self.contained_at is None and self._contains(command):
            self.contained_at = minute
        return [*ran.output.splitlines(), *self._pass(1)]

    def _pass(self, minutes: int) -> list[str]:
        heard: list[str] = []
        for _ in range(minutes):
            if self.line.minute >= self.scenario.minutes:
                self.is_over = True
                break
            heard += self._minute()
        return heard

    def _minute(self) -> list[str]:
        minute, line, heard = self.line.minute, self.line, list[str]()
        line.payer()
        if minute >= self.scenario.begins:
            self.scenario.act(line, minute)  # whoever does it does not know that it is ended
        if self.known_at is None:
            self.turned_away_unknown = line.turned_away
        if minute >= self.scenario.watched_from:
            line.watch.look()
        new = [one for one in line.alerts() if one.id not in self._raised]
        self._raised |= {one.id for one in new}
        if new:
            heard.append("(your telephone buzzes: the line has sent an alert)")
            self.alert_at = minute if self.alert_at is None else self.alert_at
            self._know(minute)
        if self.scenario.news and not self._told_news and minute >= self.scenario.news[0]:
            self._told_news = True
            heard.append(f"({self.scenario.news[1]})")
        line.pass_minute()
        return heard

    def _shows(self, command: DrillCommand) -> bool:
        """A list that is empty shows nothing."""
        if not command.worked or not command.text.startswith(tuple(self.scenario.shows)):
            return False
        if command.text.startswith("alerts"):
            return self.alert_at is not None
        return command.minute > self.scenario.begins and self.scenario.is_seen(self.record)

    def _contains(self, command: DrillCommand) -> bool:
        """By itself and knowingly: not a command after another that happened to be right."""
        is_such = command.worked and command.text.split()[0] == self.scenario.contained_by.split()[0]
        return self.known_at is not None and is_such and self.scenario.contains(DrillRecord(self.line, [command]))

    def _know(self, minute: int) -> None:
        self.known_at = minute if self.known_at is None else self.known_at


def words_of(written: str) -> list[str]:
    """Without the name of the program, which people type out of habit. RecordError for a quote that is not closed."""
    try:
        words = shlex.split(written, comments=True)
    except ValueError:
        raise RecordError("a quotation mark is not closed") from None
    if words[:3] == ["python", "-m", "ivr"]:
        words = words[3:]
    return words[1:] if words[:1] == ["tonetill"] else words


def minutes_in(words: Sequence[str]) -> int:
    written = words[1] if len(words) > 1 else "1"
    if not (written.isascii() and written.isdecimal() and 1 <= int(written) <= LONGEST_WAIT):
        raise RecordError(f"wait how long? 1 to {LONGEST_WAIT} minutes")
    return int(written)


def within(words: Sequence[str], folder: Path) -> list[str]:
    """What a command writes stays in the drill's folder."""
    kept = list(words)
    for at, word in enumerate(kept):
        if word == "--to" and at + 1 < len(kept):
            kept[at + 1] = str(folder / Path(kept[at + 1]).name)
        elif word.startswith("--to="):
            kept[at] = f"--to={folder / Path(word.removeprefix('--to=')).name}"
    return kept
