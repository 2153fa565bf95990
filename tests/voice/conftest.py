"""The shipped prompts, and a renderer over a cache of its own; what needs the synthesizer skips where it is not installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.flow.files import terms_of
from ivr.voice import Renderer, is_installed
from ivr.words.phrases import Prompts
from ivr.words.prompt_check import read_prompts

FOLDER = Path(__file__).parents[2] / "flows" / "prompts"


@pytest.fixture(scope="session")
def prompts() -> Prompts:
    files = [(str(path), path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    read, _ = read_prompts(files, terms_of())
    assert read is not None
    return read


@pytest.fixture(scope="session")
def spoken(prompts: Prompts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    """A renderer that speaks, shared by the tests that only listen."""
    if not is_installed():
        pytest.skip("no synthesizer: pip install 'tonetill[voice]'")
    folder = tmp_path_factory.mktemp("voice")
    renderer = Renderer(prompts, folder / "cache", folder / "audio", "espeak")
    yield renderer
    renderer.close()
