"""One key pressed is one digit, whichever of RFC 4733, in-band tones and SIP INFO carry it; hears no key itself.

Keys may be a card's: they are in no repr, and `forget` overwrites them.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

Method = Literal["telephone_event", "inband", "info"]

# RFC 4733 table 3: event codes 0 to 15 in this order.
EVENT_KEYS: Final = "0123456789*#ABCD"
# What two methods may disagree on when a key went down. In media both are samples of one clock, apart by a gateway's
# detection time; an INFO comes after the key is up, and may have been sent again (RFC 3261 timer E: 0.5 s, then 1 s).
MEDIA_WINDOW_S: Final = 0.4
INFO_WINDOW_S: Final = 2.0
REMEMBERED: Final = 32
FORGOTTEN: Final = ""


@dataclass
class Press:
    key: str = field(repr=False)
    at_s: float
    methods: set[Method]


class KeyMerger:
    """For one call. A press that two methods report is paired one to one, so `11` sent twice over stays `11`.

    A method is never merged with itself: what is one press within a method, its receiver has settled.
    """

    def __init__(self) -> None:
        self._presses: list[Press] = []

    def is_new(self, key: str, method: Method, at_s: float) -> bool:
        """False when another method has told of this press. `at_s`: when the key went down, on any monotonic clock."""
        twin = self._twin(key, method, at_s)
        if twin is not None:
            twin.methods.add(method)
            return False
        self._presses.append(Press(key, at_s, {method}))
        del self._presses[:-REMEMBERED]
        return True

    def forget(self) -> None:
        """The card field is complete: its keys are overwritten, and echoes of them by other methods still swallowed."""
        for press in self._presses:
            press.key = FORGOTTEN

    def _twin(self, key: str, method: Method, at_s: float) -> Press | None:
        # Only presses after the last one this method has told of: methods keep the order of presses.
        told = [place for place, press in enumerate(self._presses) if method in press.methods]
        for press in self._presses[told[-1] + 1 if told else 0 :]:
            if press.key in (key, FORGOTTEN) and abs(press.at_s - at_s) <= window_s(method, press.methods):
                return press
        return None


def window_s(method: Method, others: set[Method]) -> float:
    return INFO_WINDOW_S if method == "info" or others == {"info"} else MEDIA_WINDOW_S
