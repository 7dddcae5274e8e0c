"""Jobs outlive what started them: real commands, real `kill -9`; a job is made long by stopping its process."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import LookwhereError
from core.jobs import job as job_file
from core.jobs import queue, worker
from core.jobs.job import LOG, MANIFEST, RESULT, Job, JobState, list_jobs, read_job, write_job
from core.jobs.processes import Process, here
from core.jobs.programs import command_line, resumed
from tests.helpers.datasets_made import tree


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tree(tmp_path / "data", ["female/a.jpg", "female/b.jpg", "male/c.jpg"])


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Path]:
    """A folder of jobs; whatever a test left running in it is ended, by its own number."""
    folder = tmp_path / "jobs"
    yield folder
    for job in list_jobs(folder).jobs:
        if job.process is not None:
            job.process.signal_group(signal.SIGKILL)
        if job.keeper is not None and job.keeper != here() and job.keeper.alive:
            os.kill(job.keeper.pid, signal.SIGKILL)


def until(done: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def check(jobs: Path, data: Path) -> Job:
    return queue.submit(jobs, "datasets", ["--check", str(data)], f"See {data.name}")


def frozen(jobs: Path, id: str) -> Process:
    """The process of a job, stopped as soon as it is there: a job that lasts as long as a test wants."""
    until(lambda: read_job(jobs, id).process)
    process = read_job(jobs, id).process
    process.signal_group(signal.SIGSTOP)
    return process


def test_jobs_run_in_their_order_and_leave_result_and_log(jobs: Path, data: Path, tmp_path: Path) -> None:
    first, second = check(jobs, data), check(jobs, tmp_path / "none")
    assert worker.work(jobs)
    first, second = (read_job(jobs, one.id) for one in (first, second))
    assert (first.state, first.code) == (JobState.FINISHED, 0)
    assert "data: class-folders, A folder a gender" in (jobs / first.id / RESULT).read_text()
    assert (second.state, second.code) == (JobState.FAILED, 2)
    assert "none: no such file or folder" in (jobs / second.id / LOG).read_text()
    assert first.ended <= second.began, "one at a time"
    with pytest.raises(LookwhereError, match="finished; only a job that ended before its time"):
        queue.resume(jobs, first.id)
    queue.remove(jobs, first.id)
    assert [job.id for job in list_jobs(jobs).jobs] == [second.id]


def test_a_job_survives_the_kill_of_its_worker_and_the_next_worker_waits_for_it(jobs: Path, data: Path) -> None:
    first, second = check(jobs, data), check(jobs, data)
    assert queue.ensure_worker(jobs)
    process = frozen(jobs, first.id)
    assert not queue.ensure_worker(jobs), "one worker is enough"
    keeper = read_job(jobs, first.id).keeper
    os.kill(keeper.pid, signal.SIGKILL)
    until(lambda: not keeper.alive)
    assert process.alive
    assert read_job(jobs, first.id).state is JobState.RUNNING
    assert queue.ensure_worker(jobs)
    until(lambda: read_job(jobs, first.id).kept)
    assert read_job(jobs, first.id).keeper != keeper
    assert read_job(jobs, second.id).state is JobState.QUEUED
    process.signal_group(signal.SIGCONT)
    until(lambda: read_job(jobs, second.id).state is JobState.FINISHED)
    assert read_job(jobs, first.id).state is JobState.INTERRUPTED, "nobody saw how it ended"


def test_a_killed_job_is_told_as_interrupted_and_goes_on(jobs: Path, data: Path) -> None:
    job = check(jobs, data)
    killer = threading.Thread(target=lambda: frozen(jobs, job.id).signal_group(signal.SIGKILL))
    killer.start()
    worker.work(jobs)
    killer.join()
    ended = read_job(jobs, job.id)
    assert (ended.state, ended.code) == (JobState.INTERRUPTED, -signal.SIGKILL)
    assert queue.resume(jobs, job.id).arguments == job.arguments
    worker.work(jobs)
    again = read_job(jobs, job.id)
    assert (again.state, again.starts) == (JobState.FINISHED, 2)


@pytest.mark.parametrize("refused", ["write_json", "alone"])
def test_a_job_that_ends_while_the_disk_is_full_is_told_as_it_ended_once_there_is_room(
    jobs: Path, data: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Its end could not be written: the worker ended with a traceback, or took the job for interrupted."""
    job, real, full = check(jobs, data), getattr(job_file, refused), []

    def on_a_full_disk(path: Path, *arguments: object, **more: object) -> object:
        ended = [child for worker in workers for child in worker.children.values() if child.poll() is not None]
        if ended and len(full) < 3:
            full.append(path)
            if refused == "alone":
                raise LookwhereError(f"{path}: cannot write (No space left on device); choose another place")
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, *arguments, **more)

    workers, look = [], worker._Worker._see_to
    monkeypatch.setattr(worker._Worker, "_see_to", lambda self, job: (workers.append(self), look(self, job)))
    monkeypatch.setattr(job_file, refused, on_a_full_disk)
    assert worker.work(jobs)
    assert len(full) == 3, "the disk was full when the job had ended"
    ended = read_job(jobs, job.id)
    assert (ended.state, ended.code) == (JobState.FINISHED, 0)


