"""What the line says, to the page: clips as frames by the clock, and each phrase's words when its sound begins."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dsp import g711
from ivr.channels.browser.tone_reader import FRAME, ToneReader
from ivr.channels.line import Heard, PersonRang, Silent
from ivr.core.actions import Phrase
from ivr.voice import read_clip

FRAME_S = 0.02
MOST_BEHIND_S = 0.2  # a process that stood still does not say everything at once afterwards
SILENCE = bytes([g711.SILENCE["ulaw"]])
Clips = Callable[[Phrase], Sequence[Path]]


class Captions:
    """Remembers whose words the next clips are. Phrases are made into clips in the order in which they are said."""

    def __init__(self, words: Callable[[Phrase], str]) -> None:
        self._words = words
        self._phrases: list[tuple[str, int]] = []

    def of(self, make: Clips) -> Clips:
        def clips(phrase: Phrase) -> Sequence[Path]:
            made = make(phrase)
            self._phrases.append((self._words(phrase), len(made)))
            return made

        return clips

    def take(self) -> dict[int, str]:
        """The words by the number of the clip that they begin with."""
        begins: dict[int, str] = {}
        at = 0
        for words, count in self._phrases:
            begins[at] = f"{begins[at]} {words}" if at in begins else words
            at += count
        self._phrases.clear()
        return begins


class BrowserAudioPort:
    """`speak` runs for as long as the call. `tell` is where the conversation hears that a list of clips is over."""

    def __init__(
        self, captions: Captions, tone_reader: ToneReader, frame: Callable[[bytes], None], say: Callable[..., None]
    ) -> None:
        self._captions, self._tone_reader, self._frame, self._say = captions, tone_reader, frame, say
        self._frames: Iterator[bytes] = iter(())
        self._plays = 0
        self._playing = self._barge_in = False
        self.tell: Callable[[Heard], None] = lambda _heard: None

    async def play(self, clips: Sequence[Path], *, barge_in: bool) -> int:
        self._plays += 1
        self._frames = self._frames_of(clips, self._captions.take())
        self._playing, self._barge_in = True, barge_in
        return self._plays

    async def wipe(self) -> None:
        self._tone_reader.wipe()

    async def transfer(self, number: str) -> None:
        """Nobody is rung: the page says who would be."""
        self._say("transferred", number=number)
        self.tell(PersonRang(is_connected=True))

    async def hang_up(self) -> None:
        self._say("hung_up")

    def key_pressed(self) -> None:
        """Before the key itself is told: it stops what is being said."""
        if self._playing and self._barge_in:
            self._frames = iter(())
            self._say("quiet")
            self._over()

    async def speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._speak_frame()
            due = max(due + FRAME_S, loop.time() - MOST_BEHIND_S)
            await asyncio.sleep(due - loop.time())

    def _speak_frame(self) -> None:
        frame = next(self._frames, None)
        if frame is not None:
            self._frame(frame)
        elif self._playing:
            self._over()

    def _over(self) -> None:
        self._playing = False
        self.tell(Silent(self._plays))

    def _frames_of(self, clips: Sequence[Path], words: dict[int, str]) -> Iterator[bytes]:
        for number, clip in enumerate(clips):
            if number in words:
                self._say("says", words=words[number])
            codes = read_clip(clip).tobytes()
            for start in range(0, len(codes), FRAME):
                yield codes[start : start + FRAME].ljust(FRAME, SILENCE)
