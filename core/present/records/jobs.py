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
        stage_progress = read_progress(folder / job.id / PROGRESS)
        progress = stage_progress and {
            "stage": stage_progress.stage,
            "done": stage_progress.done,
            "total": stage_progress.total,
            "left": stage_progress.left,
        }
        log_end = tail(folder / job.id / LOG) if job.id == log else None
        jobs.append({name: getattr(job, name) for name in SHOWN} | {"progress": progress, "log": log_end})
    return {"folder": folder, "worked_on": is_worked_on(folder), "jobs": jobs, "broken": list(listing.broken)}
