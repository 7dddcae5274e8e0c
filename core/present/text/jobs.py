"""Jobs in words: what each is, how far, and what can be done about it."""

from __future__ import annotations

import shlex
import time
from collections import Counter

from core.jobs.job import Job, JobState, Listing
from core.jobs.programs import PROGRAMS
from core.progress import StageProgress
from core.wording import capital, duration

#: What each state means, for who sees it.
STATES = {
    JobState.QUEUED: "waits for its turn",
    JobState.RUNNING: "runs",
    JobState.FINISHED: "finished",
    JobState.FAILED: "failed",
    JobState.STOPPED: "was stopped; it can go on",
    JobState.INTERRUPTED: "was interrupted, and nobody saw how it ended; it can go on",
}
#: What follows where the state stands beside its job, whose log is at hand there.
WHERE_WHY = {JobState.FAILED: ": its log says why"}


def state_words(job: Job) -> str:
    """«runs, since 3 min»; «was asked to stop»."""
    if job.state is JobState.RUNNING and job.stopping is not None:
        return "was asked to stop, and does when it can"
    words = STATES[job.state] + WHERE_WHY.get(job.state, "")
    if job.began is not None:
        end = job.ended if job.state.ended else time.time()
        if job.state is JobState.RUNNING:
            words += f", since {duration(max(0, end - job.began))}"
        elif job.state is JobState.FINISHED and end is not None:
            words += f" after {duration(max(0, end - job.began))}"
    return words


def progress_words(progress: StageProgress | None) -> str:
    """«aligning: 120 of 400, 3 min left»; empty where nothing was told."""
    if progress is None:
        return ""
    rest = f", {duration(progress.left)} left" if progress.left is not None and progress.done < progress.total else ""
    return f"{progress.stage}: {progress.done:,} of {progress.total:,}{rest}"


def queue_sentence(listing: Listing) -> str:
    """How many jobs run, wait and have ended."""
    states = Counter(job.state for job in listing.jobs)
    running, waiting = states[JobState.RUNNING], states[JobState.QUEUED]
    if not listing.jobs:
        return "Nothing was started yet."
    parts = [f"{running} job{'s run' if running > 1 else ' runs'}"] if running else []
    if waiting:
        noun = "" if running else " jobs" if waiting > 1 else " job"
        parts.append(f"{waiting}{noun} wait{'' if waiting > 1 else 's'}")
    if not parts:
        last = max(listing.jobs, key=lambda job: job.ended or 0)
        return f"Nothing runs now. The last job, {last.title}, {STATES[last.state]}."
    return capital(", ".join(parts)) + "."


def command_words(job: Job) -> str:
    """The command as one would type it."""
    return shlex.join(["python", *PROGRAMS[job.program].words, *job.arguments]) if job.program in PROGRAMS else "?"


def jobs_report(listing: Listing, progress: dict[str, StageProgress | None], worked_on: bool) -> str:
    """A job a paragraph, with how to stop it or to go on."""
    lines = [queue_sentence(listing)]
    for job in listing.jobs:
        lines += ["", f"{job.id}  {state_words(job)}", f"  {command_words(job)}"]
        if words := progress_words(progress.get(job.id)):
            lines.append(f"  {words}")
        if not job.state.ended:
            lines.append(f"  stop it: python -m core jobs --stop {job.id}")
        elif job.state is not JobState.FINISHED:
            lines.append(f"  go on: python -m core jobs --resume {job.id}")
    lines += [f"damaged: {line}" for line in listing.broken]
    if listing.of_state(JobState.QUEUED) and not worked_on:
        lines += ["", "nobody works on the queue: python -m core jobs --work"]
    return "\n".join(lines)
