"""The media worker's process: sockets, the 20 ms clock and the control pipe round a MediaPlane; it logs nothing.

Started by MediaClient as `python -m ivr.phone.rtp.worker DESCRIPTOR`; ends when the other end of the pipe closes.
"""

import gc
import os
import select
import signal
import socket
import sys
import time
from typing import Final

from ivr.errors import IvrError
from ivr.phone.rtp.commands import Commands
from ivr.phone.rtp.contract import MediaEvent, MediaStats
from ivr.phone.rtp.control import Lines, Message, event_message, line, settings_of
from ivr.phone.rtp.memory_protection import protect_memory
from ivr.phone.rtp.packets import TICK_S, Arrivals
from ivr.phone.rtp.plane import MediaPlane
from ivr.phone.rtp.ports import Ports, open_ports
from ivr.phone.rtp.recording.process import RecorderProcess
from ivr.phone.rtp.settings import MediaSettings
from ivr.phone.rtp.syscalls import Receiver, Sender

LATE_S: Final = 0.005
# Ticks are made up for one after the other up to here. Further behind, they are only heard and not spoken in, at a third
# of the price, or the worker would never recover; and of what is older than the kernel keeps, nothing is left to hear.
MAX_BEHIND_S: Final = 0.200
MOST_HEARD: Final = 250  # ticks, 5 s
STATS_TICKS: Final = 50
RTCP_TICKS: Final = 25
READ_BYTES: Final = 65536
MAX_UNSENT_CONTROL: Final = 64 * 1024 * 1024


