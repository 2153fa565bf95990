"""Very many stored calls replayed on several cores, in pieces; what a replay of one call is, is in `replay`."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

from ivr.calls.assembly import load_flow
from ivr.core.call import Call
from ivr.flow.compiled import Flow
from ivr.testing.processes import end_at_once
from ivr.testing.quiet import few_collections
from ivr.testing.replay import EndsOtherwise, replay_all

CALLS_A_PIECE = 250
Answers = Sequence[EndsOtherwise | None]


def replay_in_pieces(flow: Flow, file: Path, calls: Sequence[Call], jobs: int = 1) -> Iterator[Answers]:
    """The answers of `replay_all` for all calls, in order, a piece at a time, whatever `jobs` is. `file`: where the flow was
    read from, because each process compiles its own."""
    pieces = [calls[begin : begin + CALLS_A_PIECE] for begin in range(0, len(calls), CALLS_A_PIECE)]
    jobs = min(jobs, len(pieces))
    if jobs <= 1:
        yield from (_replayed(flow, piece) for piece in pieces)
        return
    with ProcessPoolExecutor(jobs, initializer=end_at_once) as pool:
        yield from pool.map(_replayed_from, [file] * len(pieces), pieces)


def _replayed(flow: Flow, piece: Sequence[Call]) -> Answers:
    with few_collections():
        return list(replay_all(flow, piece))


def _replayed_from(file: Path, piece: Sequence[Call]) -> Answers:
    return _replayed(_compiled(file), piece)


@lru_cache(1)
def _compiled(file: Path) -> Flow:
    return load_flow(file)[0]
