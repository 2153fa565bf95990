"""What a flow declares of a look-up: what the endpoint is asked with, what it has to answer, and what rows of our own say."""

import asyncio
import datetime
import json
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from ivr.calls.answer_schema import look_up_schema
from ivr.calls.billing import Bills
from ivr.core.actions import LookUp
from ivr.core.events import LookedUp, LookUpFailed, OpenBill
from ivr.core.money import Money
from ivr.flow.schema import LookUpTerms
from ivr.reading.scalars import OPEN_BILLS
from ivr.store import Bill, memory_store
from tests.billing_endpoints import BillingServer, Request, write
from tests.calls.billings import ACCOUNT, AT, SOURCE, billing_at
from tests.calls.billings import server as server
from tests.store.payments import NOW

GIVES = {
    "customer.name": "text",
    "invoice.date": "date",
    "invoice.pages": "number",
    "invoice.is_late": "yes_no",
    "bill.fee": "money",
}
ASKED = LookUp(SOURCE, ACCOUNT, (("pin", "0042"),), tuple(GIVES.items()))
ANSWER = {
    "due": "42.50 USD",
    "fee": "1.00 USD",
    "customer": {"name": "Ann Ek", "street": "left out"},
    "invoice": {"date": "2026-01-31", "pages": 3, "is_late": True},
}
VALUES = {
    "bill.due": Money(4250),
    "bill.min": Money(1),
    "bill.fee": Money(100),
    "customer.name": "Ann Ek",
    "invoice.date": datetime.date(2026, 1, 31),
    "invoice.pages": 3,
    "invoice.is_late": True,
}


def answers(server: BillingServer, body: object) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        write(writer, 200, json.dumps(body).encode())

    server.handle = answer


def test_declared_values_are_read_by_their_types(server: BillingServer):
    answers(server, ANSWER)
    assert billing_at(server.url).look_up(ASKED, AT) == LookedUp(NOW, True, VALUES)


def test_a_pin_is_sent_in_the_body_and_never_in_the_address(server: BillingServer):
    answers(server, ANSWER)
    billing_at(server.url).look_up(ASKED, AT)
    (request,) = server.requests
    assert (request.method, request.path, json.loads(request.body)) == ("POST", f"/bills/{ACCOUNT}", {"pin": "0042"})
    assert "0042" not in repr(ASKED)


def changed(path: str, value: object) -> Mapping[str, object]:
    answer = json.loads(json.dumps(ANSWER))
    place = answer
    *above, last = path.split(".")
    for name in above:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return answer


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("fee", 1, "fee: expected a string such as '42.50 USD'"),
        ("fee", "1.00 USDollars", "fee: expected a string"),
        ("customer.name", None, "customer.name: missing"),
        ("customer", "Ann", "customer.name: missing"),
        ("customer.name", "", "customer.name: expected a string of 1 to 80"),
        ("customer.name", "A\nB", "customer.name: expected a string of 1 to 80"),
        ("customer.name", "x" * 81, "customer.name: expected a string of 1 to 80"),
        ("customer.name", "4111 1111 1111 1111", "customer.name: it may hold a card number"),
        ("invoice.date", "31.1.2026", "invoice.date: expected a string such as '2026-01-31'"),
        ("invoice.date", "2026-02-30", "invoice.date: there is no such day"),
        ("invoice.pages", "3", "invoice.pages: expected a whole number"),
        ("invoice.pages", 3.0, "invoice.pages: expected a whole number"),
        ("invoice.pages", True, "invoice.pages: expected a whole number"),
        ("invoice.is_late", 1, "invoice.is_late: expected true or false"),
    ],
)
def test_a_value_that_is_not_as_declared_is_no_bill(server: BillingServer, path: str, value: object, told: str):
    answers(server, changed(path, value))
    with capture_logs() as logs:
        assert billing_at(server.url).look_up(ASKED, AT) == LookUpFailed(NOW, "not_payable")
    (line,) = logs
    assert told in line["reason"]
    assert "Ann" not in str(line)
    assert "4111" not in str(line)


# ---- all open bills of a customer

