"""A telephone in a web page: a call over one WebSocket, with audio both ways and a view into what the engine does.

For development and demonstrations: it shows what a caller never sees. The page is `ivr.console`'s; here is the channel.
One WebSocket is one call:

    opened    nothing has been said yet             closed after `DIAL_S` without a `call` message
    talking   `call` came: a Conversation runs      frames of audio both ways, messages about what happens
    settling  the call is over                      messages go on until the ledger is final, `SETTLE_S` at most

A connection that breaks, a page that is closed and a server that stops are all the caller's hang-up, on record.

Binary messages are audio: 160 bytes of mu-law, 20 ms at 8 kHz, in both directions. Text messages are JSON. The page sends
`{"do": "call" | "key" | "hang_up"}` (`messages`); everything else closes the connection with the reason. The page is sent
`{"is": ..., "at": milliseconds since the call began}`: `call`, `step`, `asks`, `says`, `quiet`, `heard`, `tone`, `sealed`,
`payment`, `ledger`, `text`, `transferred`, `hung_up`, `over`.

No key of a card field is sent back to the page, neither as a digit nor as a frequency. The tones of a card are in the
frames: they go from the socket into the decoder's buffers, which are wiped as the trunk's are; the bytes of a message
cannot be wiped, and are overwritten when they are freed (docs/card-data.md).
"""

from ivr.channels.browser.draft_phone import DraftLine, DraftPhone
from ivr.channels.browser.phone import BLOCKING_THREADS, AnsweringLine, BrowserPhone

__all__ = ["BLOCKING_THREADS", "AnsweringLine", "BrowserPhone", "DraftLine", "DraftPhone"]
