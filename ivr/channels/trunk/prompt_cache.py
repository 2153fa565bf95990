"""Which prompts the media worker holds: those lately heard. Amounts and numbers are spoken once and must make room."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from ivr.phone.rtp import Clip, MediaClient

MOST_CLIPS = 1000  # at about a second each a quarter of the worker's hour; two languages' fixed prompts are 200


class PromptCache:
    """One for each media worker. A clip that a call still hears is never put away."""

    def __init__(self, media: MediaClient, most: int = MOST_CLIPS) -> None:
        self._media, self._most = media, most
        self._loaded: OrderedDict[Path, Clip] = OrderedDict()
        self._heard_by: dict[str, frozenset[Path]] = {}

    async def take(self, call: str, paths: Sequence[Path]) -> list[Clip]:
        """Loaded, and kept until the call takes others or is `release`d."""
        self._heard_by[call] = frozenset(paths)
        clips = []
        for path in paths:
            clips.append(await self._media.load(path))
            self._loaded[path] = clips[-1]
            self._loaded.move_to_end(path)
        self._make_room()
        return clips

    def release(self, call: str) -> None:
        self._heard_by.pop(call, None)

    @property
    def listening(self) -> int:
        """Calls whose clips are kept."""
        return len(self._heard_by)

    def __len__(self) -> int:
        return len(self._loaded)

    def _make_room(self) -> None:
        if len(self._loaded) <= self._most:
            return
        in_use = frozenset[Path]().union(*self._heard_by.values())
        for path in self._oldest(in_use):
            self._media.unload(self._loaded.pop(path))

    def _oldest(self, in_use: Iterable[Path]) -> list[Path]:
        idle = [path for path in self._loaded if path not in in_use]
        return idle[: len(self._loaded) - self._most]
