"""Installed from a wheel, outside the checkout: the command, the app, and what an import costs."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from core import extras
from core.__main__ import COMMANDS
from core.audit.folder import open_audit
from core.extras import missing_extra
from core.present.text.tables import audit_report
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PROJECT_VERSION = re.search(r"__version__ = \"(.+)\"", (ROOT / "lookwhere/__init__.py").read_text())[1]
#: Seconds that `import lookwhere` may take.
LIMIT = 0.5


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "--wheel-dir", folder, ROOT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment of its own with the wheel; third parties are those of the running environment."""
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(folder, with_pip=False)
    found = folder / "bin/python"
    site = next(folder.glob("lib/python*/site-packages"))
    command = [sys.executable, "-m", "pip", f"--python={found}", "install", "--quiet", "--no-deps", wheel]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "third-parties.pth").write_text(here + "\n")
    return found


def run(python: Path, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process in a folder without any of ours."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LOOKWHERE_MODELS")}
    return subprocess.run(
        [python, *arguments], cwd=cwd or python.parent, env=clean | environment, capture_output=True, text=True
    )


def lookwhere(python: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(python, str(python.with_name("lookwhere")), *arguments, **environment)


#: Runs commands one after another, so that their imports are made once; without the packages named. Its arguments are
#: the packages and the commands' words; it prints the exit code, what was printed and the errors of each.
SEVERAL = """
import contextlib, io, json, sys
absent, commands = map(json.loads, sys.argv[1:])
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
from lookwhere.__main__ import main
ended = []
for words in commands:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            code = main(words)
        except SystemExit as ended_with:
            code = ended_with.code
    ended.append([words, code, out.getvalue(), errors.getvalue()])
print(json.dumps(ended))
"""


def several(python: Path, *commands: list[str], absent: Iterable[str] = ()) -> list[subprocess.CompletedProcess[str]]:
    """How `lookwhere` ends with each of these words, by one process without the packages `absent`."""
    done = run(python, "-c", SEVERAL, json.dumps(sorted(absent)), json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return [subprocess.CompletedProcess(*ended) for ended in json.loads(done.stdout)]


def test_the_wheel_holds_the_house_inside_its_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"lookwhere", "lookwhere.pth", f"lookwhere-{PROJECT_VERSION}.dist-info"}
    inside = {name.removeprefix("lookwhere/_house/") for name in names}
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout.split("\0")
    wanted = {name for name in tracked if name.startswith(("core/", "train/", "ui/", "pages/", ".streamlit/"))}
    if wanted:
        assert {name for name in wanted if (ROOT / name).is_file()} <= inside
    assert {"app.py", ".streamlit/config.toml"} <= inside
    assert "lookwhere/py.typed" in names
    assert not [name for name in names if name.endswith((".pyc", ".safetensors"))]


def test_help_lists_every_command(python: Path) -> None:
    done = lookwhere(python, "--help")
    assert done.returncode == 0, done.stderr
    for name in (*COMMANDS, "train", "app"):
        assert re.search(rf"[•\s]{name}\s", done.stdout), name
    assert lookwhere(python, "--version").stdout.strip() == PROJECT_VERSION
    training, experiments, show = several(
        python, ["train", "--help"], ["train", "experiments", "--help"], ["show", "--help"]
    )
    assert "--stop-after" in training.stdout and "--workers" in experiments.stdout and "lookwhere show" in show.stdout


def test_show_prints_the_shipped_audit(python: Path) -> None:
    shipped_or_skip()
    named = ["show", "--model", MODEL.name, "--audit", AUDIT.name]
    by_variable = lookwhere(python, *named, "--json", LOOKWHERE_MODELS=str(MODEL.parent))
    assert by_variable.returncode == 0, by_variable.stderr
    assert json.loads(by_variable.stdout)["faces"] == 4029


def test_without_models_it_is_told_where_to_name_them(python: Path) -> None:
    for done in several(python, ["show", "--model", "m", "--audit", "a"], ["app"]):
        assert done.returncode == 2
        assert done.stdout == ""
        assert re.fullmatch(r"error: models: no such folder of models; give one with --models, .*\n", done.stderr)


def test_an_import_is_fast_and_heavy_packages_wait(python: Path) -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import lookwhere; s = time.perf_counter() - t\n"
        "print(s, *({'torch', 'pandas', 'numpy', 'streamlit', 'plotly'} & {*sys.modules}))"
    )
    seconds = []
    for _ in range(3):
        done = run(python, "-c", code)
        assert done.returncode == 0, done.stderr
        taken, *loaded = done.stdout.split()
        assert loaded == []
        seconds.append(float(taken))
    assert min(seconds) < LIMIT


