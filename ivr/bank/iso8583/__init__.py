"""ISO 8583:1987 over TLS, for acquirers' own hosts: one connection, many charges at once, each found again by its numbers.

The connection (`connection`, `link`). A frame is two bytes of length, a TPDU where the host wants one, and a message. One
connection carries all charges of a process. An answer belongs to the question of its type and trace number (STAN, field
11), in whatever order they come; what was not asked, or was given up on, is nobody's answer and changes nothing.

    away -> connected -> signed on (0800, field 70 = 001) -> ... echo (301) after each quiet minute ... -> away

Away again: closed by the host, a frame of an impossible length, one that is not whole in time, an echo without an answer.
Then every question on the line is unknown, and the connection is begun again, with growing pauses.

A charge (`messages`, `client`). Before a purchase (0200 or 0100) leaves, its trace number, transmission time and retrieval
reference are with the intent (`trace`). There is no inquiry, and no key under which a second request is the same charge:
hosts differ on what a repeated 0201 is. So silence is undone: 0420, which names the purchase in field 90, and 0421 until it
is answered. Whether that also stops a purchase that arrives later is the host's affair (`reversals_block`). Where it does
not, or nobody knows, nothing is reversed before the purchase cannot arrive any more (`arrives_within`).

What never happens: a purchase is not sent twice, nor later than `FRESH_S` after it was written down; a late approval is not
believed; the clear card is in one buffer, from opening to sending, and overwritten there.

Public are its modules, by their names: what has no leading underscore in them.
"""
