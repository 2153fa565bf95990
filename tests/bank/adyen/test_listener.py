"""The address to which a bank tells things: what it says to the bank, and that nobody else is believed."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivr.bank.adyen import AdyenBank
from ivr.channels.bank_news import bank_news_blueprint
from ivr.channels.simulator import Clock
from ivr.store import Store
from tests.bank.adyen.running import RunningAdyen
from tests.bank.adyen.test_ledger import begin, intake_of, work

NEWS = "/banks/acme_bank/notifications"


@pytest.fixture
def listener(store: Store, adyen_process: RunningAdyen) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(bank_news_blueprint(intake_of(store, adyen_process.settings())))
    return app.test_client()


def test_news_are_acknowledged_each_time_and_move_the_ledger_once(
    listener: FlaskClient, store: Store, adyen: AdyenBank, adyen_process: RunningAdyen
):
    clock = Clock(datetime.now(UTC))
    reference = begin(store, adyen_process, 1399, clock())
    (early,) = [
        listener.post(NEWS, data=content).status_code
        for content in news_after_work(store, adyen, adyen_process, reference)
    ]
    assert early == 200
    (content,) = adyen_process.news(reference, "AUTHORISATION")
    assert listener.post(NEWS, data=content).status_code == 200
    assert store.entries(reference) == ["requested", "unknown", "approved"]


def news_after_work(store: Store, adyen: AdyenBank, running: RunningAdyen, reference: str) -> list[bytes]:
    work(store, adyen, Clock(datetime.now(UTC)), rounds=1)
    return running.news(reference, "AUTHORISATION")


def test_nobody_else_is_believed(listener: FlaskClient):
    assert listener.post(NEWS, data=b"{}").status_code == 403
    assert listener.post("/banks/nobody/notifications", data=b"{}").status_code == 404
    assert listener.get(NEWS).status_code == 405
