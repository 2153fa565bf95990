"""The words for a line, by the share of packets that never came."""

import pytest

from ivr.core.line_quality import LineQuality


@pytest.mark.parametrize(
    ("came", "lost", "words"),
    [
        (0, 0, "silent"),
        (0, 9, "silent"),
        (1000, 0, "good"),
        (1000, 9, "good"),
        (990, 10, "fair, 1 % lost"),
        (960, 40, "fair, 4 % lost"),
        (950, 50, "poor, 5 % lost"),
        (500, 500, "poor, 50 % lost"),
    ],
)
def test_a_line_is_told_in_words(came: int, lost: int, words: str):
    assert str(LineQuality(came, lost)) == words
