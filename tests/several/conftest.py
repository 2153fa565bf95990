"""Two merchants, made once for all tests of a file: their keys take seconds. A test leaves them as it found them, or adds to them."""

import signal
from collections.abc import Iterator

import pytest

from tests.several.installations import TwoMerchants, make_installation, open_two


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoMerchants]:
    before = signal.getsignal(signal.SIGHUP)
    folder = tmp_path_factory.mktemp("installation")
    make_installation(folder)
    yield open_two(folder)
    signal.signal(signal.SIGHUP, before)
