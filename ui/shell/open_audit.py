"""Which model and audit are open: chosen in the sidebar, kept in the URL, loaded once."""

from __future__ import annotations

import math
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.audit.folder import FILES, Audit, list_audits, open_audit, read_manifest
from core.audit.manifest import AuditManifest
from core.audit.mapped import FOLDER
from core.audit.notes import note_words
from core.audit.recorded_labels import LABELS, recorded_labels
from core.classifiers.info import ModelInfo, ModelKind, list_models, model_info
from core.present.text import escape
from core.present.text.labels import perceived_words
from core.present.text.reviews import review_words
from core.present.text.task import task_words, unused_predictions
from ui.shell.cache import kept
from ui.shell.navigation import entry_of
from ui.widgets import controls, help_texts

#: The study that comes with the project: its model and its audit.
SHIPPED = ("resnet50-utkface", "utkface-test")
#: Seconds after which the models folder is looked at again.
LOOK_AGAIN = 10.0
#: Another folder of models can be named, for tests and for a user who keeps them elsewhere.
MODELS = Path(os.environ.get("LOOKWHERE_MODELS", Path(__file__).parent.parent.parent / "models"))
#: What stands for an aligned store in a command, where none is known.
STORE = "data/aligned/DATASET"
NOT_ADDITIVE = (
    "This audit's maps were made by **{method}**: {unit}. So the margin cannot be divided among regions without "
    "something left over."
)
FIRST_STEPS = f"""
{help_texts.WHAT_THIS_IS}

There is no model here yet. Three commands make one from a folder or an archive of faces; `python -m core datasets`
lists what can be read:

```
python -m core align --data PATH --out data/aligned/faces
python -m train --data data/aligned/faces --name my-model
python -m core audit --model my-model --data data/aligned/faces
```

A model of somebody else's, or its predictions alone, is taken in by `python -m core import`. Without a shell, all of it
is started from the page *Runs*; *About* says how to read what comes of it. This page shows what is made as soon as it
is there.
"""


@dataclass(frozen=True)
class OpenAudit:
    """The model and audit that the sidebar has open; None where there is none."""

    model: str | None
    audit: str | None

    @property
    def folder(self) -> Path:
        """The model's folder. Stops the page where there is no model, see `need_model`."""
        self.need_model()
        return MODELS / self.model

    def need_model(self) -> None:
        """Stop the page with the first steps where there is no model."""
        if self.model is None:
            st.markdown(FIRST_STEPS)
            for page in ("runs", "about"):
                entry = entry_of(page)
                st.page_link(entry.path, label=entry.title, icon=f":material/{entry.icon}:")
            st.stop()

    def info(self) -> ModelInfo | None:
        """What `model.json` says; None while a first training has not kept an epoch yet."""
        return model_info(self.folder) if (self.folder / "model.json").is_file() else None

    def load(self) -> Audit:
        """The audit. Stops the page with the command to run where there is none."""
        folder = self.folder
        if self.audit is None:
            st.info(f"**{escape.markdown(self.model)}** has not been audited yet. This makes what the page shows:")
            st.code(
                f"python -m core audit --model {shlex.quote(self.model)} --data {STORE}",
                language="bash",
                wrap_lines=True,
            )
            st.caption(f"{STORE} stands for a store of aligned faces, as `python -m core align` makes it.")
            st.stop()
        return audit_of(folder / "audits" / self.audit / "audit.json")


def audit_of(manifest: Path) -> Audit:
    """The audit whose `audit.json` this is, opened once for all visitors, and again where one of its files changed.

    Of a large audit the mapped files count too: where one was cut or removed, opening makes them again. To read on in
    what was cut would end the server (SIGBUS).
    """
    return _opened([*(manifest.parent / name for name in FILES), *sorted((manifest.parent / FOLDER).glob("*"))])


@kept(entries=12, spinner="Opening the audit …", shared=True)
def _opened(files: list[Path]) -> Audit:
    return open_audit(files[0].parent)


@kept(entries=64)
def _recorded_labels(manifest: Path) -> tuple[str, ...]:
    """`recorded_labels` of the audit whose `audit.json` this is."""
    return recorded_labels(manifest.parent)


def need_maps(audit: Audit) -> None:
    """Stop the page and say why where the audit has no maps."""
    if not audit.has_maps:
        st.info(
            "Only this model's **predictions** were imported, so nobody can say where it looks: accuracy and gaps are "
            "all there is. Import the model itself (`python -m core import --help`) to see maps."
            if audit.manifest.kind is ModelKind.PREDICTIONS
            else "This audit was made **without maps**: accuracy and gaps are all there is. Audit the model again, "
            "under another name and without `--maps none`, to see where it looks.",
            icon=":material/visibility_off:",
        )
        st.stop()


