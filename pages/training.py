"""A run as it goes on, or as it went: state, curves, the epoch kept, the config."""

import pandas as pd
import streamlit as st
import yaml

from core.figures import charts
from core.training.record import Status, read_metrics, read_status
from ui import parts, takeaway, words
from ui.navigation import opened

model = opened()
folder = model.folder / "training"
REFRESH_SECONDS = 5
takeaway.of("those of training and validation")


@st.fragment(run_every=REFRESH_SECONDS if (status := read_status(folder)) and status.alive else None)
def live() -> None:
    """State and curves; while a run is alive this part alone draws itself anew."""
    status, metrics = read_status(folder), read_metrics(folder)
    if status is None and metrics.empty:
        st.info(
            f"**{model.model}** has no training record here: it was trained elsewhere, or not at all. To train one:"
        )
        st.code("python -m train --data data/aligned/utkface --name my-model --config train/configs/utkface.yaml")
        return
    info = model.info()
    best = info.get("epoch") if info else None
    parts.lede(words.training_sentence(status, metrics, best))
    if status is not None:
        show_status(status, metrics)
    if metrics.empty:
        st.info("The first epoch has not ended yet: its row of numbers comes with its validation.")
    else:
        show_curves(metrics, best)


def show_status(status: Status, metrics: pd.DataFrame) -> None:
    """Where the run is, in four figures and a bar."""
    numbers = parts.four()
    parts.number(numbers[0], "State", words.state(status), words.ago(status.updated))
    parts.number(numbers[1], "Epoch", f"{status.epoch} of {status.epochs}", f"step {status.step} of {status.steps}")
    parts.number(numbers[2], "Time left", words.duration(status.eta if status.alive else None), "at this speed")
    speed, when = status.images_per_second, "at the last heartbeat"
    if not status.alive and len(metrics):
        speed, when = metrics["images_per_second"].iloc[-1], f"in epoch {metrics['epoch'].iloc[-1]}"
    parts.number(numbers[3], "Images a second", f"{speed:.0f}", when)
    if status.state != "finished":
        st.progress(min(1.0, (status.epoch + status.step / max(1, status.steps)) / status.epochs))
    if status.message and status.state != "finished":
        st.caption(status.message)


def show_curves(metrics: pd.DataFrame, best: int | None) -> None:
    """Loss, accuracy, accuracy by group, learning rate."""
    left, right = st.columns(2)
    with left:
        st.subheader("Accuracy")
        names = {"train_accuracy": "training (augmented)", "val_accuracy": "validation"}
        names["worst_group_accuracy"] = "worst group, validation"
        takeaway.chart(
            charts.training_curve(metrics, names, True, best), "accuracy", "accuracy over epochs", key="accuracy"
        )
    with right:
        st.subheader("Loss")
        names = {"train_loss": "training (augmented, smoothed labels)", "val_loss": "validation"}
        takeaway.chart(charts.training_curve(metrics, names, False, best), "loss", "loss over epochs", key="loss")
    left, right = st.columns(2)
    with left:
        st.subheader("Validation accuracy by group")
        curve = charts.training_curve(metrics, words.group_columns(metrics), True, best)
        takeaway.chart(curve, "groups", "validation accuracy by group over epochs", key="groups")
    with right:
        st.subheader("Learning rate")
        curve = charts.training_curve(metrics, {"learning_rate": "rate"}, False, best, log=True)
        takeaway.chart(curve, "rate", "learning rate over epochs", key="rate")
    st.caption(
        "The dotted line is the epoch that was kept. Shades mark picture sizes. Validation is of averaged weights."
    )
    with st.expander("Every epoch as a table"):
        st.dataframe(metrics, hide_index=True)
    takeaway.table(metrics, "metrics", "metrics of every epoch")


st.title("Training status")
live()
details = model.info()
if details and details.get("training"):
    with st.expander("The configuration"):
        st.code(yaml.safe_dump(details["training"], sort_keys=False, allow_unicode=True), language="yaml")
