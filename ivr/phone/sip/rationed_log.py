"""A log that writes one line a second of each event, with a count: what strangers can cause must not fill a disk."""

import asyncio

import structlog

PAUSE_S = 1.0
Values = dict[str, object]


class RationedLog:
    """The first line is written at once; those within the next second become one, with the values of the last."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("sip")
        self._held: dict[str, tuple[int, Values]] = {}

    def info(self, event: str, **values: object) -> None:
        self._say("info", event, values)

    def warning(self, event: str, **values: object) -> None:
        self._say("warning", event, values)

    def error(self, event: str, **values: object) -> None:
        self._say("error", event, values)

    def _say(self, level: str, event: str, values: Values) -> None:
        if event in self._held:
            self._held[event] = (self._held[event][0] + 1, values)
        else:
            self._write(level, event, 1, values)

    def _write(self, level: str, event: str, count: int, values: Values) -> None:
        getattr(self._log, level)(event, count=count, **values)
        self._held[event] = (0, {})
        asyncio.get_running_loop().call_later(PAUSE_S, self._release, level, event)

    def _release(self, level: str, event: str) -> None:
        count, values = self._held.pop(event)
        if count:
            self._write(level, event, count, values)