def test_a_stopped_job_hears_ctrl_c_also_where_a_shell_ignores_it(
    jobs: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as of a process that a shell started with &
    try:
        job = check(jobs, data)

        def stop() -> None:
            process = frozen(jobs, job.id)
            queue.stop(jobs, job.id)
            time.sleep(1.2)  # the worker has told it; it hears when it goes on
            process.signal_group(signal.SIGCONT)

        stopper = threading.Thread(target=stop)
        stopper.start()
        worker.work(jobs)
        stopper.join()
    finally:
        signal.signal(signal.SIGINT, before)
    ended = read_job(jobs, job.id)
    assert ended.state is JobState.STOPPED
    assert ended.code in (130, -signal.SIGINT, 1), "1 where it was still importing"


def test_a_job_that_does_not_hear_is_ended(jobs: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PATIENCE", ((0, signal.SIGINT), (0.1, signal.SIGTERM), (0.2, signal.SIGKILL)))
    job = check(jobs, data)
    stopper = threading.Thread(target=lambda: (frozen(jobs, job.id), queue.stop(jobs, job.id)))
    stopper.start()
    worker.work(jobs)
    stopper.join()
    ended = read_job(jobs, job.id)
    assert (ended.state, ended.code) == (JobState.STOPPED, -signal.SIGKILL)


def test_a_waiting_job_is_taken_out_and_a_running_one_is_not_removed(jobs: Path, data: Path) -> None:
    job = check(jobs, data)
    assert queue.stop(jobs, job.id).state is JobState.STOPPED
    with pytest.raises(LookwhereError, match="stopped already"):
        queue.stop(jobs, job.id)
    write_job(jobs, replace(job, state=JobState.RUNNING, process=here(), keeper=here()))
    with pytest.raises(LookwhereError, match="running; stop it first"):
        queue.remove(jobs, job.id)


def test_a_number_given_out_anew_is_another_process(jobs: Path, data: Path) -> None:
    job, mine = check(jobs, data), here()
    namesake = replace(mine, mark=mine.mark + "0")
    assert mine.alive and not namesake.alive
    write_job(jobs, replace(job, state=JobState.RUNNING, process=namesake, keeper=namesake))
    namesake.signal_group(signal.SIGKILL)  # were it taken for this process, this test would end here
    assert read_job(jobs, job.id).state is JobState.INTERRUPTED
    assert Process.from_pid(2**22 + 1) is None


@pytest.mark.parametrize("id", ["../x", "", "20260101-000000-align-abcdef", "..", "a\0b", "x" * 300])
def test_an_id_is_looked_up_and_never_joined(jobs: Path, id: str, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / MANIFEST).write_text("{}")
    for call in (queue.stop, queue.resume, queue.remove, read_job):
        with pytest.raises(LookwhereError, match="no such job"):
            call(jobs, id)


def test_what_is_no_command_or_too_much_is_refused(jobs: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookwhereError, match="no command that can be a job"):
        queue.submit(jobs, "verify", [], "x")
    for words in (["--check", "a\0b"], ["x" * 5000], ["x"] * 500):
        with pytest.raises(LookwhereError, match="too many words"):
            queue.submit(jobs, "datasets", words, "x")
    monkeypatch.setattr(queue, "WAITING", 1)
    check(jobs, data)
    with pytest.raises(LookwhereError, match="wait already"):
        check(jobs, data)


def test_the_oldest_ended_jobs_make_room(jobs: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "KEPT", 2)
    ids = []
    for _ in range(4):
        ids.append(check(jobs, data).id)
        queue.stop(jobs, ids[-1])
    assert [job.id for job in list_jobs(jobs).jobs] == ids[-2:]


def test_a_damaged_job_is_told_and_the_others_are_listed(jobs: Path, data: Path) -> None:
    good, bad = check(jobs, data), check(jobs, data)
    file = jobs / bad.id / MANIFEST
    file.write_text(file.read_text().replace("--check", "--chuck"))
    listing = list_jobs(jobs)
    assert [job.id for job in listing.jobs] == [good.id]
    (line,) = listing.broken
    assert f"{bad.id}/job.json: changed since it was written; delete its folder" in line


def test_words_are_a_list_and_never_a_shells_line(jobs: Path) -> None:
    odd = ["--check", "$(touch /tmp/x); `id` 'a' \"b\" &&"]
    job = queue.submit(jobs, "datasets", odd, "x")
    assert command_line(job.program, read_job(jobs, job.id).arguments)[-2:] == odd


def test_a_training_is_resumed_where_it_had_begun(tmp_path: Path) -> None:
    words = ("--data", "d", "--name", "m", "--models", str(tmp_path))
    assert resumed("train", words, tmp_path) == words
    (tmp_path / "m/training").mkdir(parents=True)
    (tmp_path / "m/training/status.json").write_text("{}")
    assert resumed("train", words, tmp_path) == (*words, "--resume")
    assert resumed("train", (*words, "--resume"), tmp_path) == (*words, "--resume")
    assert resumed("align", words, tmp_path) == words
