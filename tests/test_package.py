"""What somebody gets who installs the package: a light face, and every file that belongs to it."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest

import fastrouter
from fastrouter.net import PICOWS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def python(code, folder):
    """What the code prints in an interpreter of its own, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def folder_of(package):
    folders = SETUPTOOLS["package-dir"]
    return ROOT / folders.get(package, package.replace(".", "/"))


@pytest.fixture(scope="module")
def installed():
    """The distribution that pip installed, not the leavings of a build beside the sources."""
    return next(
        found
        for found in metadata.distributions(name="fastrouter")
        if found.read_text("RECORD") is not None
    )


@pytest.fixture(scope="module")
def shipped(installed):
    """The installed files; of an editable install, those that a wheel would hold."""
    files = {PurePosixPath(file) for file in installed.files}
    if PurePosixPath("fastrouter/__init__.py") in files:
        return files
    data = SETUPTOOLS["package-data"]
    return {
        PurePosixPath(package.replace(".", "/")) / path.name
        for package in SETUPTOOLS["packages"]
        for pattern in ("*.py", "*.so", *data["*"], *data.get(package, ()))
        for path in folder_of(package).glob(pattern)
    }


def test_importing_it_imports_nothing_heavy(tmp_path):
    heavy = ["asyncio", "logging", "numpy", "orjson", "picows", "pydantic", "typer", "uvloop"]
    code = f"import sys, fastrouter; print([name for name in {heavy} if name in sys.modules])"
    assert python(code, tmp_path) == "[]\n"


@pytest.mark.parametrize("name", fastrouter.__all__)
def test_every_name_of_the_face_is_there(name):
    assert getattr(fastrouter, name) is not None
    assert name in dir(fastrouter)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Rooter'"):
        fastrouter.Rooter  # noqa: B018


def test_the_version_is_that_of_the_installed_package(installed):
    assert fastrouter.__version__ == installed.version, "install it again"


def test_every_package_is_packed():
    folders = {path.parent for path in (ROOT / "fastrouter").rglob("__init__.py")}
    assert folders | {ROOT / "bench"} == {folder_of(name) for name in SETUPTOOLS["packages"]}


@pytest.mark.parametrize("pattern", ["*.py", "*.pyi", "*.pxd", "py.typed"])
def test_every_file_is_packed(shipped, pattern):
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fastrouter").rglob(pattern)}
    assert files
    assert files <= {str(path) for path in shipped}


@pytest.mark.parametrize("pattern", ["*.py", "*.c", "*.h"])
def test_every_file_of_the_bench_is_packed(shipped, pattern):
    files = {f"fastrouter/bench/{path.name}" for path in (ROOT / "bench").glob(pattern)}
    assert files
    assert files <= {str(path) for path in shipped}


def test_nothing_else_is_packed(shipped):
    assert not [path for path in shipped if "tests" in path.parts]
    assert {path.name for path in shipped if path.suffix in (".cpp", ".pyx")} <= {"leaves.cpp"}


def test_every_compiled_module_is_packed_with_its_stub(shipped):
    compiled = {path.parent / path.name.split(".")[0] for path in shipped if path.suffix == ".so"}
    sources = {path.relative_to(ROOT) for path in (ROOT / "fastrouter").rglob("*.pyx")}
    assert compiled >= {PurePosixPath(path.with_suffix("")) for path in sources}
    assert not [path for path in compiled if path.with_suffix(".pyi") not in shipped]


def test_picows_is_pinned_to_what_the_code_says():
    pin = f"picows=={PICOWS}"
    for requirements in (PROJECT["build-system"]["requires"], PROJECT["project"]["dependencies"]):
        assert [one for one in requirements if one.startswith("picows")] == [pin]


def test_another_picows_is_refused(tmp_path):
    code = (
        "from importlib import metadata\n"
        "metadata.version = lambda name: '1.0.0'\n"
        "from fastrouter.errors import ConfigError\n"
        "try:\n"
        "    import fastrouter.net\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    assert python(code, tmp_path) == (
        f"picows 1.0.0 is installed, but fastrouter was built for {PICOWS}; "
        f"run: pip install picows=={PICOWS}\n"
    )
