"""The command `jobs`: what was started from the page «Runs», from a shell."""

from __future__ import annotations

from pathlib import Path

from core.commands.output import printed
from core.errors import LookwhereError
from core.jobs.job import JOBS


def jobs(
    stop: str | None = None,
    resume: str | None = None,
    remove: str | None = None,
    log: str | None = None,
    work: bool = False,
    password: bool = False,
    folder: Path = JOBS,
    json: bool = False,
) -> str:
    """List the jobs started from the page «Runs», and how far they are; stop one, or let it go on.

    A job is a process of its own: it goes on when the page, the browser or the app is closed.
    Example: python -m core jobs
    Or: python -m core jobs --stop 20260514-081500-audit-3fa9c1

    Args:
        stop: The id of a job to stop; its command stops as by Ctrl-C, and loses nothing.
        resume: The id of a job that failed, was stopped or interrupted, to go on.
        remove: The id of an ended job to forget, with its log; what it made stays.
        log: The id of a job whose log is printed.
        work: Work on the queue until it is empty, in the foreground; the page starts such a worker by itself.
        password: Ask for a password, and print the hash that a server on a network needs, see the page «Runs».
        folder: Where jobs lie: by default $LOOKWHERE_JOBS, else jobs/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.jobs import queue, worker
    from core.jobs.job import LOG, PROGRESS, job_folder, list_jobs
    from core.jobs.logs import tail
    from core.present.records.jobs import jobs_record
    from core.present.text.jobs import jobs_report
    from core.progress import read_progress

    if password:
        return _password()
    if stop:
        queue.stop(folder, stop)
    if resume:
        queue.resume(folder, resume)
    if remove:
        queue.remove(folder, remove)
    if work:
        worker.work(folder)
    elif stop or resume:
        queue.ensure_worker(folder)
    if log and not json:
        return tail(job_folder(folder, log) / LOG)
    listing = list_jobs(folder)
    progress = {job.id: read_progress(folder / job.id / PROGRESS) for job in listing.jobs}
    return printed(
        "jobs",
        json,
        lambda: jobs_report(listing, progress, queue.is_worked_on(folder)),
        lambda: jobs_record(folder, listing, log),
    )


def _password() -> str:
    import getpass

    from core.jobs.password import VARIABLE, hash_password

    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise LookwhereError("the two passwords differ; try again")
    return f"export {VARIABLE}='{hash_password(first)}'"
