"""Replaces DTMF tones by a beep, on live channels or in a recording; which keys they were is `dsp.dtmf`'s to say."""

from dsp.mask.live import Masker
from dsp.mask.offline import Masked, mask

__all__ = ["Masked", "Masker", "mask"]
