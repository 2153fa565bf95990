"""How good a call's line is, by the share of its audio packets that never came. Only lines whose audio we carry ourselves tell it.

The limits are our own. Below five per cent lost, keys that come as events are still heard once each
(`tests/phone/rtp/test_loss.py`); keys that come as tones in the audio suffer first.
"""

from dataclasses import dataclass
from typing import Final, Literal

FAIR: Final = 0.01
POOR: Final = 0.05


@dataclass(frozen=True)
class LineQuality:
    """Counts of packets from the caller, by their sequence numbers."""

    came: int
    lost: int

    @property
    def lost_share(self) -> float:
        """0 to 1."""
        sent = self.came + self.lost
        return self.lost / sent if sent else 0.0

    @property
    def grade(self) -> Literal["good", "fair", "poor", "silent"]:
        """`silent`: nothing came at all."""
        if not self.came:
            return "silent"
        return "good" if self.lost_share < FAIR else "fair" if self.lost_share < POOR else "poor"

    def __str__(self) -> str:
        if self.grade in ("good", "silent"):
            return self.grade
        return f"{self.grade}, {100 * self.lost_share:.0f} % lost"
