"""Users, sessions and requests of the portal on both databases: each thing that is good once is good once, whoever tries at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ivr.core.money import Money
from ivr.store import Passkey, PasswordCredentials, PortalInvitation, SessionEnds, Store, WantedModification
from tests.store.payments import NOW

ENDS = SessionEnds(timedelta(minutes=15), timedelta(hours=8))
OWN = PasswordCredentials("hash", "sealed")


def invite(store: Store, name: str = "ada", digest: str = "link") -> None:
    assert store.invite_user(name, "finance", PortalInvitation(digest, NOW + timedelta(hours=1)), "root", NOW)


def at_once(work, count: int = 6) -> list[object]:  # type: ignore[no-untyped-def]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(), range(count)))


def test_an_invitation_is_taken_by_one(store: Store):
    invite(store)
    taken = at_once(lambda: store.accept_invitation("link", OWN, 7, ["a", "b"], NOW))
    assert taken.count(True) == 1
    assert store.credentials_of("ada") == OWN
    assert store.invited_user("link", NOW) is None


def test_nobody_is_invited_twice_by_one_name(store: Store):
    made = at_once(
        lambda: store.invite_user("ada", "viewer", PortalInvitation("x", NOW + timedelta(hours=1)), "root", NOW)
    )
    assert made.count(True) == 1


def test_a_code_and_a_recovery_code_are_spent_by_one(store: Store):
    invite(store)
    store.accept_invitation("link", OWN, 7, ["a", "b"], NOW)
    assert at_once(lambda: store.spend_code("ada", 8)).count(True) == 1
    assert not store.spend_code("ada", 7)
    assert at_once(lambda: store.spend_recovery_code("ada", "a", NOW)).count(True) == 1
    assert not store.spend_recovery_code("bob", "b", NOW)


def test_a_challenge_is_answered_by_one_and_in_time(store: Store):
    store.add_challenge("challenge", NOW + timedelta(minutes=5), NOW)
    assert at_once(lambda: store.spend_challenge("challenge", NOW)).count(True) == 1
    store.add_challenge("another", NOW + timedelta(minutes=5), NOW)
    assert not store.spend_challenge("another", NOW + timedelta(minutes=6))


def test_a_passkey_that_was_copied_is_seen_by_its_counter(store: Store):
    invite(store)
    assert store.accept_with_passkey("link", Passkey("key", "ada", "public", 3), NOW)
    assert at_once(lambda: store.count_passkey("key", 3, 4)).count(True) == 1
    store.switch_user_off("ada", "root", NOW)
    assert store.passkey("key") is None


def test_a_session_ends_by_its_clock_by_hand_and_with_its_user(store: Store):
    invite(store)
    for digest in ("one", "two", "three"):
        store.begin_session(digest, "ada", "127.0.0.1", NOW)
    assert store.signed_in("one", ENDS, NOW + timedelta(minutes=14)) is not None
    assert store.signed_in("two", ENDS, NOW + timedelta(minutes=16)) is None
    store.end_session("one", NOW)
    assert store.signed_in("one", ENDS, NOW) is None
    store.reset_user("ada", PortalInvitation("new", NOW), "root", NOW)
    assert store.signed_in("three", ENDS, NOW) is None


def test_failures_count_by_pair_by_source_and_by_wrong_codes(store: Store):
    for source, kind in (("a", "password"), ("a", "code"), ("b", "code")):
        store.note_failure("ada", source, kind, NOW)  # type: ignore[arg-type]
    store.note_failure("unknown", "a", "password", NOW)
    found = store.failures("ada", "a", NOW - timedelta(minutes=15))
    assert (found.of_pair, found.of_source, found.wrong_codes) == (2, 3, 2)
    assert store.failures("ada", "a", NOW + timedelta(minutes=1)).of_source == 0


def test_a_request_waits_once_and_is_decided_once_by_another(store: Store):
    wanted = WantedModification("CA1-1", "refund", Money(20_000), Money(20_000), "ada")
    asked = at_once(lambda: store.ask_second_person(str(object()), wanted, NOW))
    assert asked.count(True) == 1
    (request,) = store.waiting_requests()
    assert store.decide_request(request.id, "ada", NOW, allows=True) is None
    decided = at_once(lambda: store.decide_request(request.id, "bob", NOW, allows=True))
    assert sum(one is not None for one in decided) == 1
    assert not store.waiting_requests()
    assert [(one.status, one.decided_by) for one in store.requests_of("CA1-1")] == [("allowed", "bob")]


def test_whoever_asked_takes_it_back_and_may_ask_again(store: Store):
    wanted = WantedModification("CA1-1", "refund", Money(20_000), Money(20_000), "ada")
    assert store.ask_second_person("R1", wanted, NOW)
    assert store.decide_request("R1", "ada", NOW, allows=False) is not None
    assert store.decide_request("R1", "bob", NOW, allows=True) is None
    assert store.ask_second_person("R2", wanted, NOW + timedelta(seconds=1))
    assert [one.status for one in store.requests_of("CA1-1")] == ["refused", "waiting"]
    assert not store.requests_of("CA2-1")
