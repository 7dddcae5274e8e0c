"""The page «Runs»: off unless one sits at the machine or knows the password; what is typed is checked first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.audit.folder import Audit
from core.commands.startable import STARTABLE
from core.errors import LookwhereError
from core.jobs import password, queue, roots
from core.jobs.job import JobState, list_jobs
from tests.helpers.datasets_made import tree
from tests.helpers.pages import headline, text
from tests.helpers.shipped import ROOT
from ui.shell import navigation, open_audit
from ui.views import faces, run_forms, run_input, run_list, runs

Study = tuple[Path, Audit]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A visitor at the machine, with a data set in the one open folder; no worker takes the jobs."""
    tree(tmp_path / "data/mine", ["female/a.jpg", "male/b.jpg"])
    monkeypatch.setattr(runs, "request_headers", lambda: {"Host": "localhost:8501"})
    monkeypatch.setattr(queue, "ensure_worker", lambda jobs: False)
    monkeypatch.setattr(runs, "TRIES", password.Tries())
    for module in (run_list, run_forms):
        monkeypatch.setattr(module, "JOBS", tmp_path / "jobs")
    monkeypatch.setattr(faces, "STORES", tmp_path / "aligned")
    monkeypatch.setenv(roots.VARIABLE, str(tmp_path / "data"))
    for name in (password.VARIABLE, "LOOKWHERE_ALLOW_JOBS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def runs_page(study: Study, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """The page as the first one: of another one AppTest begins each run twice, and loses what was clicked."""
    monkeypatch.setattr(navigation, "PAGES", sorted(navigation.PAGES, key=lambda entry: entry.file != "runs"))
    monkeypatch.setattr(open_audit, "MODELS", study[0])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, [element.value for element in app.exception]
    return app


def test_where_no_folder_is_open_the_page_names_the_one_to_make(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"Open to this page: {here / 'data'}. More" in text(runs_page(study, monkeypatch))
    monkeypatch.setenv(roots.VARIABLE, str(here / "none"))
    assert f"there is no folder {here / 'none'}: make it" in text(runs_page(study, monkeypatch))


def button(app: AppTest, label: str):
    return next(element for element in app.button if element.label == label)


def labels(app: AppTest) -> set[str]:
    kinds = ("selectbox", "text_input", "number_input", "toggle", "multiselect")
    return {element.label for kind in kinds for element in app.get(kind)}


def test_it_says_how_it_is_switched_on_where_it_is_off(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = queue.submit(here / "jobs", "datasets", ["--check", "secret-name"], "Secret title")
    monkeypatch.setattr(runs, "request_headers", lambda: {"Host": "faces.example.org"})
    app = runs_page(study, monkeypatch)
    page_text = text(app) + "".join(element.value for element in app.code)
    assert "switched off" in page_text and "which is not this machine" in page_text
    for word in ("--server.address 127.0.0.1", "LOOKWHERE_ALLOW_JOBS=1", password.VARIABLE, roots.VARIABLE):
        assert word in page_text
    assert "Secret title" not in page_text and check.id not in page_text
    assert [element.label for element in app.button if element.label in ("Start", "Stop")] == []


def test_a_password_is_asked_for_and_wrong_ones_are_counted(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(password.VARIABLE, password.hash_password("correct horse"))
    app = runs_page(study, monkeypatch)
    assert not [element for element in app.button if element.label == "Start"]
    for _ in range(password.SESSION_TRIES):
        app.text_input(key="runs_given").set_value("wrong horse")
        button(app, "Open").click().run()
        assert "not the password" in text(app)
    app.text_input(key="runs_given").set_value("correct horse")
    button(app, "Open").click().run()
    assert "Too many wrong passwords" in text(app), "the right one neither"
    second_visitor = runs_page(study, monkeypatch)
    second_visitor.text_input(key="runs_given").set_value("correct horse")
    button(second_visitor, "Open").click().run()
    assert button(second_visitor, "Start")
    monkeypatch.setenv(password.VARIABLE, password.hash_password("another horse"))
    assert not [element for element in second_visitor.run().button if element.label == "Start"], (
        "a changed password ends what was open"
    )


def test_tries_count_over_all_sessions(study: Study, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(password.VARIABLE, password.hash_password("correct horse"))
    monkeypatch.setattr(runs, "TRIES", password.Tries(most=1))
    for given, said in (("wrong horse", "not the password"), ("correct horse", "Too many wrong passwords")):
        app = runs_page(study, monkeypatch)
        app.text_input(key="runs_given").set_value(given)
        button(app, "Open").click().run()
        assert said in text(app)


@pytest.mark.parametrize("command", STARTABLE, ids=lambda one: one.program)
def test_each_form_draws_every_option_of_its_command(
    command, study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = runs_page(study, monkeypatch, start=command.title)
    config = None if command.program != "train" else run_forms.train_config(None)
    expected = {run_forms._asked(option, command.program).label for option in run_forms.form_options(command, config)}
    assert expected <= labels(app)
    assert not app.error
    assert "Data" not in labels(app)


def test_a_data_set_has_one_name_in_every_form_and_stores_are_none(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of stores may lie in an open one, as `data/aligned` does."""
    store = here / "data/aligned/one/store.json"
    store.parent.mkdir(parents=True)
    store.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(faces, "STORES", here / "data/aligned")
    for title, label, offers in (
        ("See a data set", "Data set", ["data/mine"]),
        ("Align", "Data set", ["data/mine"]),
        ("Audit", "Aligned store", ["aligned/one"]),
    ):
        app = runs_page(study, monkeypatch, start=title)
        field = next(element for element in app.selectbox if element.label == label)
        assert [Path(option).name for option in field.options] == [Path(offer).name for offer in offers], title


def test_a_data_set_of_the_open_folder_is_put_into_the_queue_by_its_real_path(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = runs_page(study, monkeypatch)
    assert "Nothing was started yet" in headline(app)
    assert button(app, "Start").disabled
    data = next(element for element in app.selectbox if element.label == "Data set")
    data.set_value("data/mine").run()
    button(app, "Start").click().run()
    assert [element.value for element in app.error] == []
    (job,) = list_jobs(here / "jobs").jobs
    assert (job.program, job.arguments) == ("datasets", ("--check", str((here / "data/mine").resolve())))
    assert job.directory == str(Path.cwd())
    assert "See a data set: mine" in text(app) and "waits for its turn" in text(app)
    assert "1 job waits" in headline(app)
    button(app, "Stop").click().run()
    assert list_jobs(here / "jobs").jobs[0].state is JobState.STOPPED
    button(app, "Go on").click().run()
    assert list_jobs(here / "jobs").jobs[0].state is JobState.QUEUED


def test_a_declaration_shows_a_face_as_the_model_gets_it(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_input, "portraits", lambda: np.full((1, 112, 112, 3), 51, np.uint8))
    app = runs_page(study, monkeypatch, start="Import")
    assert "Once size, mean and std are given" in text(app)
    by_label = {element.label: element for element in (*app.selectbox, *app.number_input, *app.text_input)}
    placeholders = {label: element.proto.placeholder for label, element in by_label.items()}
    unsaid = ("Score", "Output that is female", "Output that is male", "Mean", "Std", "Classes")
    assert {placeholders[label] for label in unsaid} <= {"not declared", "apart by commas"}
    assert placeholders["Channels"] == "by default", "what is taken by default is called so"
    for label, value in (("Size", "32 24"), ("Mean", "0.5 0.5 0.5"), ("Std", "0.1, 0.1, 0.1")):
        next(element for element in app.text_input if element.label == label).set_value(value)
    app.run()
    assert "Input 1 × 3 × 32 × 24, red, green, blue; values −3.00 to −3.00" in text(app)
    assert "The portrait as the model gets it" in text(app)
    assert "There is no aligned store yet" in text(runs_page(study, monkeypatch, start="Audit"))
    next(element for element in app.text_input if element.label == "Mean").set_value("0.5 0.5")
    assert "mean: expected 3 numbers for rgb, not 2" in text(app.run())
    next(element for element in app.text_input if element.label == "Mean").set_value("half")
    assert "is no number" in "".join(element.value for element in app.run().error)


def test_a_declaration_in_a_file_shows_a_face_too_without_any_model(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = here / "data/theirs"
    folder.mkdir()
    (folder / "a.yaml").write_text("size: 32\nmean: [0.5]\nstd: [0.1]\nchannels: grey\nscore: probability\nof: male\n")
    for name in ("ir.xml", "ir.bin", "weights.bin"):
        (folder / name).write_bytes(b"x")
    hugging_face = here / "data/vit"
    hugging_face.mkdir()
    (hugging_face / "config.json").write_text("{}")
    (tmp_path / "none").mkdir()
    app = runs_page((tmp_path / "none", None), monkeypatch, start="Import")
    file, declaration = (
        next(element for element in app.selectbox if element.label == label) for label in ("File", "Declaration (YAML)")
    )
    assert file.options == ["data/theirs/ir.xml", "data/theirs/weights.bin", "data/vit"]
    declaration.set_value(declaration.options[0]).run()
    assert "Input 1 × 1 × 32 × 32, grey" in text(app) and "The portrait as the model gets it" in text(app)
    next(element for element in app.text_input if element.label == "Size").set_value("48 24").run()
    assert "Input 1 × 1 × 48 × 24, grey" in text(app), "what the form says wins"
    assert "not declared" not in text(app), "nothing is told before a model is chosen"
    file = next(element for element in app.selectbox if element.label == "File")
    file.set_value(next(path for path in file.options if path.endswith("weights.bin"))).run()
    assert "not declared" not in text(app), "the file declares all that is needed"
    (folder / "a.yaml").write_text("size: 32\nmean: [0.5]\nstd: [0.1]\nchannels: grey\nscore: probability\nof:\n")
    assert "of not declared; score probability is a single output, of female or male." in text(app.run())
    (tmp_path / "beyond.yaml").write_text("size: 32\nmean: [0.5]\nstd: [0.1]\nscore: logit\n")
    with pytest.raises(LookwhereError, match=r"beyond\.yaml': not in"):
        run_input._declared({"declare": str(tmp_path / "beyond.yaml")}, run_forms.open_roots())


@pytest.fixture
def unchecked(study: Study, here: Path) -> Iterator[dict[str, object]]:
    """Values of a form for an audit, each good."""
    yield {"model": "made", "data": str(here / "data/mine"), "name": "mine"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "/etc"), ("data", "../jobs"), ("labels", "/etc/passwd"), ("training_data", ("mine", "/")),
        ("model", "../made"), ("model", "--json"), ("name", "../x"), ("name", ".hidden"), ("name", "a/b"),
        ("name", "-x\n"),
    ],
)  # fmt: skip
def test_what_a_browser_sends_is_looked_up_and_confined(
    name: str, value: object, unchecked: dict, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_forms.opening, "MODELS", study[0])
    options = run_forms.form_options(run_forms.startable("audit"))
    assert run_forms.checked(options, unchecked)["data"] == Path(unchecked["data"]).resolve()
    with pytest.raises(run_forms.LookwhereError):
        run_forms.checked(options, unchecked | {name: value})


@pytest.mark.parametrize("word", ["/etc/passwd", "../x.yaml", "x.yml", "pyproject.toml", "a\\b"])
def test_a_text_that_may_name_a_file_is_confined_too(word: str, here: Path) -> None:
    options = run_forms.form_options(run_forms.startable("align"))
    (here / "data/kinds.yaml").write_text("x: 1\n")
    good = {"data": "mine", "columns": ("glasses", "skin=skin_tone", "kinds.yaml")}
    real = str((here / "data/kinds.yaml").resolve())
    assert run_forms.checked(options, good)["columns"] == ("glasses", "skin=skin_tone", real)
    with pytest.raises(run_forms.LookwhereError):
        run_forms.checked(options, good | {"columns": ("glasses", word)})


def test_a_store_is_named_and_lies_among_the_stores(here: Path) -> None:
    options = [run_forms._asked(option, "align") for option in run_forms.form_options(run_forms.startable("align"))]
    values = run_forms.checked(options, {"data": "mine", "out": "my-store"})
    assert values == {"data": (here / "data/mine").resolve(), "out": str((here / "aligned/my-store").resolve())}
    assert run_forms.store_name("/x/My Photos/faces.csv") == "my-photos"
    assert run_forms.store_name("/x/UTKFace.tar.gz") == "utkface"


def test_names_and_logs_of_jobs_are_shown_and_never_run(
    study: Study, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "![x](http://evil/t.png) <script>alert(1)</script> **b**"
    job = queue.submit(here / "jobs", "datasets", ["--check", hostile], f"See: {hostile}")
    queue.stop(here / "jobs", job.id)
    (here / "jobs" / job.id / "log.txt").write_text(f"error: {hostile}\n")
    app = runs_page(study, monkeypatch)
    texts = "".join(element.value for kind in ("markdown", "caption", "error") for element in app.get(kind))
    assert "![x]" not in texts.replace("\\", "") or "\\" in texts
    assert "**b**" not in texts and "<script>" not in "".join(element.proto.body for element in app.get("html"))
    assert any(hostile in element.value for element in app.code)


def test_the_page_is_drawn_anew_once_its_headline_no_longer_holds(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Rerun(Exception):
        pass

    def rerun() -> None:
        raise Rerun

    job = queue.submit(here / "jobs", "datasets", ["--check", "x"], "See: x")
    queue.submit(here / "jobs", "datasets", ["--check", "y"], "See: y")
    monkeypatch.setattr(run_list, "_card", lambda job, newest: None)
    headline = run_list.jobs_sentence()
    assert headline == "2 jobs wait."
    run_list._show(headline)
    queue.stop(here / "jobs", job.id)
    monkeypatch.setattr(run_list.st, "rerun", rerun)
    with pytest.raises(Rerun):
        run_list._show(headline)
