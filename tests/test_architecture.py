"""ARCHITECTURE.md is about the tree that there is: its layers are those that the build holds, its packages all that exist."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ZONES = TEXT.partition("## Zones")[2].partition("\n## ")[0]


def test_the_layers_are_those_that_the_build_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    written = ZONES.partition("`make check`): ")[2].partition(";")[0]
    assert re.findall("`([^`]+)`", written) == [layer for layer in layers if layer != "__main__"]


def test_every_package_is_in_the_table() -> None:
    packages = {file.parent.name for file in (ROOT / "ivr").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", ZONES, re.MULTILINE)) == packages


def test_every_module_that_is_named_is_there() -> None:
    named = set(
        re.findall(
            r"`((?:flow|calls|store|conversation|forwarder|words|reading|core)/[\w/]+(?:\.py)?)`",
            TEXT.partition("## Two walks")[0],
        )
    )
    there = {name for name in named if (ROOT / "ivr" / name).exists() or (ROOT / "ivr" / f"{name}.py").exists()}
    assert named == there
