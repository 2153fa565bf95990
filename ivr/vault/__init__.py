"""The only place that sees a clear card number: validates each field and seals it at first touch. Kept small on purpose."""

from ivr.vault.intake import CardRules, Intake, Vault
from ivr.vault.seal import SealContext, SealingKey, load_sealing_key
from ivr.vault.secret import Secret

__all__ = ["CardRules", "Intake", "SealContext", "SealingKey", "Secret", "Vault", "load_sealing_key"]
