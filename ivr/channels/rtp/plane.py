"""The media of all calls of one worker, one tick at a time: packets in, keys and packets out; no socket and no clock.

Nothing in a tick is done packet by packet or call by call but what is rare: keys, a call's first packet, a prompt's
last one, and SRTP.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from ivr.channels.rtp.addresses import Words, fits, readable, socket_name
from ivr.channels.rtp.contract import (
    CallMedia,
    KeyHeard,
    KeyReleased,
    Latched,
    MediaError,
    MediaEvent,
    Played,
    TimedOut,
)
from ivr.channels.rtp.inband import Inband, ToneDown, ToneUp
from ivr.channels.rtp.jitter import Audio, Jitter
from ivr.channels.rtp.keys import EVENT_KEYS, KeyMerger, Method
from ivr.channels.rtp.outgoing import PACKET_BYTES, Outgoing
from ivr.channels.rtp.packets import TICK_S, Arrivals, Bytes, Headers, Mask, Rows, payload_bounds, read_headers
from ivr.channels.rtp.prompts import NO_PLAY, Prompts
from ivr.channels.rtp.sequence import Sequences
from ivr.channels.rtp.settings import MediaSettings
from ivr.channels.rtp.sources import AUDIO, EVENTS, NOBODY, Sources
from ivr.channels.rtp.srtp import TAG_BYTES, SecureRow
from ivr.channels.rtp.table import ALAW, EVENT_RATES, REFUSED, ULAW, Table, check
from ivr.channels.rtp.table import EVENTS as EVENT_KIND
from ivr.channels.rtp.telephone_event import EventPackets, Pressed, Released, TelephoneEvents
from ivr.channels.rtp.timing import PartClock

NEVER: Final = np.iinfo(np.int64).max


class MediaPlane:
    def __init__(self, settings: MediaSettings, family: int, sockets: int) -> None:
        rows = settings.calls
        self.calls = Table(rows)
        self.clock = PartClock()
        self.prompts = Prompts(rows, settings.clip_seconds)
        self.outgoing = Outgoing(rows)
        self.sequences = Sequences(rows)
        self.jitter = Jitter(rows, self.sequences)
        self.events = TelephoneEvents(rows)
        self.inband = Inband(rows)
        self.refused = 0
        self.keys: dict[Method, int] = {"telephone_event": 0, "inband": 0}
        self._family = family
        self._sources = Sources(rows, sockets, family)
        self._mergers: dict[int, KeyMerger] = {}
        self._secure: dict[int, SecureRow] = {}
        self._secure_rows = np.zeros(rows, bool)
        self._opened: set[int] = set()  # arrivals of this tick that are clear already
        self._timeout_ticks = max(1, round(settings.rtp_timeout_s / TICK_S))
        self._deadline = np.full(rows, NEVER, np.int64)
        self._wipes: set[int] = set()
        self._tick = 0

    @property
    def sockets(self) -> Rows:
        """By row: the index of the socket it uses."""
        return self._sources.socket

    # Calls: a few a second, between ticks.

    def open(self, call: str, media: CallMedia) -> int:
        """Takes a row and a socket; the socket's index."""
        check(media)
        self._names(media)
        secure = SecureRow(media.srtp) if media.srtp else None
        row = self.calls.add(call)
        self._mergers[row] = KeyMerger()
        self.sequences.begin(row)
        self.jitter.begin(row)
        self.events.begin(row)
        self.inband.forget(row)
        self.outgoing.open(row, media.payload_type)
        self.prompts.open(row, media.law)
        socket = self._sources.open(row)
        self._agree(row, media, secure)
        return socket

    def update(self, call: str, media: CallMedia) -> None:
        """What a re-INVITE, UPDATE or the ACK of a late offer changed. Whatever stays the same is not disturbed."""
        row = self.calls.row(call)
        check(media)
        self._names(media)
        secure = self._secure.get(row)
        if media.srtp is None:
            secure = None
        elif secure is None or secure.keys != media.srtp:
            secure = SecureRow(media.srtp)
        self.prompts.change_law(row, media.law)
        self._agree(row, media, secure)

    def _agree(self, row: int, media: CallMedia, secure: SecureRow | None) -> None:
        events_before = bool((self.calls.kinds[row] >= EVENT_KIND).any())
        self.calls.understand(row, media)
        # In-band is muted by the first event, for good, unless the peer agrees to send none any more.
        muted = events_before and bool(media.telephone_events) and not self.inband.listening[row]
        self.inband.listening[row] = media.inband and not muted
        self._secure.pop(row, None)
        self._secure_rows[row] = secure is not None
        if secure is not None:
            self._secure[row] = secure
        self.outgoing.lengths[row] = PACKET_BYTES + (TAG_BYTES if secure else 0)
        names = self._names(media)
        if names:
            self._sources.expect(row, names[0], names[1:])
            if not self._sources.latched[row] or self._sources.expecting[row]:
                self.outgoing.aim(row, names[0])
        self.outgoing.allow(row, media.payload_type, media.sending and bool(names))
        self._deadline[row] = self._tick + self._timeout_ticks if media.sending and names else NEVER

    def _names(self, media: CallMedia) -> list[bytes]:
        """Where media may come from as socket names, the signalled place first."""
        if media.remote is None:
            return []
        hosts = [media.remote[0], *media.allowed_hosts]
        wrong = [host for host in hosts if not fits(host, self._family)]
        if wrong:
            raise MediaError(f"hosts {wrong}: no addresses that this worker's sockets can reach")
        return [socket_name((host, media.remote[1]), self._family) for host in hosts]

    def play(self, call: str, play_id: int, clips: list[int], barge_in: bool) -> None:
        self.prompts.play(self.calls.row(call), play_id, clips, barge_in)

    def stop(self, call: str) -> None:
        self.prompts.stop(self.calls.row(call))

    def wipe(self, call: str) -> None:
        """Overwrites all audio and keys of the call in the next tick, before anything is read from them."""
        self._wipes.add(self.calls.row(call))

    def still_alive(self, call: str) -> None:
        row = self.calls.row(call)
        if self._deadline[row] != NEVER:
            self._deadline[row] = self._tick + self._timeout_ticks

    def close(self, call: str) -> None:
        row = self.calls.remove(call)
        self._sources.close(row)
        self._wipe_now([row])
        self.inband.listening[row] = False
        self.inband.forget(row)
        self.events.begin(row)
        self.prompts.stop(row)
        self.outgoing.close(row)
        self._deadline[row] = NEVER
        self._secure.pop(row, None)
        self._secure_rows[row] = False
        self._wipes.discard(row)
        del self._mergers[row]

    def _wipe_now(self, rows: list[int]) -> None:
        self.jitter.wipe(rows)
        self.events.wipe(rows)
        self.inband.wipe(rows)
        for row in rows:
            self._mergers[row].forget()

    # The tick.

    def tick(self, now_s: float, arrivals: Arrivals) -> list[MediaEvent]:
        """`arrivals` is wiped; `outgoing` then holds what is to be sent."""
        told: list[MediaEvent] = []
        if not len(self.calls):
            self.refused += arrivals.count
            arrivals.wipe()
            return told
        if self._wipes:
            self._wipe_now(sorted(self._wipes))
            self._wipes.clear()
        headers, rows = self._read(arrivals, told)
        self.clock.mark("parse")
        kinds = self.calls.kinds[rows, headers.kind]
        pressed, released = self._hear_events(arrivals, headers, rows, kinds, now_s, told)
        self.clock.mark("events")
        self._store(arrivals, headers, rows, kinds)
        arrivals.wipe()
        frames = self.jitter.play()
        self.clock.mark("jitter")
        downs, ups = self.inband(frames, now_s)
        self.clock.mark("decode")
        self._tell(now_s, pressed, released, downs, ups, told)
        self._prompt(told)
        self.clock.mark("prompts")
        self._look_for_silence(told)
        self._tick += 1
        return told

    def _read(self, arrivals: Arrivals, told: list[MediaEvent]) -> tuple[Headers, Rows]:
        """The packets of our calls, and whose they are."""
        self._opened.clear()
        headers, controls = read_headers(arrivals)
        if len(controls):
            self._alive(self._sources.signs_of_life(arrivals, controls, 0))
        rows, hosts, ports = self._sources.rows_of(arrivals, headers)
        unknown = np.flatnonzero(rows == NOBODY)
        if len(unknown) and self._greet(arrivals, headers, hosts, ports, unknown, told):
            rows = self._sources.rows_of(arrivals, headers)[0]
        ours = rows != NOBODY
        ours &= self.calls.kinds[rows, headers.kind] != REFUSED
        if self._secure:
            headers = self._unprotect(arrivals, headers, rows, ours)
        self.refused += headers.refused + len(rows) - int(np.count_nonzero(ours))
        if not ours.all():
            headers, rows = headers.only(ours), rows[ours]
        self._alive(rows)
        return headers, rows

    def hear_rtcp(self, arrivals: Arrivals) -> None:
        """What came to the ports after RTP's: that the peer is there is all we want of it."""
        at = np.flatnonzero(arrivals.lengths[: arrivals.count] > 0)
        if len(at):
            self._alive(self._sources.signs_of_life(arrivals, at, 1))
        arrivals.wipe()

    def _alive(self, rows: Rows) -> None:
        waiting = rows[self._deadline[rows] != NEVER]
        self._deadline[waiting] = self._tick + self._timeout_ticks

    def _greet(
        self,
        arrivals: Arrivals,
        headers: Headers,
        hosts: Words,
        ports: Words,
        unknown: Rows,
        told: list[MediaEvent],
    ) -> bool:
        """Latches calls on the first packet from their sources; True where any has."""
        at, rows = self._sources.newcomers(arrivals, headers, hosts, ports, unknown)
        kinds = self.calls.kinds[rows, headers.kind[at]]
        at, rows, kinds = at[kinds != REFUSED], rows[kinds != REFUSED], kinds[kinds != REFUSED]
        rows, first = np.unique(rows, return_index=True)
        latched = False
        for row, packet, kind in zip(rows.tolist(), at[first].tolist(), kinds[first].tolist(), strict=True):
            arrival = int(headers.at[packet])
            if row in self._secure:
                if not self._secure[row].unprotect(arrivals, arrival):
                    continue
                self._opened.add(arrival)
            latched = True
            stream = EVENTS if kind >= EVENT_KIND else AUDIO
            ssrc = int(headers.ssrc[packet])
            if self._sources.latch(row, int(hosts[packet]), int(ports[packet]), ssrc, stream):
                self._begin_source(row, arrivals.names[arrival], told)
            else:
                self._begin_stream(row, stream)
        return latched

    def _begin_source(self, row: int, name: Bytes, told: list[MediaEvent]) -> None:
        self._begin_stream(row, AUDIO)
        self._begin_stream(row, EVENTS)
        self.outgoing.aim(row, name.tobytes())
        told.append(Latched(self.calls.names[row], readable(name.tobytes())))

    def _begin_stream(self, row: int, stream: int) -> None:
        if stream == AUDIO:
            self.sequences.begin(row)
            self.jitter.begin(row)
        else:
            self.events.begin(row)

    def _unprotect(self, arrivals: Arrivals, headers: Headers, rows: Rows, ours: Mask) -> Headers:
        secure = np.flatnonzero(ours & self._secure_rows[rows])
        for packet in secure.tolist():
            arrival = int(headers.at[packet])
            if arrival not in self._opened and not self._secure[int(rows[packet])].unprotect(arrivals, arrival):
                ours[packet] = False
        at = headers.at[secure]
        begin, length = payload_bounds(arrivals, at, headers.flags[secure], arrivals.lengths)
        headers.begin[secure], headers.length[secure] = begin, length
        ours[secure[length < 0]] = False
        return headers

    def _hear_events(
        self,
        arrivals: Arrivals,
        headers: Headers,
        rows: Rows,
        kinds: Bytes,
        now_s: float,
        told: list[MediaEvent],
    ) -> tuple[list[Pressed], list[Released]]:
        at = np.flatnonzero((kinds >= EVENT_KIND) & (headers.length >= 4))
        rates = EVENT_RATES[kinds[at] - EVENT_KIND]
        packets = EventPackets(
            rows[at], headers.at[at], headers.begin[at], headers.timestamp[at], headers.marker[at], rates
        )
        pressed, released = self.events(arrivals, packets)
        for press in pressed:
            for row in press.rows[self.inband.listening[press.rows]].tolist():
                self.inband.listening[row] = False
                self.inband.forget(row)
        return pressed, released

    def _store(self, arrivals: Arrivals, headers: Headers, rows: Rows, kinds: Bytes) -> None:
        # Events that come under an SSRC of their own count their own sequence numbers.
        counted = headers.ssrc == self._sources.audio_ssrc[rows]
        if not counted.all():
            headers, rows, kinds = headers.only(counted), rows[counted], kinds[counted]
        if not len(rows):
            return
        fresh, newer = self.sequences.note(rows, headers.sequence)
        # Where keys come as events, no audio is kept, and of tones among it nothing can be wiped too late.
        keep = fresh & ((kinds == ULAW) | (kinds == ALAW)) & self.inband.listening[rows]
        audio = Audio(
            rows,
            headers.at,
            headers.sequence,
            headers.timestamp,
            headers.begin,
            headers.length,
            kinds == ALAW,
            newer,
        )
        self.jitter.store(arrivals, audio.only(keep))

    def _tell(
        self,
        now_s: float,
        pressed: list[Pressed],
        released: list[Released],
        downs: list[ToneDown],
        ups: list[ToneUp],
        told: list[MediaEvent],
    ) -> None:
        for press in pressed:
            for row, code, elapsed in zip(press.rows.tolist(), press.code.tolist(), press.elapsed_s, strict=True):
                self._key(row, EVENT_KEYS[code], "telephone_event", now_s - float(elapsed), told)
        for down in downs:
            self._key(down.row, down.key, "inband", down.at_s, told)
        names = self.calls.names
        for release in released:
            pairs = zip(release.rows.tolist(), release.duration_s.tolist(), strict=True)
            told.extend(KeyReleased(names[row], "telephone_event", duration) for row, duration in pairs)
        told.extend(KeyReleased(names[up.row], "inband", up.duration_s) for up in ups)

    def _key(self, row: int, key: str, method: Method, at_s: float, told: list[MediaEvent]) -> None:
        if not self._mergers[row].is_new(key, method, at_s):
            return
        self.keys[method] += 1
        call = self.calls.names[row]
        told.append(KeyHeard(call, key, method, at_s))
        if self.prompts.barge_in[row] and self.prompts.play_id[row] != NO_PLAY:
            told.append(Played(call, self.prompts.stop(row), barged_in=True))

    def _prompt(self, told: list[MediaEvent]) -> None:
        frames, done = self.prompts.step(self.calls.used)
        self.outgoing.write(self.prompts.audio, frames)
        for row in self._secure:
            if self.outgoing.sending[row]:
                self._secure[row].protect(self.outgoing, row)
        for row in done.tolist():
            told.append(Played(self.calls.names[row], self.prompts.stop(row), barged_in=False))

    def _look_for_silence(self, told: list[MediaEvent]) -> None:
        overdue = np.flatnonzero(self._deadline <= self._tick)
        self._deadline[overdue] = NEVER
        told.extend(TimedOut(self.calls.names[row]) for row in overdue.tolist())


def outgoing_packets(plane: MediaPlane) -> Iterable[tuple[str, bytes, bytes]]:
    """What this tick sends, as (call, destination, datagram), for whoever has no sockets."""
    outgoing = plane.outgoing
    for row in np.flatnonzero(outgoing.sending).tolist():
        name, length = outgoing.names[row].tobytes(), int(outgoing.lengths[row])
        yield plane.calls.names[row], name, outgoing.packets[row, :length].tobytes()
