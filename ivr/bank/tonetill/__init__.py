"""Our own protocol: JSON over mutual TLS, as docs/bank.md has it and the simulator speaks it."""

from ivr.bank.tonetill.client import PROMISES, TonetillBank
from ivr.bank.tonetill.settings import TonetillSettings

__all__ = ["PROMISES", "TonetillBank", "TonetillSettings"]
