"""Every number a media worker is set up with; where they are read from is not in here."""

from dataclasses import dataclass

from ivr.errors import ConfigError


@dataclass(frozen=True)
class MediaSettings:
    host: str = "127.0.0.1"
    """The address of our sockets; `0.0.0.0` and `::` are all of the machine's."""
    first_port: int = 0
    """An even one; 0 takes free ones wherever they are."""
    ports: int = 64
    """RTP sockets; each also takes the odd port after it, for RTCP."""
    calls: int = 1000
    rtp_timeout_s: float = 60.0
    clip_seconds: float = 3600.0
    """Room for prompts; memory is taken only as it fills (16 kB a second)."""
    record: str = ""
    """The folder for masked recordings; empty: none are made."""
    realtime: bool = True
    """Ask the kernel for SCHED_RR, so that other processes cannot hold a tick up; without the right to, go on as usual."""

    def __post_init__(self) -> None:
        if not 1 <= self.ports <= 1024 or not 1 <= self.calls <= 20_000:
            raise ConfigError(f"media worker: {self.ports} ports, {self.calls} calls; possible are 1-1024 and 1-20000")
        if self.first_port % 2 or not 0 <= self.first_port <= 65536 - 2 * self.ports:
            raise ConfigError(
                f"media worker: RTP ports from {self.first_port}: begin with an even one that leaves room"
            )
