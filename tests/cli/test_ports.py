"""What is told of ports that are taken: a line for each, and one for a range."""

from ivr.cli.ports import Port, in_lines


def test_ports_that_follow_one_another_are_told_in_one_line():
    rtp = {Port("127.0.0.1", number, "udp", "TRUNK_RTP_PORTS"): "in use" for number in (30000, 30001, 30002, 30007)}
    web = {Port("127.0.0.1", 29999, "tcp", "PORT"): "in use"}
    assert list(in_lines(web | rtp)) == [
        "127.0.0.1:29999 (tcp) cannot be used (in use): choose another with PORT",
        "127.0.0.1:30000-30002 (udp) cannot be used (in use): choose another with TRUNK_RTP_PORTS",
        "127.0.0.1:30007 (udp) cannot be used (in use): choose another with TRUNK_RTP_PORTS",
    ]


def test_ports_that_fail_in_different_ways_are_told_apart():
    first, second = (Port("127.0.0.1", number, "udp", "TRUNK_RTP_PORTS") for number in (30000, 30001))
    assert len(list(in_lines({first: "in use", second: "not allowed"}))) == 2
