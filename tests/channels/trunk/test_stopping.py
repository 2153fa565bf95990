"""A node that is told to stop before it has started: it makes no more prompts, and never listens."""

import asyncio
import os
import signal

from ivr.channels.trunk import serve
from tests.channels.trunk.callers import play
from tests.tills import make_till


def test_a_node_that_is_making_its_prompts_leaves_off_at_the_first_signal(tmp_path):
    async def scene():
        trunk = make_till(tmp_path).trunk
        started: list[bool] = []
        serving = asyncio.create_task(serve(trunk, 60, lambda: started.append(True)))
        await asyncio.sleep(0)  # until its first wait: prompts are being made in a thread
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        assert started == []
        assert trunk.endpoint.listening == ()

    play(scene)
