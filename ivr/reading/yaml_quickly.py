"""YAML composed into PyYAML's nodes by libyaml, twenty times as fast as by PyYAML's own parser, where the two surely agree.

They disagree about tabs, byte order marks, line breaks other than LF and CR, tags, directives, `? ` before a key, and in braces and
brackets about `?` and where a value would be that is left out. Of such a text nothing is said here, nor of one with anything wrong:
PyYAML's own parser reads it then, whose errors have the words and places that `yaml_errors` knows.
"""

import re
from typing import Any

import yaml
from yaml.composer import Composer

# A lone surrogate is nothing that libyaml could be given.
_READ_OTHERWISE = re.compile("[\t\x85\u2028\u2029\ufeff\ud800-\udfff]|^%|^[ -]*\\?(\\s|$)", re.MULTILINE)


class Unsure(Exception):
    """It is for PyYAML's own parser."""


def compose(text: str, max_depth: int) -> yaml.Node | None:
    """None for an empty text. Unsure also where lists and mappings are in each other deeper, or anything is an alias."""
    if _Loader is None or _READ_OTHERWISE.search(text):
        raise Unsure
    loader = _Loader(text, max_depth)
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.YAMLError:
        raise Unsure from None
    finally:
        loader.dispose()
    return node


def _loader() -> Any:
    """None where PyYAML was built without libyaml."""
    if not yaml.__with_libyaml__:
        return None

    class Loader(Composer, yaml.CBaseLoader):
        """PyYAML's composer over libyaml's events: the one in C goes as deep as the text does."""

        def __init__(self, text: str, max_depth: int) -> None:
            yaml.CBaseLoader.__init__(self, text)
            Composer.__init__(self)
            self.left = max_depth

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            event: Any = self.peek_event()
            if event.anchor is not None or event.tag is not None:
                raise Unsure
            if not isinstance(event, yaml.ScalarEvent):
                return self.one_deeper(parent, index)
            in_flow = isinstance(parent, yaml.CollectionNode) and parent.flow_style
            if in_flow and not event.style and (not event.value or "?" in event.value):
                raise Unsure
            event.style = event.style or None  # as PyYAML's own parser says that it is plain
            return super().compose_node(parent, index)

        def one_deeper(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            if not self.left:
                raise Unsure
            self.left -= 1
            node = super().compose_node(parent, index)
            self.left += 1
            return node

        def resolve(self, *_node: object) -> str:
            """No types are worked out: everything is text."""
            return ""

    return Loader


_Loader = _loader()
