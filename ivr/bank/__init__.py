"""Banks: what they can be asked, the client that asks them, their settings. The simulator is a program of its own."""

from ivr.bank.client import HttpsBank
from ivr.bank.interface import AuthorizationRequest, Bank, BankAnswer, Outcome
from ivr.bank.settings import BankSettings, load_banks

__all__ = ["AuthorizationRequest", "Bank", "BankAnswer", "BankSettings", "HttpsBank", "Outcome", "load_banks"]
