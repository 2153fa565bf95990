"""Banks: what they can be asked, what each protocol promises, their settings. The simulator is a program of its own."""

from ivr.bank.banks_file import load_banks
from ivr.bank.clear_card import CardNotOpened, ClearCard, OpenCard
from ivr.bank.interface import AuthorizationRequest, Bank, BankAnswer, BankNews, Examined, Outcome
from ivr.bank.our_number import our_number
from ivr.bank.promises import NextQuestion, Promises, after_silence, promises_table
from ivr.bank.protocols import Opening, all_promises, open_bank, protocol_called
from ivr.bank.settings import LEASE_S, BankSettings, VaultSealed
from ivr.bank.verdict import Question, judge

__all__ = [
    "LEASE_S",
    "AuthorizationRequest",
    "Bank",
    "BankAnswer",
    "BankNews",
    "BankSettings",
    "CardNotOpened",
    "ClearCard",
    "Examined",
    "NextQuestion",
    "OpenCard",
    "Opening",
    "Outcome",
    "Promises",
    "Question",
    "VaultSealed",
    "after_silence",
    "all_promises",
    "judge",
    "load_banks",
    "open_bank",
    "our_number",
    "promises_table",
    "protocol_called",
]
