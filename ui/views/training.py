"""The page «Training status»: state and curves of a run, drawn anew while it is alive; its configuration."""

from __future__ import annotations

import pandas as pd
import streamlit as st
import yaml

from core.present.figures import charts
from core.present.text import escape
from core.present.text.task import target_flag
from core.present.text.training import epoch_table, metrics_groups
from core.task import GENDER
from core.training.record import Status, read_metrics, read_status
from ui.shell import downloads
from ui.shell.open_audit import STORE, OpenAudit
from ui.widgets import help_texts, layout, terms

REFRESH_SECONDS = 5
#: Columns of `metrics.csv` that are drawn.
NEEDED = (
    "size", "dilated", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    "worst_group_accuracy", "worst_group", "images_per_second",
)  # fmt: skip


def show_run(opened: OpenAudit) -> None:
    """State and curves; while a run is alive this part alone is drawn again every few seconds."""
    status = read_status(opened.folder / "training")
    st.fragment(_show_run, run_every=REFRESH_SECONDS if status and status.alive else None)(opened)


def _show_run(opened: OpenAudit) -> None:
    folder = opened.folder / "training"
    status, metrics = read_status(folder), read_metrics(folder, NEEDED)
    if status is None and metrics.empty:
        st.info(
            f"**{escape.markdown(opened.model)}** has no training record here: it was trained elsewhere, or not at "
            "all. To train one:"
        )
        task = opened.info().task if opened.info() else GENDER
        st.code(f"python -m train --data {STORE} --name my-model{target_flag(task)}", language="bash", wrap_lines=True)
        return
    info = opened.info()
    best = info.epoch if info else None
    layout.headline(
        help_texts.training_sentence(status, metrics, best)
    )  # within the part, so that it too is drawn again
    if status is not None:
        _show_status(status, metrics)
    if metrics.empty:
        st.info("The first epoch has not ended yet: its row of numbers comes with its validation.")
    else:
        _show_curves(metrics, best)


def show_configuration(opened: OpenAudit) -> None:
    """The configuration that the model was trained with, where it is known."""
    info = opened.info()
    if info and info.training:
        with st.expander("The configuration"):
            st.code(
                yaml.safe_dump(info.training.to_json(), sort_keys=False, allow_unicode=True),
                language="yaml",
                wrap_lines=True,
            )


def _show_status(status: Status, metrics: pd.DataFrame) -> None:
    """Where the run is, in four figures and a bar."""
    numbers = layout.metric_row()
    layout.metric(numbers[0], "State", help_texts.state(status), help_texts.ago(status.updated))
    finished = status.state == "finished"
    step = f"{status.steps} steps each" if finished else f"step {status.step} of {status.steps}"
    layout.metric(numbers[1], "Epoch", f"{status.epoch} of {status.epochs}", step)
    pace = "at this speed" if status.alive else "it is finished" if finished else "it is not running"
    layout.metric(numbers[2], "Time left", help_texts.duration(status.eta if status.alive else None), pace)
    speed, when = status.images_per_second, "at the last heartbeat"
    if not status.alive and len(metrics):
        speed, when = metrics["images_per_second"].iloc[-1], f"in epoch {metrics['epoch'].iloc[-1]}"
    layout.metric(numbers[3], "Images a second", f"{speed:.0f}", when)
    if not finished:
        st.progress(min(1.0, (status.epoch + status.step / max(1, status.steps)) / max(1, status.epochs)))
    if status.message and not finished:
        terms.caption(escape.markdown(status.message))


def _show_curves(metrics: pd.DataFrame, best: int | None) -> None:
    """Loss, accuracy, accuracy by group, learning rate."""
    left, right = st.columns(2)
    with left:
        terms.subheader("Accuracy")
        names = {"train_accuracy": "training (augmented)", "val_accuracy": "validation"}
        names["worst_group_accuracy"] = "worst group, validation"
        downloads.chart(
            charts.training_curve(metrics, names, True, best), "accuracy", "accuracy over epochs", key="accuracy"
        )
    with right:
        terms.subheader("Loss")
        names = {"train_loss": "training (augmented, smoothed labels)", "val_loss": "validation"}
        downloads.chart(charts.training_curve(metrics, names, False, best), "loss", "loss over epochs", key="loss")
    left, right = st.columns(2)
    with left:
        terms.subheader("Validation accuracy by group")
        curve = charts.training_curve(metrics, metrics_groups(metrics), True, best)
        downloads.chart(curve, "groups", "validation accuracy by group over epochs", key="groups")
    with right:
        terms.subheader("Learning rate")
        curve = charts.training_curve(metrics, {"learning_rate": "rate"}, False, best, log=True)
        downloads.chart(curve, "rate", "learning rate over epochs", key="rate")
    terms.caption(
        "The dotted line is the epoch that was kept. Shades mark image sizes; «dilated»: from there on the maps have "
        "finer cells. Validation is of averaged weights."
    )
    with st.expander("Every epoch as a table"):
        layout.share_table(*epoch_table(metrics))
    downloads.table(metrics, "metrics", "metrics of every epoch")
