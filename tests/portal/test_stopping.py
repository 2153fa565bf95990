"""The kill switch on its page: asked twice, with a reason, by operators alone, and on record."""

from tests.portal.lines import Line, told
from tests.store.payments import a_call

REASON = "the bank rang: a breach"


def line_with_a_call() -> Line:
    line = Line()
    line.store.save_call(a_call(), 0, line.clock())
    return line


def test_an_operator_is_told_what_will_happen_and_stops_the_line_with_a_second_press():
    line = line_with_a_call()
    ada = line.signed_in("ada", "operator")
    asked = ada.fill_in("/stops", "/stops", what="line", reason=REASON)
    assert "Of the 1 call that goes on now" in asked.text
    assert not line.store.stops()
    done = ada.fill_in("/stops", "/stops", what="line", reason=REASON, confirmed="yes")
    assert "No card is taken of the whole line" in done.text
    assert [(one.what, one.by, one.reason) for one in line.store.stops()] == [("the whole line", "ada", REASON)]
    assert line.store.is_stopped("pay-a-bill", "acme_bank")
    again = ada.fill_in("/stops", "/stops", what="line", reason=REASON, confirmed="yes")
    assert again.status_code == 409


def test_a_flow_or_a_bank_is_stopped_alone_and_started_again():
    line = line_with_a_call()
    ada = line.signed_in("ada", "operator")
    for what in ("flow pay-a-bill", "bank acme_bank"):
        ada.fill_in("/stops", "/stops", what=what, reason=REASON, confirmed="yes")
    assert [one.what for one in line.store.stops()] == ["flow pay-a-bill", "bank acme_bank"]
    ada.fill_in("/stops", "/stops/start", what="flow pay-a-bill")
    assert [one.what for one in line.store.stops()] == ["bank acme_bank"]
    assert ada.fill_in("/stops", "/stops/start", what="flow pay-a-bill").status_code == 409
    events = [(one.who, one.what, one.about) for one in line.store.audit_events(3)]
    assert events == [
        ("ada", "charging started", "flow pay-a-bill"),
        ("ada", "charging stopped", f"bank acme_bank: {REASON}"),
        ("ada", "charging stopped", f"flow pay-a-bill: {REASON}"),
    ]


def test_what_there_is_not_and_a_reason_that_is_none_are_refused():
    line = line_with_a_call()
    ada = line.signed_in("ada", "operator")
    assert "there is no such flow (did you mean 'pay-a-bill'?)" in told(
        ada.fill_in("/stops", "/stops", what="flow pay-a-bil", reason=REASON, confirmed="yes")
    )
    assert "say why" in told(ada.fill_in("/stops", "/stops", what="line", reason=" ", confirmed="yes"))
    for number in (
        "4111111111111111",
        "4111/1111/1111/1111",
        "4111 - 1111 - 1111 - 1111",
        "４１１１１１１１１１１１１１１１",
    ):
        card = ada.fill_in("/stops", "/stops", what="line", reason=f"card {number}", confirmed="yes")
        assert (card.status_code, number in card.text) == (409, False)
        named = ada.fill_in("/stops", "/stops", what=f"flow {number}", reason="it is out of order")
        assert (named.status_code, "4111111111111111" in named.text) == (409, False)
    for what in ("", "line pay-a-bill", "flow", "everything"):
        assert ada.fill_in("/stops", "/stops", what=what, reason=REASON, confirmed="yes").status_code == 400
    assert not line.store.stops()


def test_an_auditor_sees_what_is_stopped_and_has_no_button():
    line = line_with_a_call()
    line.signed_in("ada", "operator").fill_in("/stops", "/stops", what="line", reason=REASON, confirmed="yes")
    eve = line.signed_in("eve", "auditor")
    page = eve.get("/stops").text
    assert REASON in page
    assert "<button>Take cards again" not in page
    assert eve.fill_in("/stops", "/stops/start", what="line").status_code == 403
    assert line.store.stops()


def test_everybody_who_has_signed_in_sees_that_the_line_is_stopped():
    line = line_with_a_call()
    line.signed_in("ada", "operator").fill_in(
        "/stops", "/stops", what="line", reason="<b>a breach</b>", confirmed="yes"
    )
    page = line.signed_in("bob", "viewer").get("/payments").text
    assert "No card is taken of the whole line" in page
    assert "<b>a breach" not in page
