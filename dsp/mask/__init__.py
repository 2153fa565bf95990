"""Replaces DTMF tones by a beep, on live channels or in a recording; which keys they were is `dsp.dtmf`'s to say.

Public are the names of `__all__`, and the module `live`.
"""

from dsp.mask.live import Masker
from dsp.mask.offline import Masked, mask

__all__ = ["Masked", "Masker", "mask"]