def _notes(manifest: AuditManifest) -> None:
    """What a reader of any page must know of this audit."""
    if (words := task_words(manifest)) is not None:
        st.caption(escape.markdown(words))
    if (reviewed := review_words(manifest)) is not None:
        st.caption(escape.markdown(reviewed))
    if lost := manifest.not_predicted:
        have = "has" if lost == 1 else "have"
        st.caption(f"**{lost:,}** of the faces {have} no prediction and {'is' if lost == 1 else 'are'} left out.")
    if (unused := unused_predictions(manifest)) is not None:
        st.caption(f"{unused}.")
    if why := manifest.averages:
        st.caption(f"**No average faces are kept**: {escape.markdown(note_words(why))}.")
    if manifest.map_shape is None:
        of_table = manifest.kind is ModelKind.PREDICTIONS
        why = "only this model's predictions were imported" if of_table else "none were asked for when it was audited"
        st.caption(f"**No maps**: {why}.")
    elif (maps := manifest.maps) and not maps.additive:
        method = escape.markdown(maps.method)
        st.caption(f"**Maps by {method}**: unlike those of the closed form, they do not add up to the logits.")
    if renamed := manifest.names:
        st.caption(
            "**Ethnicities are renamed** for this audit: "
            + "; ".join(f"{escape.markdown(a)} → {escape.markdown(b)}" for a, b in renamed.items())
        )


def default_model(names: list[str]) -> str:
    """The model that is open where the address names none: the shipped study's, else the one audited first.

    So what is added later changes no link that was made before.
    """
    ages = {name: _made(MODELS / name) for name in names}
    return SHIPPED[0] if ages.get(SHIPPED[0], math.inf) < math.inf else min(names, key=lambda name: (ages[name], name))


def default_audit(model: Path) -> str | None:
    """The audit of a model that is open where the address names none: the shipped study's, else the first one made."""
    audits = list_audits(model)
    if model.name == SHIPPED[0] and SHIPPED[1] in audits:
        return SHIPPED[1]
    return min(audits, key=lambda name: (_written(model, name), name), default=None)


def _written(model: Path, audit: str) -> float:
    try:
        return (model / "audits" / audit / "audit.json").stat().st_mtime
    except OSError:  # deleted since it was listed
        return math.inf


def _made(model: Path) -> float:
    """When a model's first audit was made; infinite without one."""
    return min((_written(model, audit) for audit in list_audits(model)), default=math.inf)


def _listing() -> list[tuple[str, list[str]]]:
    """The models and their audits that there are."""
    return [(name, list_audits(MODELS / name)) for name in list_models(MODELS)]


@st.fragment(run_every=LOOK_AGAIN)
def _look_again(listing: list[tuple[str, list[str]]]) -> None:
    """Draw the page anew where a model or an audit was added or is gone."""
    if _listing() != listing:
        st.rerun()


def sidebar() -> OpenAudit:
    """Draw the two pickers; `default_model` and its `default_audit` are open where the address names none."""
    listing = _listing()
    names = [name for name, _ in listing]
    with st.sidebar:
        _look_again(listing)
        if not names:
            st.caption(escape.markdown(f"No model in {MODELS}"))
            return OpenAudit(None, None)
        state, first_model = st.session_state, default_model(names)
        if not controls.asked("model") and (first := default_audit(MODELS / first_model)):
            controls.publish({"model": first_model, "audit": first})
        model = controls.always("Model", names, first_model, key="model")
        audits, audit = list_audits(MODELS / model), None
        if audits:
            first, quiet = default_audit(MODELS / model), state.get("audit_of") not in (None, model)
            audit = controls.always("Audit", audits, first, key="audit", quiet=quiet)
        else:
            if asked_names := controls.asked("audit"):
                controls.note("audit", asked_names[-1:], "audit", (), "and this model has none yet")
            st.caption("No audit yet.")
        state.audit_of = model
        if audit:
            folder = MODELS / model / "audits" / audit
            manifest = read_manifest(folder)
            _notes(manifest)
            st.caption(perceived_words(_recorded_labels(folder / "audit.json"), manifest.columns, mark="**"))
        else:
            st.caption(perceived_words(LABELS, mark="**"))
    return OpenAudit(model, audit)