def test_what_shows_an_audit_needs_no_torch(python: Path, tmp_path: Path) -> None:
    shipped_or_skip()
    named = ["--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent)]
    showing = [["show"], ["evidence"], ["gaps"], ["findings"], ["report", "--out", str(tmp_path / "report.html")]]
    commands = [[*words, *named] for words in (*showing, ["check", "--data", "x"])]
    show, *more, done = several(python, *commands, absent=extras.EXTRAS)
    assert show.stdout.rstrip("\n") == audit_report(open_audit(AUDIT))
    assert all(one.returncode == 0 and one.stdout for one in (show, *more)), more
    assert done.returncode == 2
    # Which of its packages is missed first is a matter of the imports' order.
    line = r'error: this needs (\w+), which is not installed; install it with: pip install "lookwhere\[models\]"'
    assert (missed := re.search(line, done.stderr)) and extras.EXTRAS[missed[1]] == "models", done.stderr


def test_a_module_of_the_users_that_hides_ours_is_named(python: Path, tmp_path: Path) -> None:
    (tmp_path / "core.py").write_text("")
    code = "import lookwhere.house; lookwhere.house.open_house()"
    assert run(python, "-c", code).returncode == 0
    done = run(python, "-c", code, cwd=tmp_path)
    assert "core.py) hides Lookwhere's; rename it" in done.stderr


def test_the_app_answers_where_it_is_installed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [python.with_name("lookwhere"), "app", "--port", str(port)]
    log = (tmp_path / "log").open("w")
    server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                    assert answer.read() == b"ok"
                break
            except OSError:
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.3)
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)
        log.close()


def requirements(*files: str) -> dict[str, str]:
    """Pinned versions by normalised name."""
    lines = [line for file in files for line in (ROOT / file).read_text().splitlines() if "==" in line]
    return {name.lower().replace("_", "-"): pin for name, _, pin in (line.partition("==") for line in lines)}


def test_ranges_hold_what_make_installs() -> None:
    declared = [*PROJECT["dependencies"], *(x for extra in PROJECT["optional-dependencies"].values() for x in extra)]
    ranges = {r.name.lower(): r.specifier for r in map(Requirement, declared) if r.name != "lookwhere"}
    pins = requirements("requirements.txt")
    # What makes an audit faster, and object storage, are installed for the tests alone.
    pins |= {name: pin for name, pin in requirements("requirements-dev.txt").items() if name in ranges}
    assert set(pins) == set(ranges)
    for name, pin in pins.items():
        assert pin in ranges[name], f"{name} {pin} is outside {ranges[name]}"
        assert any(s.operator == "<" for s in ranges[name]), f"{name} has no upper bound"


def test_every_optional_package_is_explained_with_the_extra_that_has_it() -> None:
    extra_of = {
        Requirement(line).name.lower(): name
        for name, lines in PROJECT["optional-dependencies"].items()
        for line in lines
        if not line.startswith("lookwhere")
    }
    names = {"facenet_pytorch": "facenet-pytorch", "pytorch_grad_cam": "grad-cam", "pi_heif": "pi-heif",
             "lightning_fabric": "lightning-fabric", "sklearn": "scikit-learn", "choreographer": "kaleido"}  # fmt: skip
    extra = {extra_of[names.get(module, module)] for module in extras.EXTRAS}
    assert extra == {"models", "train", "export", "fast", "remote"}
    assert all(extra_of[names.get(module, module)] == extra for module, extra in extras.EXTRAS.items())
    assert {names.get(module, module) for module in extras.EXTRAS} == set(extra_of)
    assert missing_extra(ModuleNotFoundError("x", name="torch.nn")).endswith('pip install "lookwhere[models]"')
    assert missing_extra(ModuleNotFoundError("x", name="core.nothing")) is None


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT_VERSION
    assert citation["license"] == PROJECT["license"]
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type"} <= set(citation)
