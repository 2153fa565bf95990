"""The portal's editor is the file that was built of what its lock file pins, and asks no other host for anything."""

import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EDITOR, BUNDLE = ROOT / "editor", ROOT / "ivr" / "portal" / "static" / "codemirror.js"


def test_the_bundle_is_the_one_whose_digest_is_kept():
    """After a change of `editor/`: `make editor`, and a new digest."""
    kept = (EDITOR / "codemirror.sha256").read_text().split()[0]
    assert hashlib.sha256(BUNDLE.read_bytes()).hexdigest() == kept


def test_each_package_is_pinned_with_its_hash():
    named = json.loads((EDITOR / "package.json").read_text())
    versions = [*named["dependencies"].values(), *named["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    locked = json.loads((EDITOR / "package-lock.json").read_text())["packages"]
    assert all(one["integrity"].startswith("sha512-") for name, one in locked.items() if name)


def test_the_bundle_has_its_licence_and_loads_nothing():
    text = BUNDLE.read_text(encoding="utf-8")
    assert "codemirror.LICENSE" in text[:200]
    assert "MIT License" in (BUNDLE.parent / "codemirror.LICENSE").read_text()
    assert not re.search(r"\bimport\s*\(|\bfrom\s*[\"']|\beval\(|new Function|fetch\(|XMLHttpRequest", text)
