"""One build and two installations for all tests of the package: everything, and what a plain installation has."""

from pathlib import Path

import pytest

from tests.packaging.installed import OF_EXTRAS, ROOT, Installed, build, install_beside_present_packages, made_once


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_once(tmp_path_factory, "wheel", lambda folder: build("wheel", ROOT, folder))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_once(tmp_path_factory, "sdist", lambda folder: build("sdist", ROOT, folder))
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def everything(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """With all extras."""
    make = lambda folder: install_beside_present_packages(wheel, folder / "venv")  # noqa: E731
    return Installed(made_once(tmp_path_factory, "everything", make) / "venv")


@pytest.fixture(scope="session")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`pip install tonetill`, without an extra."""
    make = lambda folder: install_beside_present_packages(wheel, folder / "venv", OF_EXTRAS)  # noqa: E731
    return Installed(made_once(tmp_path_factory, "plain", make) / "venv")
