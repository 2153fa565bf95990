"""Hears DTMF keys, on many channels at once or in one recording; it neither makes tones nor hides them."""

from dsp.dtmf.bank import DtmfBank
from dsp.dtmf.decode import StreamDecoder, decode, decode_many
from dsp.dtmf.keys import KEYS, Down, Events, Key, Up

__all__ = ["KEYS", "Down", "DtmfBank", "Events", "Key", "StreamDecoder", "Up", "decode", "decode_many"]
