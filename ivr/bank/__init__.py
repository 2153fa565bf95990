"""Banks: what they can be asked, what each protocol promises, their settings. The simulator is a program of its own.

Public are the names of `__all__`, and the modules `certificates`, `dev_keys`, `secrets`, `settings` and `terms`.
"""

from ivr.bank.banks_file import line_of_bank, load_banks
from ivr.bank.clear_card import CardNotOpened, ClearCard, OpenCard
from ivr.bank.interface import (
    AmountSaid,
    AuthorizationRequest,
    Bank,
    BankAnswer,
    BankNews,
    CardDeletionRequest,
    Examined,
    ModificationKind,
    ModificationRequest,
    Outcome,
)
from ivr.bank.promises import (
    NextOfModification,
    NextQuestion,
    Promises,
    after_silence,
    after_silent_modification,
    promises_table,
)
from ivr.bank.protocols import (
    Opening,
    all_promises,
    fields_carried,
    open_bank,
    operations_promised,
    partly_approving,
    protocol_called,
)
from ivr.bank.response_codes import code_in_words
from ivr.bank.settings import LEASE_S, BankSettings, SealingKeyEntry, VaultSealed
from ivr.bank.verdict import Question, judge, judge_modification

__all__ = [
    "LEASE_S",
    "AmountSaid",
    "AuthorizationRequest",
    "Bank",
    "BankAnswer",
    "BankNews",
    "BankSettings",
    "CardDeletionRequest",
    "CardNotOpened",
    "ClearCard",
    "Examined",
    "ModificationKind",
    "ModificationRequest",
    "NextOfModification",
    "NextQuestion",
    "OpenCard",
    "Opening",
    "Outcome",
    "Promises",
    "Question",
    "SealingKeyEntry",
    "VaultSealed",
    "after_silence",
    "after_silent_modification",
    "all_promises",
    "code_in_words",
    "fields_carried",
    "judge",
    "judge_modification",
    "line_of_bank",
    "load_banks",
    "open_bank",
    "operations_promised",
    "partly_approving",
    "promises_table",
    "protocol_called",
]
