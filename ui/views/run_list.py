"""The page «Runs»: the jobs there are, how far each is, and what can be done with it; drawn anew while one runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.errors import LookwhereError
from core.jobs import queue
from core.jobs.job import JOBS, LOG, PROGRESS, RESULT, Job, JobState, list_jobs
from core.jobs.logs import tail
from core.jobs.programs import flag_values
from core.json_record import parsed
from core.present.text import escape
from core.present.text.jobs import command_words, progress_words, queue_sentence, state_words
from core.progress import read_progress
from ui.views.runs import may_start
from ui.widgets import terms

REFRESH_SECONDS = 2
#: Ended jobs that are shown at once.
SHOWN = 8
ICONS = {
    JobState.QUEUED: ":material/schedule:",
    JobState.RUNNING: ":material/play_arrow:",
    JobState.FINISHED: ":material/check_circle:",
    JobState.FAILED: ":material/error:",
    JobState.STOPPED: ":material/stop_circle:",
    JobState.INTERRUPTED: ":material/warning:",
}
EMPTY = (
    "Begin below with a data set: **see** what would be read of it, **align** it, **audit** a "
    "model on it. A model that is not here yet is **imported** first, or **trained**. Each is a job of its own, which "
    "goes on when this page or the browser is closed, and after the app was started again."
)


def jobs_sentence() -> str:
    """The page's headline; of a visitor who may start nothing, nothing is told of others' work."""
    return queue_sentence(list_jobs(JOBS)) if may_start() else "Start work from the page, and leave it to itself."


def show_jobs(headline: str) -> None:
    """The jobs, the newest first; while one waits or runs this part alone is drawn again every few seconds.

    Where the page's `headline` no longer holds, the whole page is.
    """
    listing = list_jobs(JOBS)
    queue.ensure_worker(JOBS)
    busy = any(not job.state.ended for job in listing.jobs)
    st.fragment(_show, run_every=REFRESH_SECONDS if busy else None)(headline)


def _show(headline: str) -> None:
    if not may_start():  # switched off, or the password changed, since the page was drawn
        return
    listing = list_jobs(JOBS)
    if queue_sentence(listing) != headline:
        st.rerun()  # a job has begun or ended: the headline and perhaps what the forms offer have changed
    for line in listing.broken:
        st.warning(escape.markdown(line))
    if not listing.jobs:
        st.info(EMPTY)
        return
    waiting = [job for job in listing.jobs if not job.state.ended]
    ended = sorted((job for job in listing.jobs if job.state.ended), key=lambda job: job.ended or 0, reverse=True)
    for job in [*waiting, *ended[:SHOWN]]:
        _card(job, newest=job.id == (waiting or ended)[0].id)
    if len(ended) > SHOWN:
        with st.expander(f"{len(ended) - SHOWN} earlier jobs"):
            for job in ended[SHOWN:]:
                terms.caption(f"{escape.markdown(job.title)}: {state_words(job)}")


def _card(job: Job, newest: bool) -> None:
    folder = JOBS / job.id
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="top")
        left.markdown(f"{ICONS[job.state]} **{escape.markdown(job.title)}** {state_words(job)}")
        with right.container(horizontal=True, horizontal_alignment="right"):
            _buttons(job)
        if job.state is JobState.RUNNING:
            progress = read_progress(folder / PROGRESS)
            share = progress.done / progress.total if progress is not None and progress.total > 0 else 0.0
            st.progress(min(1.0, max(0.0, share)), text=escape.markdown(progress_words(progress) or "begins"))
        if job.state is JobState.FINISHED:
            _result(job, folder, newest)
        log = tail(folder / LOG)
        if job.state is JobState.FAILED and log:
            st.error(escape.markdown(log.splitlines()[-1]))
        with st.expander("Log and command"):
            st.code(command_words(job), language="bash", wrap_lines=True)
            if log:
                st.code(log, language=None, wrap_lines=True, height=min(400, 60 + 24 * log.count("\n")))


def _buttons(job: Job) -> None:
    """What can be done with a job in its state."""
    if not job.state.ended:
        if st.button("Stop", key=f"stop {job.id}", icon=":material/stop:", disabled=job.stopping is not None):
            _do(queue.stop, job.id)
        return
    if job.state is not JobState.FINISHED and st.button("Go on", key=f"resume {job.id}", icon=":material/resume:"):
        _do(queue.resume, job.id)
    if st.button("", key=f"remove {job.id}", icon=":material/delete:", help="Forget it; what it made stays"):
        _do(queue.remove, job.id)


def _do(action: Callable[[Path, str], object], id: str) -> None:
    try:
        action(JOBS, id)
        queue.ensure_worker(JOBS)
    except LookwhereError as error:  # somebody else was quicker
        st.error(escape.sentence(error))
        return
    st.rerun()


def _result(job: Job, folder: Path, newest: bool) -> None:
    """What came of a finished job: what it printed, and where to look."""
    text, values = tail(folder / RESULT), flag_values(job.arguments)
    if job.program == "audit":
        try:
            record = parsed(text)
            _link("Open the audit", "overview", model=record["model"], audit=record["audit"])
            terms.markdown(escape.markdown(record["scopes"][0]["sentence"]))
        except (ValueError, KeyError, IndexError, TypeError):  # of another version
            st.code(text, language=None, wrap_lines=True)
        return
    if job.program == "check":
        _link("Open the checks", "checks", model=values.get("--model", ""), audit=values.get("--audit", ""))
    elif job.program == "train":
        _link("Open its curves", "training", model=values.get("--name", ""))
    elif job.program == "import" and "--try-portraits" not in job.arguments:
        _link("Open the model", "about", model=values.get("--name", ""))
    if text:
        with st.expander("What it said", expanded=newest and job.program in ("datasets", "import")):
            st.code(text, language=None, wrap_lines=True, height=min(420, 60 + 24 * text.count("\n")))


def _link(label: str, page: str, **query: str) -> None:
    """A link that opens a page anew, so that the address says what is open."""
    target = escape.in_html(f"{page}?{urlencode(query)}")
    st.html(f"<a href='{target}' target='_self' style='color: inherit'><strong>{escape.in_html(label)}</strong></a>")
