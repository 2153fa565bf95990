"""Telephone audio as numpy arrays: companding, tones, the DTMF decoder, the masker; nothing of calls, cards or sockets.

Public modules, each imported by its own name:
    dsp.g711       mu-law and A-law both ways
    dsp.tones      makes DTMF, prompt tones and the masker's monotone
    dsp.dtmf       reads keys: `DtmfBank` for live channels, `decode` for a recording
    dsp.mask       `Masker` for live channels, `mask` for a recording
    dsp.recording  WAV files in and out
    dsp.wav_writer    a WAV file that grows while a call lasts
    dsp.archive    folders of them: which hold keys, masked copies
`python -m dsp --help` is the command line over them.

Public are the names of `__all__`, and the modules `errors`, `g711`, `recording`, `tones`, `wav_writer`.
"""

from dsp.errors import DspError

__all__ = ["DspError"]
