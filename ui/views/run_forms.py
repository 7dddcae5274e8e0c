"""The page «Runs»: a form for each command that can be started, made from what defines its options."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.audit.folder import list_audits
from core.classifiers.imported import SUFFIXES
from core.classifiers.info import list_models
from core.commands.startable import CONFIGS, STARTABLE, TEXTS_OR_FILES, Startable, form_options, startable, train_config
from core.errors import LookwhereError
from core.files import plain_name
from core.jobs import queue, roots, uploads
from core.jobs.job import JOBS
from core.jobs.options import Option, OptionKind, words_of
from core.jobs.programs import HOUSE
from core.present.text import escape
from core.task import GENDERS
from ui.shell import open_audit as opening
from ui.shell.open_audit import OpenAudit
from ui.views import faces
from ui.views.run_input import TABLES, show_input
from ui.widgets import controls, terms
from ui.widgets.option_fields import option_field

#: An OpenVINO model's file; its weights lie in a .bin beside it.
OPENVINO = ".xml"
#: What can be imported, and of that what comes whole in one file, as an upload does.
MODEL_FILES = tuple(SUFFIXES)
UPLOADED_MODELS = tuple(suffix for suffix in MODEL_FILES if suffix != OPENVINO)
DECLARATIONS = (".yaml", ".yml")
#: Options whose path is an aligned store, by command; elsewhere it is a data set of any kind.
OF_STORES = {
    "audit": ("data", "training_data"),
    "check": ("data",),
    "train": ("data", "train", "val"),
    "import": ("data",),
}
#: Options of `import` that nothing is taken for by default: somebody has to say them, here or in the YAML file.
DECLARED = ("score", *GENDERS, "of", "classes", "indices", "size", "mean", "std")
#: Options that read better under another name.
CALLED = {
    "check": "Data set",
    "out": "Name of the store",
    "path": "File",
    "declare": "Declaration (YAML)",
    **{name: f"Output that is {name}" for name in GENDERS},
    "of": "Class of the one output",
}
#: What of a data set can come from a visitor's computer.
UPLOADED = (".zip", ".tar", ".tar.gz", ".tgz", ".parquet")
TRIED = "Nothing is imported: the model, declared so, says who the eight portraits of «Try a photo» are."
UPLOAD = "A file from your computer, up to 50 MB; of images, a .zip. Larger ones: put them into a folder named above."


def show_forms(opened: OpenAudit) -> None:
    """The commands to choose from, and the form of the chosen one."""
    terms.subheader("Start something")
    titles = {entry.title: entry.program for entry in STARTABLE}
    title = controls.segments("What", list(titles), default=STARTABLE[0].title, key="start")
    command = startable(titles[title])
    terms.caption(command.what)
    try:
        _form(command, opened)
    except LookwhereError as error:
        st.error(escape.sentence(error), icon=":material/error:")


def open_roots() -> tuple[Path, ...]:
    """The folders that jobs of this page may read: those named for it, the stores, and what was uploaded."""
    own = [path.resolve() for path in (faces.STORES, JOBS / uploads.FOLDER) if path.is_dir()]
    return tuple(dict.fromkeys([*roots.data_roots(), *own]))


def _form(command: Startable, opened: OpenAudit) -> None:
    there = ", ".join(escape.markdown(path) for path in roots.data_roots())
    lacking = ", ".join(escape.markdown(path) for path in roots.named_roots())
    none = f"nothing yet, since there is no folder {lacking}: make it and put data sets there"
    terms.caption(
        f"Open to this page: {there or none}. More are named in `{roots.VARIABLE}`, before the app is started."
    )
    config = None
    if command.program == "train":
        config = controls.selectbox("Begin with the settings of", ["the defaults", *CONFIGS], key="config")
    options = [_asked(option, command.program) for option in form_options(command, train_config(config))]
    fields = _Fields(command, opened, f"run {command.program} {config or ''}")
    values = fields.draw([option for option in options if option.name in command.first])
    _take_upload(command)
    with st.expander("More options"):
        values |= fields.draw([option for option in options if option.name not in command.first])
    if command.program == "import":
        show_input(values, fields.roots)
    lacking = [option.label for option in options if option.required and not values.get(option.name)]
    with st.container(horizontal=True):
        start = st.button("Start", type="primary", disabled=bool(lacking), key=f"go {command.program}")
        trial = command.program == "import" and st.button(
            "Try it on eight portraits", disabled=not values.get("path"), key="try import", help=TRIED
        )
    if start or trial:
        _start(command, options, values, config, trial)
    if lacking and "Aligned store" in lacking and not roots.stores(fields.roots):
        terms.caption("There is no aligned store yet: see a data set and align it first.")
    if lacking:
        terms.caption(f"Still needed: {escape.markdown(', '.join(lacking).lower())}.")


def _asked(option: Option, program: str) -> Option:
    """An option as the page asks for it: where something is stored is given as a name, not as a path."""
    called = CALLED.get(option.name, "")
    if option.name == "data":
        called = "Aligned store" if "data" in OF_STORES.get(program, ()) else "Data set"
    option = dataclasses.replace(option, called=called)
    if program == "import" and option.name in DECLARED:
        option = dataclasses.replace(option, unset="not declared")
    if option.name != "out":
        return option
    about = "A folder among the aligned stores. The same name again goes on with what is there."
    return dataclasses.replace(option, kind=OptionKind.TEXT, required=True, help=about)


def _take_upload(command: Startable) -> None:
    """A file from the visitor's computer, kept once; it is then chosen in the form."""
    if command.program not in ("datasets", "align", "import"):
        return
    kinds = UPLOADED_MODELS if command.program == "import" else UPLOADED
    file = st.file_uploader(
        "Or upload a small one", type=sorted({kind.rpartition(".")[2] for kind in kinds}), help=UPLOAD,
        key=f"upload {command.program}",
    )  # fmt: skip
    uploads_by_id = st.session_state.setdefault("runs_uploads", {})
    if file is not None and file.file_id not in uploads_by_id:
        uploads_by_id[file.file_id] = str(uploads.keep_upload(JOBS, file.name, file.getvalue(), kinds))
        _remember("path" if command.program == "import" else "data", uploads_by_id[file.file_id])
        st.rerun()


