"""Jobs as plain values."""

from __future__ import annotations

from pathlib import Path

from core.jobs.job import LOG, PROGRESS, Listing
from core.jobs.logs import tail
from core.jobs.queue import is_worked_on
from core.progress import read_progress

SHOWN = ("id", "program", "arguments", "directory", "title", "state", "stopping", "code", "queued", "began", "ended")


def jobs_record(folder: Path, listing: Listing, log: str | None = None) -> dict:
    """Every job with how far it is, and the end of the log of the one that `log` names."""
    jobs = []
    for job in listing.jobs:
        told = read_progress(folder / job.id / PROGRESS)
        progress = told and {"stage": told.stage, "done": told.done, "total": told.total, "left": told.left}
        said = tail(folder / job.id / LOG) if job.id == log else None
        jobs.append({name: getattr(job, name) for name in SHOWN} | {"progress": progress, "log": said})
    return {"folder": folder, "worked_on": is_worked_on(folder), "jobs": jobs, "broken": list(listing.broken)}
