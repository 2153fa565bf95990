"""The one error of this package: what was handed in cannot be processed, and what to hand in instead."""


class DspError(ValueError):
    """Says which argument or file is wrong and the cure; nothing has been changed or written."""
