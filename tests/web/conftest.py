"""The bank's keys, made once for all test processes."""

from tests.bank_process import bank_keys

__all__ = ["bank_keys"]
