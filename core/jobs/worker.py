"""The worker: takes jobs out of the queue one at a time, runs each as a process of its own, and sees to its end.

It may be killed at any moment: its jobs run on, the next worker takes them over, and one whose end nobody saw is told
as interrupted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import LookwhereError, machine_error
from core.jobs.job import LOG, PROGRESS, RESULT, Job, JobState, change_job, list_jobs
from core.jobs.logs import trim
from core.jobs.processes import Process, here
from core.jobs.programs import PROGRAMS, command_line, environment
from core.jobs.queue import note_worker
from core.locks import TakenError, alone

#: Seconds from one look to the next.
LOOK_EVERY = 0.4
#: What a job that is to stop is told, and after how many seconds: a training writes its checkpoint first.
PATIENCE: tuple[tuple[float, signal.Signals], ...] = (
    (0, signal.SIGINT),
    (45, signal.SIGTERM),
    (60, signal.SIGKILL),
)
#: The exit code of a command that a person interrupted.
INTERRUPTED = 130
#: How many jobs run at once, those that are quick aside.
AT_ONCE = "LOOKWHERE_JOBS_AT_ONCE"


def at_once() -> int:
    """`$LOOKWHERE_JOBS_AT_ONCE`, by default one. Raises `LookwhereError` where that is no number from 1 to 16."""
    text = os.environ.get(AT_ONCE, "1")
    if not text.isdecimal() or not 1 <= int(text) <= 16:
        raise LookwhereError(f"{AT_ONCE}={text[:40]!r}: give a whole number from 1 to 16")
    return int(text)


def work(jobs: Path) -> bool:
    """Work on the queue until it is empty; False where another worker is at it.

    A job that is put in while a worker is about to end is seen: it looks once more after it has let go of the queue.
    """
    # A shell's background jobs ignore Ctrl-C and hand that on; ours have to hear it to stop cleanly.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    jobs.mkdir(parents=True, exist_ok=True)
    worked = False
    while True:
        try:
            with alone(jobs / "queue", "working on"):
                worked = True
                note_worker(jobs, here())
                _Worker(jobs, at_once()).work()
        except TakenError:
            return worked
        if not list_jobs(jobs).of_state(JobState.QUEUED):
            return True


@dataclass
class _Worker:
    """What a worker knows while it works: its own children, and which running jobs were told what."""

    jobs: Path
    at_once: int
    children: dict[str, subprocess.Popen] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)

    def work(self) -> None:
        while True:
            for job in list_jobs(self.jobs).jobs:
                self._see_to(job)
            jobs = [job for job in list_jobs(self.jobs).jobs if job.program in PROGRAMS]
            running = [job for job in jobs if job.state is JobState.RUNNING]
            waiting = [job for job in jobs if job.state is JobState.QUEUED]
            if not running and not waiting:
                return
            for quick, most in ((False, self.at_once), (True, 1)):
                busy = sum(PROGRAMS[job.program].quick is quick for job in running)
                for job in [job for job in waiting if PROGRAMS[job.program].quick is quick][: max(0, most - busy)]:
                    self._start(job)
            time.sleep(LOOK_EVERY)

    def _start(self, job: Job) -> None:
        folder = self.jobs / job.id
        begun = self._change(
            job.id,
            lambda now: (
                dataclasses.replace(
                    now, state=JobState.RUNNING, began=time.time(), keeper=here(), starts=now.starts + 1
                )
                if now.state is JobState.QUEUED
                else now
            ),
        )
        if begun is None or begun.state is not JobState.RUNNING:  # stopped or removed just now
            return
        for file in (PROGRESS, RESULT):
            (folder / file).unlink(missing_ok=True)
        try:
            with (folder / LOG).open("ab", buffering=0) as log, (folder / RESULT).open("ab") as result:
                if job.starts:
                    log.write(b"\n-- begun again --\n")
                child = subprocess.Popen(
                    command_line(job.program, job.arguments),
                    cwd=job.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=result,
                    stderr=log,
                    env=environment((folder / PROGRESS).resolve()),
                    start_new_session=True,
                )
        except OSError as error:
            with contextlib.suppress(OSError), (folder / LOG).open("ab") as log:
                log.write(f"error: {job.directory}: cannot be run here ({error.strerror or error})\n".encode())
            self._end(job.id, JobState.FAILED, None)
            return
        self.children[job.id] = child
        self._change(job.id, lambda now: dataclasses.replace(now, process=Process.from_pid(child.pid)))

    def _see_to(self, job: Job) -> None:
        """What is to be done for one job that runs, or should."""
        child = self.children.get(job.id)
        if job.program not in PROGRAMS:  # of another version, or by other hands
            if not job.state.ended:
                self._end(job.id, JobState.FAILED, None)
        elif child is not None:
            if (code := child.poll()) is not None:
                self._end(job.id, _state(code, job.stopping is not None), code)
                return
        elif job.state in (JobState.INTERRUPTED, JobState.STOPPED) and job.ended is None:
            self._end(job.id, job.state, None)  # nobody saw how it ended
            return
        elif job.state is JobState.RUNNING and not job.kept:
            self._change(job.id, lambda now: dataclasses.replace(now, keeper=here()))
        elif job.state is JobState.RUNNING and (job.process is None or not job.process.alive):
            self._end(job.id, JobState.INTERRUPTED if job.stopping is None else JobState.STOPPED, None)
            return
        if job.state is JobState.RUNNING:
            trim(self.jobs / job.id / LOG)
            trim(self.jobs / job.id / RESULT)
            if job.stopping is not None:
                self._tell(job)

    def _tell(self, job: Job) -> None:
        """Signal a job that is to stop, ever more firmly."""
        waited = time.monotonic() - self.asked_at.setdefault(job.id, time.monotonic())
        due = [kind for after, kind in PATIENCE if waited >= after]
        for kind in due[self.told.get(job.id, 0) :]:
            if job.process is not None:
                job.process.signal_group(kind)
        self.told[job.id] = len(due)

    def _end(self, id: str, state: JobState, code: int | None) -> None:
        """Write how a job ended; at the next look again where that cannot be written now, as on a full disk: a child
        that was forgotten before would be told as interrupted."""
        changed = self._change(id, lambda now: dataclasses.replace(now, state=state, code=code, ended=time.time()))
        if changed is not None:
            for record in (self.children, self.asked_at, self.told):
                record.pop(id, None)

    def _change(self, id: str, change: Callable[[Job], Job]) -> Job | None:
        """The changed job; None where it was removed, its file was damaged, or nothing can be written just now."""
        try:
            return change_job(self.jobs, id, change)
        except LookwhereError:
            return None
        except OSError as error:
            if machine_error(error) is None:
                raise
            return None


def _state(code: int, stop_asked: bool) -> JobState:
    """What an exit code says of a job that was, or was not, asked to stop."""
    if code == 0:
        return JobState.FINISHED
    if stop_asked:
        return JobState.STOPPED
    return JobState.INTERRUPTED if code < 0 or code == INTERRUPTED else JobState.FAILED
