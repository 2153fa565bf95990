"""The vault stays small and cannot log, serve, store or pickle."""

import ast
from pathlib import Path

import ivr.vault

FOLDER = Path(ivr.vault.__file__).parent
FORBIDDEN = {"logging", "structlog", "flask", "sqlalchemy", "pickle", "socket", "warnings", "httpx"}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_vault_imports_nothing_that_could_carry_a_card_away() -> None:
    for file in FOLDER.glob("*.py"):
        names = imported(file)
        assert not {name.partition(".")[0] for name in names} & FORBIDDEN, file.name
        own = {name for name in names if name.startswith("ivr.")}
        assert all(name.startswith(("ivr.vault", "ivr.core", "ivr.errors")) for name in own), file.name


def test_the_vault_never_prints() -> None:
    for file in FOLDER.glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        assert not {func.id for func in calls if isinstance(func, ast.Name)} & {"print", "open", "input"}, file.name
