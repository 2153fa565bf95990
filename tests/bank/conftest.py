"""The simulator's fixtures, for this folder's tests."""

from tests.bank_process import bank, bank_keys, bank_process, impatient_bank, own_keys

__all__ = ["bank", "bank_keys", "bank_process", "impatient_bank", "own_keys"]
