"""Which model and audit are open: chosen in the sidebar, kept in the URL, loaded once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.audit.folder import Audit, list_audits, open_audit, read_manifest
from core.audit.manifest import AuditManifest
from core.audit.notes import note_sentence, note_words
from core.classifiers.info import ModelInfo, list_models, model_info
from ui.shell.cache import kept
from ui.widgets.layout import escape_markdown

#: Another folder of models can be named, for tests and for a user who keeps them elsewhere.
MODELS = Path(os.environ.get("LOOKWHERE_MODELS", Path(__file__).parent.parent.parent / "models"))
NOT_ADDITIVE = (
    "This audit's maps were made by **{method}**: {unit}. So the margin cannot be divided among regions without "
    "something left over."
)
FIRST_STEPS = """
There is no model here yet. Three commands make one from a data set of faces:

```
python -m core align --data UTKFace.tar.gz
python -m train --data data/aligned/utkface --name my-model --config train/configs/utkface.yaml
python -m core audit --model my-model --data data/aligned/utkface
```
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
            st.stop()

    def info(self) -> ModelInfo | None:
        """What `model.json` says; None while a first training has not kept an epoch yet."""
        return model_info(self.folder) if (self.folder / "model.json").is_file() else None

    def load(self) -> Audit:
        """The audit. Stops the page with the command to run where there is none."""
        folder = self.folder
        if self.audit is None:
            st.info(f"**{self.model}** has not been audited yet. This makes what the page shows:")
            st.code(f"python -m core audit --model {self.model} --data data/aligned/utkface", language="bash")
            st.stop()
        return audit_of(folder / "audits" / self.audit / "audit.json")


@kept(entries=12, spinner="Opening the audit …", shared=True)
def audit_of(manifest: Path) -> Audit:
    """The audit whose `audit.json` this is, opened once for all visitors."""
    return open_audit(manifest.parent)


def need_maps(audit: Audit) -> None:
    """Stop the page and say why where the audit has no maps."""
    if not audit.has_maps:
        st.info(
            "Only this model's **predictions** were imported, so nobody can say where it looks: accuracy and gaps are "
            "all there is. Import the model itself (`python -m core import --help`) to see maps.",
            icon=":material/visibility_off:",
        )
        st.stop()


def _notes(manifest: AuditManifest) -> None:
    """What a reader of any page must know of this audit."""
    for warning in manifest.warnings:
        st.warning(note_sentence(warning))
    if lost := manifest.not_predicted:
        have = "has" if lost == 1 else "have"
        st.caption(f"**{lost:,}** of the faces {have} no prediction and {'is' if lost == 1 else 'are'} left out.")
    if why := manifest.averages:
        st.caption(f"**No average faces are kept**: {note_words(why)}.")
    if manifest.map_shape is None:
        st.caption("**No maps**: only this model's predictions were imported.")
    elif (maps := manifest.maps) and not maps.additive:
        st.caption(f"**Maps by {maps.method}**: unlike those of the closed form, they do not add up to the logits.")
    if renamed := manifest.names:
        st.caption(
            "**Ethnicities are renamed** for this audit: "
            + "; ".join(f"{escape_markdown(a)} → {escape_markdown(b)}" for a, b in renamed.items())
        )


def sidebar() -> OpenAudit:
    """Draw the two pickers; the first model that has an audit is open at first."""
    names = list_models(MODELS)
    with st.sidebar:
        if not names:
            st.caption("No model in " + str(MODELS))
            return OpenAudit(None, None)
        audited = [n for n, name in enumerate(names) if list_audits(MODELS / name)]
        model = st.selectbox("Model", names, index=audited[0] if audited else 0, key="model", bind="query-params")
        audits = list_audits(MODELS / model)
        audit = st.selectbox("Audit", audits, key="audit", bind="query-params") if audits else None
        if not audits:
            st.caption("No audit yet.")
        if audit:
            _notes(read_manifest(MODELS / model / "audits" / audit))
        st.caption(
            "Gender and ethnicity are **perceived** ones, as the data set's annotators gave them: "
            "not what the people pictured would say."
        )
    return OpenAudit(model, audit)
