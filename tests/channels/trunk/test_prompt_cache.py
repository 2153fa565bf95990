"""Prompts on the media worker: the latest stay, what a call still hears stays, the rest makes room."""

import asyncio
from pathlib import Path

from ivr.channels.trunk.prompt_cache import PromptCache
from ivr.phone.rtp import Clip


class Worker:
    """What the cache needs of a media client, remembering what it holds."""

    def __init__(self) -> None:
        self.held: dict[Path, Clip] = {}

    async def load(self, path: Path) -> Clip:
        return self.held.setdefault(path, Clip(len(self.held) + 1))

    def unload(self, clip: Clip) -> None:
        self.held = {path: held for path, held in self.held.items() if held != clip}


def names(*words: str) -> list[Path]:
    return [Path(word) for word in words]


def cache_of(most: int) -> tuple[Worker, PromptCache]:
    worker = Worker()
    return worker, PromptCache(worker, most)  # type: ignore[arg-type]


def test_the_clips_longest_unheard_make_room():
    worker, cache = cache_of(2)
    for word in ("one", "two", "three"):
        asyncio.run(cache.take("call", names(word)))
    assert set(worker.held) == set(names("two", "three"))


def test_what_another_call_still_hears_is_kept():
    worker, cache = cache_of(2)
    asyncio.run(cache.take("patient", names("welcome")))
    for word in ("one", "two", "three"):
        asyncio.run(cache.take("busy", names(word)))
    assert Path("welcome") in worker.held
    cache.release("patient")
    asyncio.run(cache.take("busy", names("four")))
    assert Path("welcome") not in worker.held
    assert len(cache) == 2


def test_a_phrase_longer_than_the_cache_is_heard_all_the_same():
    worker, cache = cache_of(1)
    assert len(asyncio.run(cache.take("call", names("a", "b", "c")))) == 3
    assert len(worker.held) == 3
