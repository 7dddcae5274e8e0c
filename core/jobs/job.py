"""A job: a folder with what is to be run (`job.json`), how far it is, what it said, and what came of it."""

from __future__ import annotations

import dataclasses
import os
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from core.errors import LookwhereError
from core.files import write_json
from core.jobs.processes import Process
from core.json_record import JsonRecord, Signed
from core.locks import alone

#: Where jobs lie: `$LOOKWHERE_JOBS`, else `jobs/` of the folder one is in.
JOBS = Path(os.environ.get("LOOKWHERE_JOBS", "jobs"))
#: Files of a job's folder: what it is, how far, what was said on the way, and what was printed as the result.
MANIFEST, PROGRESS, LOG, RESULT = "job.json", "progress.json", "log.txt", "result.txt"
ID = re.compile(r"\d{8}-\d{6}-[a-z]+-[0-9a-f]{6}")


class JobState(StrEnum):
    """Where a job is. `INTERRUPTED` is one whose process is gone, and nobody saw how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Job(JsonRecord):
    """What `job.json` holds.

    `program` is a name of `core.jobs.programs.PROGRAMS`, `arguments` are its words one by one, never a shell's line,
    `directory` is the folder it is run in. Times are Unix seconds. `process` is the command's, which leads a group of
    its own; `keeper` is the worker that started it or took it over. `stopping` is when somebody asked it to stop.
    `code` is the process's exit code, negative where a signal ended it.
    """

    FORMAT: ClassVar = 1
    SEALED_FROM: ClassVar = 1
    MEND: ClassVar = "delete its folder and start the job again"
    ALWAYS: ClassVar = ("format",)

    format: int = 1
    id: str
    program: str
    arguments: tuple[str, ...]
    directory: str
    title: str
    state: JobState
    queued: float
    began: float | None = None
    ended: float | None = None
    process: Process | None = None
    keeper: Process | None = None
    stopping: float | None = None
    code: Signed | None = None
    starts: int = 0

    @property
    def kept(self) -> bool:
        """Whether a worker looks after it."""
        return self.keeper is not None and self.keeper.alive

    @property
    def now(self) -> Job:
        """The job as it is: one that should run while neither its process nor its keeper does was interrupted."""
        gone = self.process is None or not self.process.alive
        if self.state is JobState.RUNNING and gone and not self.kept:
            state = JobState.INTERRUPTED if self.stopping is None else JobState.STOPPED
            return dataclasses.replace(self, state=state)
        return self


@dataclass(frozen=True)
class Listing:
    """All jobs of a folder, the first queued first, and a line on each whose `job.json` cannot be read."""

    jobs: tuple[Job, ...]
    broken: tuple[str, ...]

    def of_state(self, *states: JobState) -> list[Job]:
        """The jobs in these states."""
        return [job for job in self.jobs if job.state in states]


def job_folder(jobs: Path, id: str) -> Path:
    """A job's folder. Raises `LookwhereError` where there is no such job; an id is looked up, never joined unseen."""
    if not ID.fullmatch(id) or not (jobs / id / MANIFEST).is_file():
        raise LookwhereError(f"{reprlib.repr(id)}: no such job in {jobs}; list them with: python -m core jobs")
    return jobs / id


def read_job(jobs: Path, id: str) -> Job:
    """A job as it is now. Raises `LookwhereError` where there is none, or its file is broken."""
    return Job.from_json(job_folder(jobs, id) / MANIFEST).now


def list_jobs(jobs: Path) -> Listing:
    """The jobs in a folder as they are now; none where there is no such folder."""
    jobs_read, broken = [], []
    names = sorted(path.name for path in jobs.iterdir()) if jobs.is_dir() else []
    for name in filter(ID.fullmatch, names):
        try:
            jobs_read.append(read_job(jobs, name))
        except LookwhereError as error:
            if (jobs / name / MANIFEST).is_file():  # else it is being made, or was removed just now
                broken.append(str(error))
    return Listing(tuple(sorted(jobs_read, key=lambda job: (job.queued, job.id))), tuple(broken))


def write_job(jobs: Path, job: Job) -> None:
    """Write a job's file, whole or not at all."""
    write_json(jobs / job.id / MANIFEST, job.to_json())


def change_job(jobs: Path, id: str, change: Callable[[Job], Job]) -> Job:
    """Read, change and write a job while nobody else does; returns the changed job.

    Raises `LookwhereError` where there is no such job, and whatever `change` raises: nothing is written then.
    """
    folder = job_folder(jobs, id)
    with alone(folder / MANIFEST, "changing", wait=True):
        job = change(Job.from_json(folder / MANIFEST).now)
        write_job(jobs, job)
    return job
