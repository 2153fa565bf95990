"""What the control pipe asks of a media plane: names of commands to calls of it; it reads no socket."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from ivr.errors import IvrError
from ivr.phone.rtp.contract import MediaError
from ivr.phone.rtp.control import Message, media_of
from ivr.phone.rtp.plane import MediaPlane


class Commands:
    def __init__(self, plane: MediaPlane, ports: list[int]) -> None:
        self._plane = plane
        self._ports = ports
        self._named: Final[dict[str, Callable[[Message], Message]]] = {
            "open": self._open,
            "update": self._update,
            "play": self._play,
            "stop": self._stop,
            "wipe": self._wipe,
            "info_key": self._info_key,
            "alive": self._alive,
            "close": self._close,
            "load": self._load,
            "unload": self._unload,
        }

    def carry_out(self, message: Message) -> Message:
        """The answer. A command that cannot be carried out changes nothing and ends nothing."""
        number = message.get("re", 0)
        try:
            command = self._named.get(str(message.get("do")))
            if command is None:
                raise MediaError(f"control: there is no command {message.get('do')!r}")
            return {"re": number, **command(message)}
        except IvrError as error:
            return {"re": number, "error": type(error).__name__, "why": str(error)}
        except (KeyError, TypeError, ValueError, OSError) as error:
            return {"re": number, "error": "MediaError", "why": f"control: {message.get('do')}: {error}"}

    def _open(self, message: Message) -> Message:
        return {"port": self._ports[self._plane.open(message["call"], media_of(message["media"]))]}

    def _update(self, message: Message) -> Message:
        self._plane.update(message["call"], media_of(message["media"]))
        return {}

    def _play(self, message: Message) -> Message:
        self._plane.play(message["call"], message["play"], message["clips"], message["barge_in"])
        return {}

    def _stop(self, message: Message) -> Message:
        self._plane.stop(message["call"])
        return {}

    def _wipe(self, message: Message) -> Message:
        self._plane.wipe(message["call"])
        return {}

    def _info_key(self, message: Message) -> Message:
        self._plane.info_key(message["call"], message["key"], message["at_s"])
        return {}

    def _alive(self, message: Message) -> Message:
        self._plane.still_alive(message["call"])
        return {}

    def _close(self, message: Message) -> Message:
        self._plane.close(message["call"])
        return {}

    def _load(self, message: Message) -> Message:
        if "path" in message:
            codes = np.fromfile(Path(message["path"]), np.uint8)
        else:
            codes = np.frombuffer(base64.b64decode(message["codes"]), np.uint8)
        self._plane.prompts.load(message["clip"], codes)
        return {}

    def _unload(self, message: Message) -> Message:
        self._plane.prompts.unload(message["clip"])
        return {}
