"""How a test's telephone sends keys: as RFC 4733 events, or as tones in its audio."""

from typing import Literal, get_args

KeyMethod = Literal["events", "tones"]
KEY_METHODS: tuple[KeyMethod, ...] = get_args(KeyMethod)
