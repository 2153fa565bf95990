"""The bank's real development keys, for this folder's tests."""

from tests.bank_process import bank_keys, own_keys

__all__ = ["bank_keys", "own_keys"]
