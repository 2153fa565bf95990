"""One person's data on a page: looked for, handed out and deleted by those who may, and on record."""

import json

from ivr.store import memory_store
from tests.portal.lines import Line, told
from tests.store.databases import NUMBERS
from tests.store.payments import a_call

CALLER = "+15557013998"


def line_with_a_caller(*, over: bool = True) -> Line:
    store = memory_store()
    store._database.numbers = NUMBERS
    line = Line(store, hash_caller=NUMBERS.hash)
    store.save_call(a_call(ani=CALLER, phase="over" if over else "entry"), 0, line.clock())
    return line


def test_an_operator_sees_what_there_is_and_deletes_it_with_a_second_press():
    line = line_with_a_caller()
    ada = line.signed_in("ada", "operator")
    found = ada.fill_in("/person", "/person", number="1 (555) 701-3998")
    assert "Of the number ...998 there are 1 call, 0 texts" in found.text
    assert "they are the books" in found.text
    assert line.store.load_call("CA1") is not None
    done = ada.fill_in("/person", "/person/delete", number=CALLER)
    assert "deleted: calls 1" in told(done)
    assert line.store.load_call("CA1") is None
    events = [(one.who, one.what) for one in line.store.audit_events(2)]
    assert events == [("ada", "personal data deleted"), ("ada", "personal data looked for")]


def test_an_auditor_takes_all_of_it_as_a_file_and_has_no_button_to_delete():
    line = line_with_a_caller()
    eve = line.signed_in("eve", "auditor")
    assert "Delete" not in eve.fill_in("/person", "/person", number=CALLER).text
    taken = eve.fill_in("/person", "/person/export", number=CALLER)
    assert taken.headers["Content-Disposition"] == 'attachment; filename="personal-data.json"'
    assert [one["caller"] for one in json.loads(taken.text)["calls"]] == [CALLER]
    assert eve.fill_in("/person", "/person/delete", number=CALLER).status_code == 403
    assert line.store.load_call("CA1") is not None


def test_while_a_call_goes_on_it_is_said_and_nothing_is_deleted():
    line = line_with_a_caller(over=False)
    ada = line.signed_in("ada", "operator")
    refused = ada.fill_in("/person", "/person/delete", number=CALLER)
    assert (refused.status_code, "a call goes on" in refused.text) == (409, True)
    assert line.store.load_call("CA1") is not None


def test_what_is_no_number_of_anybody_here_is_refused_and_a_card_number_is_not_shown_again():
    ada = line_with_a_caller().signed_in("ada", "operator")
    for path in ("/person", "/person/export", "/person/delete"):
        for number, says in (
            ("", "expected a telephone number, such as +1 202 555 0100"),
            ("anonymous", "a withheld one is nobody's"),
            ("abc", "no telephone number"),
            ("+15550100222", "nothing is kept of ...222"),
            (
                "555 0100 222",
                "nothing is kept of ...222; with the country's code, such as +1 202 555 0100, it may be found",
            ),
        ):
            refused = ada.fill_in("/person", path, number=number)
            assert (refused.status_code, says in told(refused)) == (409, True), told(refused)
        card = ada.fill_in("/person", path, number="4111 1111 1111 1111")
        assert (card.status_code, "4111" in card.text) == (409, False)


def test_a_number_of_nobody_is_on_record_too():
    line = line_with_a_caller()
    ada = line.signed_in("ada", "operator")
    for path in ("/person", "/person/export", "/person/delete"):
        ada.fill_in("/person", path, number="+15550100222")
        (last,) = line.store.audit_events(1)
        assert (last.what, last.about) == ("personal data looked for", "...222"), path
        line.store.note("ada", "something else", "", line.clock())
