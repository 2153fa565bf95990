"""Everything around the calls of one cell: a store, a bank, the web application, a line, a forwarder, a sweeper, a clock.

It is put together once, and forked: so it has no connection and no thread when a life begins.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from ivr.bank import Bank
from ivr.calls import CallService
from ivr.calls.assembly import vaults_for
from ivr.calls.results import result_words
from ivr.calls.sweeping import Sweeper, idle_minutes
from ivr.channels.simulator import Clock
from ivr.forwarder.process import Forwarder
from ivr.store import Store, TextMessage, open_store
from ivr.store.tables import bill
from ivr.testing.bank import ScriptedBank
from ivr.testing.bench import Bench
from ivr.testing.billing import ScriptedBilling
from ivr.testing.workbench import Workbench, build_workbench
from ivr.web.wsgi import ONCE_SENT
from tests.benches import SAMPLE, load_flow
from tests.kill.banks import Place
from tests.kill.points import reach, watch_store
from tests.webs import PUBLIC, Web, make_web

LONGEST_CALL_MINUTES = 30
MINIMUM = 500


@dataclass(frozen=True)
class World:
    """`texts` is the file of whoever takes texts from us: a line for each that was handed over."""

    store: Store
    place: Place
    bench: Workbench
    texts: Path
    follow_ups: list[Callable[[], object]] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return self.bench.clock

    @cached_property
    def web(self) -> Web:
        made = make_web(Bench(self.bench, ScriptedBank(), ScriptedBilling(self.store)))
        application = httpx.WSGITransport(app=self._with_list(made.app.wsgi_app))
        return replace(made, http=httpx.Client(transport=application, base_url=PUBLIC))

    def _with_list(self, application: Any) -> Any:
        """As our web server runs it, which calls what is in this list once the answer is sent."""
        return lambda variables, start: application(variables | {ONCE_SENT: self.follow_ups}, start)

    def once_sent(self) -> None:
        while self.follow_ups:
            self.follow_ups.pop(0)()

    @cached_property
    def sweeper(self) -> Sweeper:
        service = CallService(self.bench.runner, self.store, now=self.clock)
        return Sweeper(service, idle_minutes(LONGEST_CALL_MINUTES))

    def owe(self, account: str, minor: int) -> None:
        with self.store._database.money() as connection:
            row = {"account": account, "due_minor": minor, "minimum_minor": MINIMUM, "currency": "USD"}
            connection.execute(insert(bill), row)

    def let_go(self) -> None:
        """No connection may be carried over into a life."""
        self.store.close()

    def texted(self, call: str) -> list[str]:
        """The words of each text about a call, in order."""
        if not self.texts.exists():
            return []
        found = [json.loads(line) for line in self.texts.read_text().splitlines()]
        return [one["body"] for one in found if one["id"].startswith(f"{call}-")]


def make_world(url: str, place: Place, folder: Path, bank: Callable[[Bank], Bank] = lambda bank: bank) -> World:
    """`bank`: stands between the forwarder and the place's client."""
    store, clock = open_store(url), place.clock
    flow, prompts = load_flow(SAMPLE)
    client = bank(place.client)
    bench = build_workbench(
        flow,
        prompts,
        place.key,
        client,
        None,
        clock,
        store,
        vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, place.form)),
    )
    texts = folder / "texts"

    def send(message: TextMessage) -> str:
        reach("before a text is handed over")
        line = json.dumps({"id": message.id, "body": message.body}) + "\n"
        file = os.open(texts, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line.encode())
        os.close(file)
        reach("after a text was handed over")
        return ""

    forwarder = Forwarder(
        store,
        {flow.bank: client},
        send,
        now=clock,
        write_result=result_words(lambda _version: prompts),
        pause=lambda _seconds: None,
    )
    watch_store(store)
    world = World(store, place, replace(bench, forwarder=forwarder), texts)
    _ = world.web, world.sweeper
    return world
