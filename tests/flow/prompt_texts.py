"""Prompt files for tests that are about flows: every name with words of no meaning, or with those that a test is about."""

import json
from collections.abc import Collection, Mapping

from ivr.flow.compiler import Around
from ivr.words.prompt_files import read_prompt_files


def around(prompts: Mapping[str, Collection[str] | Mapping[str, str]]) -> Around:
    """By language: names, or names with their texts."""
    files = []
    for language, names in prompts.items():
        texts = dict(names) if isinstance(names, Mapping) else dict.fromkeys(sorted(names), "words")
        files.append(
            (f"prompts/{language}.yaml", "\n".join(f"{name}: {json.dumps(text)}" for name, text in texts.items()))
        )
    return Around(prompts=read_prompt_files(files))