LISTED = LookUp(OPEN_BILLS, "777", (), (("invoice.date", "date"),))


def one(account: str, due: str = "5.00 USD", day: str = "2026-01-31") -> dict[str, object]:
    return {"account": account, "due": due, "invoice": {"date": day}}


def test_open_bills_are_listed_in_the_order_of_the_answer_without_those_that_are_paid(server: BillingServer):
    answers(server, {"bills": [one("2", "9.00 USD"), one("3", "0.00 USD"), one("1")]})
    found = billing_at(server.url).look_up(LISTED, AT)
    assert isinstance(found, LookedUp)
    assert [(bill.key, bill.values["bill.due"]) for bill in found.bills] == [("2", Money(900)), ("1", Money(500))]
    assert server.requests[0].path == "/bills/777/bills"


def test_a_customer_without_a_bill_is_found(server: BillingServer):
    answers(server, {"bills": []})
    assert billing_at(server.url).look_up(LISTED, AT) == LookedUp(NOW, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"bills": {}},
        {"bills": [one("1"), one("1")]},
        {"bills": [{"due": "5.00 USD"}]},
        {"bills": [one("a b")]},
        {"bills": [one(str(number)) for number in range(51)]},
    ],
)
def test_a_list_that_cannot_be_read_is_not_payable(server: BillingServer, body: object):
    answers(server, body)
    assert billing_at(server.url).look_up(LISTED, AT) == LookUpFailed(NOW, "not_payable")


# ---- the embedded table


def table(*bills: Bill) -> Bills:
    store = memory_store()
    store.renew_bills(bills)
    return Bills(store)


def row(account: str, due: int = 500, customer: str = "", **details: str) -> Bill:
    named = tuple(sorted((name.replace("__", "."), text) for name, text in details.items()))
    return Bill(account, Money(due), Money(0), customer, named)


def test_a_row_is_found_with_its_pin_only():
    bills = table(row(ACCOUNT, key__pin="0042"), row("23456789"))
    assert bills.look_up(LookUp(SOURCE, ACCOUNT, (("pin", "0042"),)), AT).found
    assert not bills.look_up(LookUp(SOURCE, ACCOUNT, (("pin", "0043"),)), AT).found
    assert not bills.look_up(LookUp(SOURCE, "23456789", (("pin", "0042"),)), AT).found


def test_values_of_a_row_are_read_by_their_types():
    bills = table(row(ACCOUNT, invoice__date="2026-01-31", customer__name="Ann Ek"), row("23456789"))
    gives = (("invoice.date", "date"), ("customer.name", "text"))
    found = bills.look_up(LookUp(SOURCE, ACCOUNT, (), gives), AT)
    assert isinstance(found, LookedUp)
    assert (found.values["invoice.date"], found.values["customer.name"]) == (datetime.date(2026, 1, 31), "Ann Ek")
    assert bills.look_up(LookUp(SOURCE, "23456789", (), gives), AT) == LookUpFailed(NOW, "not_payable")


def test_a_customers_open_bills_are_the_rows_that_belong_to_them():
    bills = table(row("1", 0, "777"), row("2", 300, "777"), row("3", 400, "778"))
    found = bills.look_up(LookUp(OPEN_BILLS, "777"), AT)
    assert found == LookedUp(NOW, True, bills=(OpenBill("2", {"bill.due": Money(300), "bill.min": Money(0)}),))
    assert not bills.look_up(LookUp(OPEN_BILLS, "779"), AT).found


def test_the_schema_of_an_answer_has_every_declared_value():
    terms = LookUpTerms.model_validate({"takes": ["account_number", "pin"], "gives": GIVES})
    schema = look_up_schema(SOURCE, terms)
    assert schema["request"]["required"] == ["pin"]
    assert schema["answer"]["required"] == ["due", "fee", "customer", "invoice"]
    assert schema["answer"]["properties"]["invoice"]["required"] == ["date", "pages", "is_late"]
    listed = look_up_schema(OPEN_BILLS, terms)["answer"]["properties"]["bills"]["items"]
    assert listed["required"] == ["account", "due", "fee", "customer", "invoice"]