def _remember(name: str, value: object) -> None:
    """What was chosen for one command is chosen first for the next."""
    st.session_state.setdefault("runs_last", {})[name] = value


def _remembered(name: str) -> object:
    return st.session_state.get("runs_last", {}).get("data" if name == "check" else name)


class _Fields:
    """The fields of a form, with what each may be."""

    def __init__(self, command: Startable, opened: OpenAudit, key: str) -> None:
        self.command, self.opened, self.key = command, opened, key
        self.roots = open_roots()
        self.values: dict[str, object] = {}

    def draw(self, options: Sequence[Option]) -> dict[str, object]:
        """Draw these options in two columns; returns their values by name."""
        for n, option in enumerate(options):
            if n % 2 == 0:  # a row at a time, so that one column on a telephone keeps the order
                places = st.columns(2)
            offers, first = self._offers(option.name), self._first(option)
            # A field's first value is part of its name: another one makes it begin anew.
            key = f"{self.key} {option.name}" + (f" {first}" if first is not None else "")
            self.values[option.name] = option_field(option, key, places[n % 2], offers, self._shown, first)
        return {option.name: self.values[option.name] for option in options}

    def _offers(self, name: str) -> list[str]:
        if name == "model":
            return list_models(opening.MODELS)
        if name == "audit":
            model = self.values.get("model")
            return list_audits(opening.MODELS / str(model)) if model in list_models(opening.MODELS) else []
        if name in OF_STORES.get(self.command.program, ()):
            return [str(path) for path in roots.stores(self.roots)]
        if name in ("check", "data"):
            uploads_folder = (JOBS / uploads.FOLDER).resolve()  # an upload is a file in a folder of ours
            paths = [path for path in roots.offered(self.roots) if path.parent != uploads_folder]
            stores = faces.STORES.resolve()  # holds aligned faces, and is no data set itself
            return [str(path) for path in paths if path != stores and not (path / "store.json").is_file()]
        if name == "path":
            return [str(path) for path in roots.offered(self.roots, MODEL_FILES) if _is_model(path)]
        if name == "declare":
            return [str(path) for path in roots.offered(self.roots, DECLARATIONS) if path.is_file()]
        return []

    def _first(self, option: Option) -> object:
        if option.name == "model":
            return self.opened.model
        if option.name == "audit" and self.values.get("model") == self.opened.model:
            return self.opened.audit
        if option.name == "out":
            return store_name(str(self.values.get("data") or ""))
        of_table = str(self.values.get("path") or "").lower().endswith(TABLES)
        if self.command.program == "import" and option.name == "data" and not of_table:
            return None  # a model needs no data set, and is refused with one
        remembered = _remembered(option.name)
        return remembered if remembered in self._offers(option.name) else None

    def _shown(self, path: str) -> str:
        """A path from its root on, which is named too."""
        for root in self.roots:
            if Path(path).is_relative_to(root) and Path(path) != root:
                return str(Path(root.name) / Path(path).relative_to(root))
        return path


