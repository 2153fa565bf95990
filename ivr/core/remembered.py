"""What is remembered of a caller who agreed to it in an earlier call: a language, and the account that was looked up last."""

from dataclasses import dataclass, field

# Among a call's values, under names that nothing in a flow can have: no prompt and no expression says them.
IS_REMEMBERED, ACCOUNT = "is remembered", "remembered account"
OTHERS_OFFERED = "other languages are offered"  # until the first key of the call
OF_CALLER = frozenset({IS_REMEMBERED, ACCOUNT, OTHERS_OFFERED})
END = "account_end"  # what prompts say of the account
LONGEST_END = 3


@dataclass(frozen=True)
class Remembered:
    """Empty what the caller did not agree to. It is no card data."""

    language: str = ""
    account: str = field(default="", repr=False)

    def only(self, kept: frozenset[str]) -> "Remembered":
        """Without what a flow does not keep (any more)."""
        return Remembered(*(getattr(self, name) if name in kept else "" for name in ("language", "account")))


def end_of(account: str) -> str:
    """Its last digits, as it is spoken of: at most half of them, because whoever rings from the number hears them."""
    return account[-max(1, min(LONGEST_END, len(account) // 2)) :]
