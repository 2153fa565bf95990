"""Networks and token buckets, without a clock."""

import pytest

from ivr.errors import ConfigError
from ivr.phone.sip import Peer
from ivr.phone.sip.access import AccessList, RateLimit


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("192.0.2.7", ["pbx", "all"]),
        ("192.0.2.17", ["all"]),
        ("::ffff:192.0.2.7", ["pbx", "all"]),
        ("2001:db8::5", ["six"]),
        ("2001:db9::5", []),
        ("fe80::1%eth0", []),
        ("no address", []),
    ],
)
def test_a_source_is_whichever_peers_have_its_network(host, names):
    peers = (Peer("pbx", ("192.0.2.0/28",)), Peer("six", ("2001:db8::/32",)), Peer("all", ("0.0.0.0/0",)))
    assert [peer.name for peer in AccessList(peers).peers_at(host)] == names


def test_without_a_list_everyone_is_let_in():
    assert [peer.username for peer in AccessList(()).peers_at("198.51.100.1")] == [None]


def test_a_network_that_is_none_is_told_with_its_peer():
    with pytest.raises(ConfigError, match=r"peer pbx: '1.2.3' is no IP address or network"):
        AccessList((Peer("pbx", ("1.2.3",)),))


def test_tokens_come_back_with_time_and_never_above_the_burst():
    limit = RateLimit(2, 3, 10)
    assert [limit.take("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert [limit.take("a", 0.6) for _ in range(2)] == [True, False]
    assert [limit.take("a", 1000) for _ in range(4)] == [True, True, True, False]
    assert limit.take("b", 1000)


def test_a_million_forged_sources_take_no_more_room_than_a_few():
    limit = RateLimit(1, 1, 100)
    for number in range(10_000):
        limit.take(str(number), number)
    assert len(limit) == 100
