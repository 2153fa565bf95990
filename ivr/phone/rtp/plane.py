"""The media of all calls of one worker, one tick at a time: packets in, keys and packets out; no socket and no clock.

Nothing in a tick is done packet by packet or call by call but what is rare: keys, a call's first packet, a prompt's
last one, and SRTP.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from ivr.phone.rtp.addresses import fits, readable, socket_name
from ivr.phone.rtp.contract import (
    CallMedia,
    KeyHeard,
    KeyReleased,
    Latched,
    LineLoss,
    MediaError,
    MediaEvent,
    Played,
    TimedOut,
)
from ivr.phone.rtp.inband import Inband, RowToneDown, RowToneUp
from ivr.phone.rtp.jitter import Audio, Jitter
from ivr.phone.rtp.keys import EVENT_KEYS, KeyMerger, Method
from ivr.phone.rtp.liveness import Liveness
from ivr.phone.rtp.outgoing import PACKET_BYTES, Outgoing
from ivr.phone.rtp.packets import Arrivals, Bytes, Rows
from ivr.phone.rtp.prompts import NO_PLAY, ClipStore
from ivr.phone.rtp.reception import Received, Reception
from ivr.phone.rtp.recording.recordings import OpenRecordings
from ivr.phone.rtp.sequence import Sequences
from ivr.phone.rtp.settings import MediaSettings
from ivr.phone.rtp.sources import AUDIO
from ivr.phone.rtp.srtp import TAG_BYTES, SecureRow
from ivr.phone.rtp.table import ALAW, EVENT_RATES, ULAW, Table, check
from ivr.phone.rtp.table import EVENTS as EVENT_KIND
from ivr.phone.rtp.telephone_event import EventPackets, Pressed, Released, TelephoneEvents
from ivr.phone.rtp.timing import PartClock

LOSS_TICKS: Final = 250  # how often it is looked whether more is lost, 5 s
NOT_TOLD: Final = -1


class MediaPlane:
    def __init__(self, settings: MediaSettings, family: int, sockets: int) -> None:
        rows = settings.calls
        self.calls = Table(rows)
        self.clock = PartClock()
        self.prompts = ClipStore(rows, settings.clip_seconds)
        self.outgoing = Outgoing(rows)
        self.sequences = Sequences(rows)
        self.jitter = Jitter(rows, self.sequences)
        self.events = TelephoneEvents(rows)
        self.inband = Inband(rows, self.jitter)
        self.recordings = OpenRecordings(rows)
        self.keys: dict[Method, int] = {"telephone_event": 0, "inband": 0, "info": 0}
        self._family = family
        self.reception = Reception(self.calls, sockets, family)
        self._liveness = Liveness(rows, settings.rtp_timeout_s)
        self._mergers: dict[int, KeyMerger] = {}
        self._by_info: list[tuple[int, str, float]] = []  # rows, keys and times, until the next tick
        self._wipes: set[int] = set()
        self._ticks = 0
        self._loss_told = np.full(rows, NOT_TOLD, np.int64)  # per cent
        self._closed: list[LineLoss] = []  # until the next tick

    @property
    def sockets(self) -> Rows:
        """By row: the index of the socket it uses."""
        return self.reception.sources.socket

    # Calls: a few a second, between ticks.

    def open(self, call: str, media: CallMedia) -> int:
        """Takes a row and a socket; the socket's index."""
        check(media)
        self._names(media)
        secure = SecureRow(media.srtp) if media.srtp else None
        row = self.calls.add(call)
        self._mergers[row] = KeyMerger()
        self.sequences.open(row)
        self._loss_told[row] = NOT_TOLD
        self.jitter.begin(row)
        self.events.begin(row)
        self.inband.forget(row)
        self.outgoing.open(row, media.payload_type)
        self.prompts.open(row, media.law)
        socket = self.reception.sources.open(row)
        self._agree(row, media, secure)
        return socket

    def update(self, call: str, media: CallMedia) -> None:
        """What a re-INVITE, UPDATE or the ACK of a late offer changed. Whatever stays the same is not disturbed."""
        row = self.calls.row(call)
        check(media)
        self._names(media)
        secure = self.reception.secure_row(row, media.srtp)
        self.prompts.change_law(row, media.law)
        self._agree(row, media, secure)

    def _agree(self, row: int, media: CallMedia, secure: SecureRow | None) -> None:
        events_before = bool((self.calls.kinds[row] >= EVENT_KIND).any())
        self.calls.understand(row, media)
        # In-band is muted by the first event, for good, unless the peer agrees to send none any more.
        muted = events_before and bool(media.telephone_events) and not self.inband.listening[row]
        self.inband.listening[row] = media.inband and not muted
        self.reception.agree(row, secure)
        self.outgoing.lengths[row] = PACKET_BYTES + (TAG_BYTES if secure else 0)
        names = self._names(media)
        if names:
            sources = self.reception.sources
            sources.expect(row, names[0], names[1:])
            if not sources.latched[row] or sources.expecting[row]:
                self.outgoing.aim(row, names[0])
        self.outgoing.allow(row, media.payload_type, media.sending and bool(names))
        self._liveness.watch(row, media.sending and bool(names))
        if media.record:
            self.recordings.begin(row, media.record)

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
        """Overwrites all audio and keys that have been heard of the call in the next tick, before anything is read."""
        self._wipes.add(self.calls.row(call))

    def info_key(self, call: str, key: str, at_s: float) -> None:
        """A key that signalling has told of: told on in the next tick, unless media tells of it too."""
        self._by_info.append((self.calls.row(call), key, at_s))

    def still_alive(self, call: str) -> None:
        self._liveness.seen(np.array([self.calls.row(call)], np.intp))

    def close(self, call: str) -> None:
        row = self.calls.remove(call)
        self._closed.append(self._loss_of(row, call, is_last=True))
        self.reception.close(row)
        self.recordings.end(row)
        self._wipe_now([row])
        self.jitter.wipe([row])
        self.inband.listening[row] = False
        self.inband.forget(row)
        self.events.begin(row)
        self.prompts.stop(row)
        self.outgoing.close(row)
        self._liveness.watch(row, False)
        self._wipes.discard(row)
        self._by_info = [told for told in self._by_info if told[0] != row]
        del self._mergers[row]

    def _wipe_now(self, rows: list[int]) -> None:
        self.events.wipe(rows)
        self.inband.wipe(rows)
        for row in rows:
            self._mergers[row].forget()

    # The tick.

    def tick(self, now_s: float, arrivals: Arrivals, *, speaking: bool = True) -> list[MediaEvent]:
        """`arrivals` is wiped; `outgoing` then holds what is to be sent, but in a tick that comes too late to speak in."""
        told: list[MediaEvent] = list(self._closed)
        self._closed.clear()
        self._ticks += 1
        if not len(self.calls):
            self.reception.refused += arrivals.count
            arrivals.wipe()
            return told
        if self._wipes:
            self._wipe_now(sorted(self._wipes))
            self._wipes.clear()
        received = self._receive(arrivals, told)
        self.clock.mark("parse")
        kinds = self.calls.kinds[received.rows, received.headers.kind]
        pressed, released = self._hear_events(arrivals, received, kinds)
        self.clock.mark("events")
        self._store(arrivals, received, kinds)
        arrivals.wipe()
        frames = self.jitter.play()
        self.clock.mark("jitter")
        downs, ups = self.inband(frames, now_s)
        self.clock.mark("decode")
        self._tell_events(now_s, pressed, released, told)
        self._tell_tones(downs, ups, told)
        said = self._prompt(told) if speaking else self.prompts.silence(self.calls.used)
        self._record(frames, said)
        self.clock.mark("prompts")
        told.extend(TimedOut(self.calls.names[row]) for row in self._liveness.step().tolist())
        if self._ticks % LOSS_TICKS == 0:
            self._tell_losses(told)
        return told

    def _tell_losses(self, told: list[MediaEvent]) -> None:
        sequences = self.sequences
        sent = np.maximum(sequences.came_of + sequences.lost_of, 1)
        per_cent = 100 * np.maximum(sequences.lost_of, 0) // sent
        changed = np.flatnonzero(per_cent[: self.calls.used] != self._loss_told[: self.calls.used])
        self._loss_told[changed] = per_cent[changed]
        names = self.calls.names
        told.extend(self._loss_of(row, names[row], is_last=False) for row in changed.tolist() if names[row])

    def _loss_of(self, row: int, call: str, *, is_last: bool) -> LineLoss:
        # What is late has been counted as lost until it came; a repeat of it after a new beginning may leave less than none.
        return LineLoss(call, int(self.sequences.came_of[row]), max(0, int(self.sequences.lost_of[row])), is_last)

    def _receive(self, arrivals: Arrivals, told: list[MediaEvent]) -> Received:
        received = self.reception.read(arrivals)
        for begun in received.begun:
            if AUDIO in begun.streams:
                self.sequences.begin(begun.row)
                self.jitter.begin(begun.row)
            if begun.name is not None:
                self.events.change_source(begun.row)
                self.outgoing.aim(begun.row, begun.name)
                told.append(Latched(self.calls.names[begun.row], readable(begun.name)))
        self._liveness.seen(received.rows)
        self._liveness.seen(received.alive)
        return received

    def hear_rtcp(self, arrivals: Arrivals) -> None:
        """What came to the ports after RTP's: that the peer is there is all we want of it."""
        at = np.flatnonzero(arrivals.lengths[: arrivals.count] > 0)
        if len(at):
            self._liveness.seen(self.reception.sources.signs_of_life(arrivals, at, 1))
        arrivals.wipe()

    def _hear_events(
        self, arrivals: Arrivals, received: Received, kinds: Bytes
    ) -> tuple[list[Pressed], list[Released]]:
        headers = received.headers
        at = np.flatnonzero((kinds >= EVENT_KIND) & (headers.length >= 4))
        rates = EVENT_RATES[kinds[at] - EVENT_KIND]
        places = (received.rows[at], headers.at[at], headers.begin[at], headers.timestamp[at], headers.marker[at])
        packets = EventPackets(*places, rates, headers.sequence[at], headers.ssrc[at])
        pressed, released = self.events(arrivals, packets)
        for press in pressed:
            for row in press.rows[self.inband.listening[press.rows]].tolist():
                self.inband.listening[row] = False
                self.inband.forget(row)
        return pressed, released

    def _store(self, arrivals: Arrivals, received: Received, kinds: Bytes) -> None:
        headers, rows = received.headers, received.rows
        # Events that come under an SSRC of their own count their own sequence numbers.
        counted = headers.ssrc == self.reception.sources.audio_ssrc[rows]
        if not counted.all():
            headers, rows, kinds = headers.only(counted), rows[counted], kinds[counted]
        if not len(rows):
            return
        fresh, newer = self.sequences.note(rows, headers.sequence)
        # Where keys come as events, no audio is kept, and of tones among it nothing can be wiped too late.
        wanted = self.inband.listening[rows] | self.recordings.recorded[rows]
        keep = fresh & ((kinds == ULAW) | (kinds == ALAW)) & wanted
        places = (headers.at, headers.sequence, headers.timestamp, headers.begin, headers.length)
        self.jitter.store(arrivals, Audio(rows, *places, kinds == ALAW, newer, headers.marker).only(keep))

    def _tell_events(
        self, now_s: float, pressed: list[Pressed], released: list[Released], told: list[MediaEvent]
    ) -> None:
        for press in pressed:
            for row, code, elapsed in zip(press.rows.tolist(), press.code.tolist(), press.elapsed_s, strict=True):
                self._key(row, EVENT_KEYS[code], "telephone_event", now_s - float(elapsed), told)
        for release in released:
            for row, duration in zip(release.rows.tolist(), release.duration_s.tolist(), strict=True):
                told.append(KeyReleased(self.calls.names[row], "telephone_event", duration))
        for row, key, at_s in self._by_info:
            self._key(row, key, "info", at_s, told)
        self._by_info.clear()

    def _tell_tones(self, downs: list[RowToneDown], ups: list[RowToneUp], told: list[MediaEvent]) -> None:
        for down in downs:
            self._key(down.row, down.key, "inband", down.at_s, told)
        told.extend(KeyReleased(self.calls.names[up.row], "inband", up.duration_s) for up in ups)

    def _key(self, row: int, key: str, method: Method, at_s: float, told: list[MediaEvent]) -> None:
        if not self._mergers[row].is_new(key, method, at_s):
            return
        self.keys[method] += 1
        call = self.calls.names[row]
        told.append(KeyHeard(call, key, method, at_s))
        if self.prompts.barge_in[row] and self.prompts.play_id[row] != NO_PLAY:
            told.append(Played(call, self.prompts.stop(row), barged_in=True))

    def _prompt(self, told: list[MediaEvent]) -> Rows:
        """[used]: which of the prompts' frames each call is sent."""
        frames, done = self.prompts.step(self.calls.used)
        self.outgoing.write(self.prompts.audio, frames)
        for row, secure in self.reception.secure.items():
            if self.outgoing.sending[row]:
                secure.protect(self.outgoing, row)
        for row in done.tolist():
            told.append(Played(self.calls.names[row], self.prompts.stop(row), barged_in=False))
        return frames

    def _record(self, heard: Bytes, said: Rows) -> None:
        recorded = np.flatnonzero(self.recordings.recorded)
        if len(recorded):
            told = self.prompts.in_ulaw(recorded, said[recorded])
            self.recordings.tick(recorded, self.jitter.seams[recorded], heard[recorded], told)


def outgoing_packets(plane: MediaPlane) -> Iterable[tuple[str, bytes, bytes]]:
    """What this tick sends, as (call, destination, datagram), for whoever has no sockets."""
    outgoing = plane.outgoing
    for row in np.flatnonzero(outgoing.sending).tolist():
        name, length = outgoing.names[row].tobytes(), int(outgoing.lengths[row])
        yield plane.calls.names[row], name, outgoing.packets[row, :length].tobytes()
