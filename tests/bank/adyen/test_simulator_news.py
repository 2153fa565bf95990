"""The simulator's notifications, as Adyen's: each is sent until it is acknowledged, and none holds up the others."""

import json
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ivr.bank.simulator import adyen_news
from ivr.bank.simulator.adyen_keys import AdyenAccount
from ivr.bank.simulator.adyen_news import AdyenNews, AdyenNotice
from ivr.core.money import Money

REFUSALS = 70  # at one a second, for longer than a forwarder's lease
ACCOUNT = AdyenAccount("TonetillTestMOTO", "key", "ab" * 32, Path("adyen-public.txt"))


class Receiver(ThreadingHTTPServer):
    """Tells `early` to come again, as the product does while a forwarder waits for that charge's answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.taken: queue.Queue[str] = queue.Queue()

    def status_for(self, psp: str) -> int:
        self.asked[psp] += 1
        if psp == "early" and self.asked[psp] <= REFUSALS:
            return 503
        self.taken.put(psp)
        return 200


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(
            self.server.status_for(said["notificationItems"][0]["NotificationRequestItem"]["pspReference"])
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_notification_that_comes_too_early_is_sent_until_it_is_taken_and_holds_up_no_other(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(adyen_news, "PAUSE_S", 0)
    news = AdyenNews(ACCOUNT, f"http://127.0.0.1:{receiver.server_port}/")
    for psp in ("early", "other"):
        news.tell(AdyenNotice("REFUND", "CA1-1-m1", psp, Money(1360), "PAYMENT", True, ""))
    taken = [receiver.taken.get(timeout=60) for _ in range(2)]
    news.stop()
    assert taken == ["other", "early"]
    assert receiver.asked["early"] == REFUSALS + 1
