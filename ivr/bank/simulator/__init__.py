"""A bank for development and tests: a program of its own, with its own keys and books, behind mutual TLS. Not for production.

Public are the names of `__all__`, and the modules `__main__`, `scenarios`.
"""

from ivr.bank.simulator.books import BookEntry, charged, read_books
from ivr.bank.simulator.scenarios import BY_NAME, SCENARIOS, Scenario
from ivr.bank.simulator.server import BankSimulator

__all__ = ["BY_NAME", "SCENARIOS", "BankSimulator", "BookEntry", "Scenario", "charged", "read_books"]
