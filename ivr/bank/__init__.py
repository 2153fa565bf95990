"""Banks: what they can be asked, the client that asks them, their settings. The simulator is a program of its own."""

from ivr.bank.client import HttpsBank
from ivr.bank.interface import AuthorizationRequest, Bank, BankAnswer, Outcome
from ivr.bank.settings import LEASE_S, BankSettings, load_banks
from ivr.bank.verdict import Question, judge

__all__ = [
    "LEASE_S",
    "AuthorizationRequest",
    "Bank",
    "BankAnswer",
    "BankSettings",
    "HttpsBank",
    "Outcome",
    "Question",
    "judge",
    "load_banks",
]