class MediaWorker:
    def __init__(self, settings: MediaSettings, control: socket.socket, lines: Lines) -> None:
        self.ports: Ports = open_ports(settings)
        self.plane = MediaPlane(settings, self.ports.family, len(self.ports.rtp))
        self._commands = Commands(self.plane, self.ports.numbers)
        self._control = control
        self._lines = lines
        self._replies = bytearray()
        arrivals = Arrivals(2 * settings.calls + 256)
        self._rtp = Receiver(arrivals, [one.fileno() for one in self.ports.rtp])
        self._rtcp = Receiver(Arrivals(256), [one.fileno() for one in self.ports.rtcp])
        ipv6 = self.ports.family == socket.AF_INET6
        self._sender = Sender(self.plane.outgoing, self._rtp_filenos(), ipv6)
        self._recorder = RecorderProcess(settings.record, settings.calls) if settings.record else None
        self._ticks = self._late = self._skipped = self._packets = 0
        self._worst_s = 0.0
        self._ended = False

    def run(self) -> None:
        self._control.setblocking(False)
        self._replies += line({"re": 0, "ports": self.ports.numbers})
        self._flush()
        due = time.monotonic() + TICK_S
        while not self._ended:
            self._serve_until(due)
            due += self._tick_at(due)
        if self._recorder:
            self._recorder.stop()

    def _tick_at(self, due: float) -> float:
        """One tick; how much later the next one is due."""
        started = time.monotonic()
        behind = started - due
        self._late += behind > LATE_S
        missed = int(behind / TICK_S) if behind > MAX_BEHIND_S else 0
        for back in range(min(missed, MOST_HEARD), 0, -1):
            self._tell(self._hear(due + (missed - back) * TICK_S, speaking=False))
        self._tick(due + missed * TICK_S)
        self._worst_s = max(self._worst_s, time.monotonic() - started)
        self._skipped += missed
        return (missed + 1) * TICK_S

    def _hear(self, now_s: float, *, speaking: bool) -> list[MediaEvent]:
        clock = self.plane.clock
        clock.start()
        self._rtp.drain()
        self._packets += self._rtp.arrivals.count
        clock.mark("receive")
        told = self.plane.tick(now_s, self._rtp.arrivals, speaking=speaking)
        clock.mark("other")
        return told

    def _tick(self, now_s: float) -> None:
        told = self._hear(now_s, speaking=True)
        clock = self.plane.clock
        self._sender.send(self.plane.sockets)
        clock.mark("send")
        if self._recorder:
            self._recorder.hand_over(self.plane.recordings.outbox)
            self.plane.recordings.lost = self._recorder.lost
        self._ticks += 1
        if self._ticks % RTCP_TICKS == 0:
            self._rtcp.drain()
            self.plane.hear_rtcp(self._rtcp.arrivals)
        clock.tick_done()
        if self._ticks % STATS_TICKS == 0:
            told.append(self._stats())
        self._tell(told)
        clock.mark("other")

    def _tell(self, told: list[MediaEvent]) -> None:
        if told:
            self._replies += b"".join(line(event_message(event)) for event in told)
        self._flush()

    def _serve_until(self, due: float) -> None:
        """Commands are carried out while there is time; at least one reading a tick, however late it is."""
        first = True
        while not self._ended:
            left = max(0.0, due - time.monotonic())
            if left == 0.0 and not first:
                return
            first = False
            readable, _, _ = select.select([self._control], [], [], left)
            if readable:
                self._read_control()

    def _read_control(self) -> None:
        try:
            piece = self._control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        if not piece:
            self._ended = True
        for message in self._lines.feed(piece):
            self._replies += line(self._commands.carry_out(message))
        self._flush()

    def _flush(self) -> None:
        """Never waits: a client that does not read must not hold a tick up. One that never reads is given up."""
        if not self._replies:
            return
        try:
            sent = self._control.send(self._replies)
        except BlockingIOError:
            self._ended = self._ended or len(self._replies) > MAX_UNSENT_CONTROL
            return
        except OSError:
            self._ended = True
            return
        self._replies[:sent] = bytes(sent)  # keys may be in it
        del self._replies[:sent]

    def _stats(self) -> MediaStats:
        plane, sender = self.plane, self._sender
        worst, self._worst_s = self._worst_s, 0.0
        return MediaStats(
            calls=len(plane.calls),
            ticks=self._ticks,
            late_ticks=self._late,
            skipped_ticks=self._skipped,
            worst_tick_ms=round(worst * 1000, 3),
            packets_in=self._packets,
            packets_out=sender.sent,
            unsent=sender.unsent,
            lost=plane.sequences.lost,
            late=plane.jitter.late,
            doubled=plane.sequences.doubled,
            refused=plane.reception.refused,
            flooded=plane.events.flooded,
            filled=plane.jitter.filled,
            keys=dict(plane.keys),
            socket_drops=self.ports.drops(),
            unrecorded=plane.recordings.unrecorded,
            cpu_us_per_tick={part: round(spent, 1) for part, spent in plane.clock.take().items()},
        )

    def _rtp_filenos(self) -> list[int]:
        return [one.fileno() for one in self.ports.rtp]


def prefer(settings: MediaSettings) -> None:
    """Before other processes, where we may: a tick that is held up is a gap in every call."""
    if not settings.realtime:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (PermissionError, OSError):
        return


def first_message(control: socket.socket, lines: Lines) -> Message:
    messages: list[Message] = []
    while not messages:
        piece = control.recv(READ_BYTES)
        if not piece:
            raise SystemExit(0)
        messages = lines.feed(piece)
    return messages[0]


def main(descriptor: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # A supervisor signals the whole group: calls that are draining need their media until signalling lets go of it.
        signal.signal(number, signal.SIG_IGN)
    protect_memory()
    control = socket.socket(fileno=descriptor)
    lines = Lines()
    try:
        settings = settings_of(first_message(control, lines))
        worker = MediaWorker(settings, control, lines)
    except IvrError as error:
        control.sendall(line({"re": 0, "error": type(error).__name__, "why": str(error)}))
        raise SystemExit(1) from None
    prefer(settings)
    # Nothing the tick makes is a cycle; a collection would only hold it up.
    gc.collect()
    gc.freeze()
    gc.disable()
    worker.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
