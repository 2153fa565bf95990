"""A flow that connects callers to a person at key 2, with its words, in a folder of a test's own."""

from pathlib import Path

from ivr.places import SHIPPED as ROOT

HELPLINE = ROOT / "tests" / "flows" / "helpline.yaml"
WORDS = ROOT / "tests" / "flows" / "words.yaml"


def write_helpline(folder: Path) -> Path:
    prompts = folder / "prompts"
    prompts.mkdir(parents=True)
    shipped = (ROOT / "flows" / "prompts" / "en-US.yaml").read_text(encoding="utf-8")
    own = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if line.startswith(("speak_to", "finish:"))]
    (prompts / "en-US.yaml").write_text("\n".join([shipped, *own, ""]), encoding="utf-8")
    file = folder / "helpline.yaml"
    file.write_text(HELPLINE.read_text(encoding="utf-8"), encoding="utf-8")
    return file