def _is_model(path: Path) -> bool:
    """Whether a path may be a model: a file that is not the weights of one beside it, or a folder of Hugging Face's."""
    if path.is_dir():
        return (path / "config.json").is_file()
    return path.suffix.lower() != ".bin" or not path.with_suffix(OPENVINO).is_file()


def store_name(data: str) -> str:
    """A name for the store of a data set: that of its folder or file, in letters, digits and dashes."""
    path = Path(data)
    name = path.parent.name if path.suffix in (".csv", ".tsv", ".rec", ".jsonl") else path.name.partition(".")[0]
    return re.sub(r"[^\w-]+", "-", name).strip("-_")[:60].lower()


def _start(
    command: Startable, options: Sequence[Option], values: dict[str, object], config: str | None, trial: bool
) -> None:
    """Check every value, put the job into the queue and see that somebody works on it.

    With `trial` a model is not imported but asked about the portraits.
    """
    if trial:
        values = {**values, "name": "tried"}
    words = words_of(options, checked(options, values))
    fixed = [] if command.program in ("datasets", "align") else ["--models", str(opening.MODELS.resolve())]
    if trial:
        fixed.append("--try-portraits")
    if command.program == "audit":
        fixed.append("--json")
    if config in CONFIGS:
        fixed += ["--config", str(HOUSE / f"train/configs/{config}.yaml")]
    subject = (
        values["path"]
        if trial
        else values.get("name") or values.get("out") or values.get("model") or values.get("check") or ""
    )
    queue.submit(
        JOBS, command.program, [*words, *fixed], f"{'Try' if trial else command.title}: {Path(str(subject)).name}"
    )
    queue.ensure_worker(JOBS)
    for name in ("data", "model", "check"):
        if values.get(name):
            _remember("data" if name == "check" else name, values[name])
    if command.program == "align":
        _remember("data", str((faces.STORES / str(values["out"])).resolve()))
    st.rerun()


def checked(options: Sequence[Option], values: dict[str, object]) -> dict[str, object]:
    """The values with every name looked up and every path confined to the open folders.

    Raises `LookwhereError` where a name is none that there is, or fit for a folder, or a path leads out.
    """
    result = dict(values)
    for option in options:
        value = values.get(option.name)
        if not value:
            continue
        if option.kind is OptionKind.PATH:
            paths = value if option.several else (value,)
            real = tuple(roots.confined(str(path), open_roots(), option.flag or "the file") for path in paths)
            result[option.name] = real if option.several else real[0]
        elif option.name in TEXTS_OR_FILES:
            result[option.name] = tuple(map(_confined_if_file, value))
        elif option.name == "model" and value not in list_models(opening.MODELS):
            raise LookwhereError(f"--model {str(value)[:80]}: no such model")
        elif option.name == "audit" and value not in list_audits(opening.MODELS / str(values.get("model"))):
            raise LookwhereError(f"--audit {str(value)[:80]}: no such audit of this model")
        elif option.name in ("name", "out"):
            plain_name(str(value), "the name")
            if option.name == "out":
                result["out"] = str((faces.STORES / str(value)).resolve())
    return result


def _confined_if_file(word: str) -> str:
    """A word that a command may read as a file's name: then its real path. Raises `LookwhereError` as `confined`."""
    is_file = any(sign in word for sign in "/\\") or word.lower().endswith((".yaml", ".yml", ".json", ".csv"))
    return str(roots.confined(word, open_roots(), "the file")) if is_file or Path(word).exists() else word
