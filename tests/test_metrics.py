"""What the media plane counts is shown at `/metrics`, and said in the guide for operators."""

from dataclasses import fields
from pathlib import Path

from ivr import metrics
from ivr.phone.rtp import MediaStats

OPERATING = Path(__file__).parents[1] / "docs" / "operating.md"
COUNTS = {field.name for field in fields(MediaStats) if field.type in (int, float)}


def test_every_count_of_the_media_plane_is_shown():
    numbers = {name: 100 + place for place, name in enumerate(sorted(COUNTS))}
    metrics.note_media(MediaStats(**numbers, keys={}, cpu_us_per_tick={}))
    shown = metrics.exposition()[0].decode().splitlines()
    assert {f'tonetill_media{{what="{name}"}} {number}.0' for name, number in numbers.items()} <= set(shown)


def test_every_count_of_the_media_plane_is_named_to_operators():
    row = next(line for line in OPERATING.read_text().splitlines() if line.startswith("| `tonetill_media` |"))
    assert [name for name in COUNTS if f"`{name}`" not in row] == []
    assert set(metrics.MEDIA_COUNTS) == COUNTS
