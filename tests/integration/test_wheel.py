from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("search", "spaces", "storage")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built with the locked backend and no network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel's contents, where they would be in an environment."""
    folder = wheel.parent / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def distribution(installed: Path) -> PathDistribution:
    (info,) = installed.glob("*.dist-info")
    return PathDistribution(info)


def test_wheel_holds_three_packages_and_nothing_else(installed: Path):
    names = {path.name for path in installed.iterdir()}

    assert {name for name in names if not name.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_belongs_to_the_distribution(distribution: PathDistribution, package: str):
    assert distribution.metadata["Name"] == "hpsearch"
    assert f"{package}/__init__.py" in {str(file) for file in distribution.files or []}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_whole(installed: Path, package: str):
    kinds = ("*.py", "*.yaml", "py.typed")
    there = {str(path.relative_to(ROOT)) for kind in kinds for path in (ROOT / package).rglob(kind)}
    shipped = {str(path.relative_to(installed)) for kind in kinds for path in (installed / package).rglob(kind)}

    assert f"{package}/py.typed" in shipped
    assert shipped == there


def test_wheel_has_license_and_command(distribution: PathDistribution):
    (script,) = distribution.entry_points.select(group="console_scripts")

    assert (script.name, script.value) == ("hpsearch", "search.main:main")
    assert any(str(file).endswith("licenses/LICENSE") for file in distribution.files or [])


def test_space_is_found_by_name_from_the_wheel(installed: Path, tmp_path: Path):
    code = "from spaces.library import find_space; print(find_space('head_shrink'))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == installed / "spaces" / "head_shrink.yaml"
