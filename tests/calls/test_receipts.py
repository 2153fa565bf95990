"""A receipt by text and by e-mail says what the ledger says; what cannot be sent is not promised."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ivr.core.email_addresses import is_email_address
from ivr.errors import FlowError
from ivr.reading.typed_values import read_json_value
from ivr.testing.bench import Bench, build_bench
from tests.benches import ROOT, load_flow
from tests.leaks import leaks_in

SAMPLE = (
    (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml")
    .read_text(encoding="utf-8")
    .replace("sms: offer", "sms: send")
)
LOOKUPS = "lookups: {billing.find_bill: {gives: {customer.email: email}}}\nstart:"
BY_EMAIL = SAMPLE.replace("start:", LOOKUPS, 1).replace("sms: send", "sms: send, email: send")
PAN = "4012888888881881"
KEYS = ("{language}", "12345678#", "1", f"{PAN}#", "1230", "123", "94105", "1")
ADDRESS = "ann@example.com"


@dataclass
class Shop:
    bench: Bench

    def call(self, ani: str = "+15550100", language: str = "1") -> list[str]:
        """The whole call; the names of the prompts that the caller heard after the charge."""
        line = self.bench.dial("pay-a-bill", ani)
        line.begin()
        for keys in KEYS:
            line.press(keys.format(language=language))
        self.bench.workbench.work()
        heard = [prompt.name for prompt in line.wait().heard]
        line.press("#")
        self.bench.workbench.work()
        return heard

    def call_until_the_bank(self, ani: str) -> None:
        """The caller agrees, and hangs up."""
        line = self.bench.dial("pay-a-bill", ani)
        line.begin()
        for keys in KEYS:
            line.press(keys.format(language="1"))
        line.hang_up()

    @property
    def call_id(self) -> str:
        assert self.bench.line is not None
        return self.bench.line.call_id


@pytest.fixture
def open_shop(sealing_key: Path, tmp_path: Path) -> Callable[..., Shop]:
    def build(address: str = ADDRESS, flow: str = BY_EMAIL) -> Shop:
        (tmp_path / "prompts").symlink_to(ROOT / "flows" / "prompts")
        file, accounts = tmp_path / "pay-a-bill.yaml", tmp_path / "accounts.csv"
        file.write_text(flow, encoding="utf-8")
        accounts.write_text(f"account,due,minimum,currency,customer.email\n12345678,42.50,10.00,USD,{address}\n")
        compiled, prompts = load_flow(file)
        return Shop(build_bench([compiled], prompts, accounts, sealing_key=sealing_key))

    return build


def test_a_receipt_goes_by_both_ways_and_says_everything_that_a_receipt_has_to(open_shop: Callable[..., Shop]):
    shop = open_shop()
    heard = shop.call()
    assert heard.index("sms_sent") < heard.index("email_sent")
    assert heard.count("email_sent") == 1
    (text,) = shop.bench.workbench.store.texts_of(shop.call_id)
    (mail,) = shop.bench.workbench.store.emails_of(shop.call_id)
    (payment,) = shop.bench.workbench.store.payments_of(shop.call_id)
    number, day = payment.confirmation_number, payment.begun_at
    assert number
    for said in (text.body, mail.body):
        for part in ("simulated", "$42.50", "Visa 1881", "12345678", number, f"{day:%b} {day.day}, {day.year}"):
            assert part in said
    assert (mail.recipient, mail.state) == (ADDRESS, "kept")
    assert mail.subject == f"Receipt from simulated: $42.50, {number}"
    assert leaks_in(f"{text} {mail}".encode(), [PAN]) == []


def test_a_receipt_that_is_the_last_word_of_a_call_goes_by_e_mail_too(open_shop: Callable[..., Shop]):
    """The call has forgotten the address by then."""
    shop = open_shop(flow=BY_EMAIL.replace("repeat: 2, sms: send, ", ""))
    assert "email_sent" in shop.call()
    (mail,) = shop.bench.workbench.store.emails_of(shop.call_id)
    assert mail.recipient == ADDRESS


def test_a_merchants_own_name_is_on_the_receipt(open_shop: Callable[..., Shop]):
    shop = open_shop()
    runner = shop.bench.workbench.runner
    runner.payments = replace(runner.payments, merchant_name="Example Water")
    shop.call()
    (mail,) = shop.bench.workbench.store.emails_of(shop.call_id)
    assert mail.subject.startswith("Receipt from Example Water")


def test_a_spanish_caller_gets_it_in_spanish(open_shop: Callable[..., Shop]):
    shop = open_shop()
    assert "email_sent" in shop.call(language="2")
    (mail,) = shop.bench.workbench.store.emails_of(shop.call_id)
    assert "Recibo" in mail.subject
    assert "Confirmación" in mail.body


@pytest.mark.parametrize("address", ["", "ann", "ann@example.com; bob@example.com"])
def test_without_an_address_no_e_mail_is_promised_and_the_bill_is_paid_all_the_same(
    open_shop: Callable[..., Shop], address: str
):
    shop = open_shop(address)
    heard = shop.call()
    assert "sms_sent" in heard
    assert "email_sent" not in heard
    assert shop.bench.payments() == ["approved"]
    assert shop.bench.workbench.store.emails_of(shop.call_id) == []


def test_without_a_mail_server_no_e_mail_is_promised(open_shop: Callable[..., Shop]):
    shop = open_shop()
    runner = shop.bench.workbench.runner
    runner.payments = replace(runner.payments, can_email=lambda: False)
    assert "email_sent" not in shop.call()
    assert shop.bench.workbench.store.emails_of(shop.call_id) == []


def test_a_caller_without_a_number_gets_it_by_e_mail_alone(open_shop: Callable[..., Shop]):
    shop = open_shop()
    heard = shop.call(ani="anonymous")
    assert ("sms_sent" in heard, "email_sent" in heard) == (False, True)
    assert shop.bench.workbench.store.texts_of(shop.call_id) == []


def test_a_declined_card_is_no_receipt(open_shop: Callable[..., Shop]):
    shop = open_shop()
    shop.bench.bank.behaviour = "declines 05"
    assert "email_sent" not in shop.call()
    assert shop.bench.workbench.store.emails_of(shop.call_id) == []


def test_no_prompt_can_say_the_address(open_shop: Callable[..., Shop], tmp_path: Path):
    """Its type has no way to be said: a flow that tries does not serve."""
    shop = open_shop()
    prompts = shop.bench.workbench.prompts
    assert all("{email" not in text for text in prompts.texts(["en-US"], prompts.names("en-US"))["en-US"].values())


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        (
            SAMPLE.replace("sms: send", "email: send"),
            "'customer.email' is not known on every way to 'receipt' on which",
        ),
        (
            BY_EMAIL.replace("{sms: pay_by_link, link: bill", "{say: pay_by_link, email: send"),
            "a receipt goes by e-mail",
        ),
    ],
)
def test_a_flow_that_cannot_know_an_address_or_mails_what_is_no_receipt_is_refused(
    open_shop: Callable[..., Shop], flow: str, problem: str
):
    with pytest.raises(FlowError, match=problem):
        open_shop(flow=flow)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ann",
            "@x.com",
            "ann@",
            "ann@localhost",
            "a b@x.com",
            "a@x.com\r\nBcc: b@x.com",
            "A <a@x.com>",
            '"a"@x.com',
        ),
        *("a@x.com,b@x.com", "a..b@x.com", ".a@x.com", "a@-x.com", "a@x..com", "ä@x.com", f"{'a' * 65}@x.com"),
    ],
)
def test_what_is_no_plain_address_is_none(text: str):
    assert not is_email_address(text)


def test_a_plain_address_is_one_and_a_number_in_its_place_is_a_slip():
    assert read_json_value("email", "ann.ek+bills@mail.example.co.uk") == "ann.ek+bills@mail.example.co.uk"
    assert read_json_value("email", "") == ""
    with pytest.raises(ValueError, match="e-mail address"):
        read_json_value("email", 12)


HUNG_UP = {"approves": ("went through", 1), "declines 05": ("did not go through", 1)}


@pytest.mark.parametrize("bank", HUNG_UP)
def test_who_hangs_up_and_takes_no_text_reads_the_result_in_an_email(open_shop: Callable[..., Shop], bank: str):
    shop = open_shop()
    shop.call_until_the_bank("anonymous")
    shop.bench.tell_bank(bank)
    shop.bench.tell_bank(bank)
    (mail,) = shop.bench.workbench.store.emails_of(shop.call_id)
    words, _ = HUNG_UP[bank]
    assert words in mail.body
    assert (mail.recipient, mail.id, mail.subject) == (
        ADDRESS,
        f"{shop.call_id}-1-result_email",
        "Your payment to simulated for 12345678",
    )
    assert shop.bench.workbench.store.texts_of(shop.call_id) == []


@pytest.mark.parametrize(("ani", "address", "texts", "mails"), [("+15550100", ADDRESS, 1, 0), ("anonymous", "", 0, 0)])
def test_a_result_goes_by_text_where_one_can_go_and_nowhere_without_an_address(
    open_shop: Callable[..., Shop], ani: str, address: str, texts: int, mails: int
):
    shop = open_shop(address)
    shop.call_until_the_bank(ani)
    shop.bench.tell_bank("approves")
    store = shop.bench.workbench.store
    assert (len(store.texts_of(shop.call_id)), len(store.emails_of(shop.call_id))) == (texts, mails)
    assert store.outbox_depth().get("result", 0) == 0
