"""The queue: jobs are put in, stopped, begun again and removed here; a worker takes them out (`core.jobs.worker`)."""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.errors import LookwhereError
from core.files import write_json
from core.jobs.job import RESULT, Job, JobState, Listing, change_job, job_folder, list_jobs, read_job, write_job
from core.jobs.processes import Process
from core.jobs.programs import HOUSE, PROGRAMS, SECRET, resumed
from core.json_record import JsonRecord

#: The most jobs that may wait, and that are kept when they have ended: the oldest make room.
WAITING, KEPT = 20, 40
#: The most words of a job, and the longest one.
WORDS, WORD_LENGTH = 200, 4096
#: Which worker is at the queue, and what it says.
WORKER, WORKER_LOG = "worker.json", "worker.log"
#: The workers that this process started: one that has ended is waited for when the next is started.
_started: list[subprocess.Popen] = []


def submit(jobs: Path, program: str, arguments: Sequence[str], title: str, directory: Path | None = None) -> Job:
    """Put a job into the queue, to be run in `directory`, by default the folder one is in; no worker is started.

    Raises `LookwhereError` where the program is none that a job can be, its words are none that a command takes, or too
    many jobs wait.
    """
    if program not in PROGRAMS:
        raise LookwhereError(f"{program!r}: no command that can be a job; there are {', '.join(PROGRAMS)}")
    if len(arguments) > WORDS or any("\0" in word or len(word) > WORD_LENGTH for word in arguments):
        raise LookwhereError(f"{program}: too many words, or one of over {WORD_LENGTH:,} letters; say less")
    listing = list_jobs(jobs)
    if len(listing.of_state(JobState.QUEUED)) >= WAITING:
        raise LookwhereError(f"{jobs}: {WAITING} jobs wait already; remove some, or wait")
    _make_room(jobs, listing)
    now = time.time()
    id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{program}-{secrets.token_hex(3)}"
    job = Job(
        id=id,
        program=program,
        arguments=tuple(arguments),
        directory=str((directory or Path()).resolve()),
        title=title[:200],
        state=JobState.QUEUED,
        queued=now,
    )
    (jobs / id).mkdir(parents=True)
    write_job(jobs, job)
    return job


def _make_room(jobs: Path, listing: Listing) -> None:
    ended = [job for job in listing.jobs if job.state.ended]
    for job in ended[: max(0, len(ended) - KEPT + 1)]:
        shutil.rmtree(jobs / job.id, ignore_errors=True)


def stop(jobs: Path, id: str) -> Job:
    """Take a waiting job out of the queue; ask a running one to stop, which its worker sees to.

    Raises `LookwhereError` where there is no such job, or it has ended.
    """

    def asked(job: Job) -> Job:
        if job.state is JobState.QUEUED:
            return dataclasses.replace(job, state=JobState.STOPPED, ended=time.time())
        if job.state is not JobState.RUNNING:
            raise LookwhereError(f"{id}: {job.state.value} already; nothing is to be stopped")
        return dataclasses.replace(job, stopping=job.stopping or time.time())

    return change_job(jobs, id, asked)


def resume(jobs: Path, id: str) -> Job:
    """Put a job that failed, was stopped or interrupted into the queue again; its command goes on where it was.

    Raises `LookwhereError` where there is no such job, it waits or runs, or it has finished.
    """

    def again(job: Job) -> Job:
        if not job.state.ended or job.state is JobState.FINISHED:
            raise LookwhereError(f"{id}: {job.state.value}; only a job that ended before its time can go on")
        return dataclasses.replace(
            job,
            arguments=resumed(job.program, job.arguments, Path(job.directory)),
            state=JobState.QUEUED,
            queued=time.time(),
            began=None,
            ended=None,
            process=None,
            keeper=None,
            stopping=None,
            code=None,
        )

    job = change_job(jobs, id, again)
    (jobs / id / RESULT).unlink(missing_ok=True)
    return job


def remove(jobs: Path, id: str) -> None:
    """Delete a job that has ended: its record and its log; what it made stays.

    Raises `LookwhereError` where there is no such job, or it waits or runs.
    """
    job = read_job(jobs, id)
    if not job.state.ended:
        raise LookwhereError(f"{id}: {job.state.value}; stop it first")
    shutil.rmtree(job_folder(jobs, id))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Worker(JsonRecord):
    """What `worker.json` holds: the process that is at the queue."""

    process: Process


def note_worker(jobs: Path, process: Process) -> None:
    """Say which process is at the queue."""
    write_json(jobs / WORKER, Worker(process=process).to_json())


def is_worked_on(jobs: Path) -> bool:
    """Whether a worker is at the queue."""
    try:
        return Worker.from_json(jobs / WORKER).process.alive
    except LookwhereError:  # none was yet, or its file is damaged
        return False


def ensure_worker(jobs: Path) -> bool:
    """Start a worker where one has something to do and none is there; whether one was started.

    It is a process of its own session, which the caller's end does not touch. Where another one came first, it ends.
    """
    listing = list_jobs(jobs)
    orphans = [job for job in listing.of_state(JobState.RUNNING) if not job.kept]
    if not (listing.of_state(JobState.QUEUED) or orphans) or is_worked_on(jobs):
        return False
    command = [sys.executable, "-P", "-m", "core", "jobs", "--work", "--folder", str(jobs.resolve())]
    paths = [str(HOUSE), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: value for name, value in os.environ.items() if name not in SECRET}
    _started[:] = [worker for worker in _started if worker.poll() is None]
    with (jobs / WORKER_LOG).open("wb") as log:
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=inherited | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
    _started.append(worker)
    return True
