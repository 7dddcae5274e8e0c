"""Processor time that a server takes for a change of the front page's filter, of one checkout or several in turns.

    python -m benchmarks.filter_runs
    python -m benchmarks.filter_runs --checkouts PATH-OF-AN-EARLIER-CHECKOUT . --turns 3

The shipped study's front page is drawn by Streamlit's AppTest in a process of its own, one ethnicity after the other is
chosen, of all faces and of each gender, and the script's thread is timed: work of other processes counts little, the
browser's not at all.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import tyro

ETHNICITIES = ("Black", "White", "Asian", "Indian", "Others")
#: Runs in the checkout, which may be of before this file.
SCRIPT = """
import json, logging, sys, time
logging.disable(logging.WARNING)
import streamlit.runtime.scriptrunner.script_runner as runner
from streamlit.testing.v1 import AppTest

seconds, run = [], runner.ScriptRunner._run_script

def timed(*arguments, **keywords):
    began = time.thread_time()
    try:
        return run(*arguments, **keywords)
    finally:
        seconds.append(time.thread_time() - began)

runner.ScriptRunner._run_script = timed
app = AppTest.from_file("app.py", default_timeout=300).run().run()
for gender in ([], ["female"], ["male"]):
    for ethnicity in json.loads(sys.argv[1]):
        seconds.clear()
        buttons = {group.key: group for group in app.button_group}
        buttons["gender"].set_value(gender)
        buttons["ethnicity"].set_value([ethnicity])
        app.run()
        assert not app.exception, app.exception
        elements = sum(1 for block in (app.main, app.sidebar) for _ in block)
        print(json.dumps([sum(seconds), elements]), flush=True)
"""


def changes(checkout: Path, ethnicities: tuple[str, ...] = ETHNICITIES) -> list[tuple[float, int]]:
    """Seconds of the script's thread at each change of the filter, and how many elements the page then has."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, json.dumps(ethnicities)]
    done = subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True, text=True)
    return [(seconds, elements) for seconds, elements in map(json.loads, done.stdout.splitlines())]


def main(checkouts: tuple[Path, ...] = (Path(),), turns: int = 3) -> None:
    """Print a line a checkout.

    Args:
        checkouts: Folders of the project, each with its own code.
        turns: How often each is measured, one after the other.
    """
    runs: dict[Path, list[tuple[float, int]]] = {checkout: [] for checkout in checkouts}
    for _ in range(turns):
        for checkout in checkouts:
            runs[checkout] += changes(checkout)
    for checkout, measured in runs.items():
        milliseconds = [1000 * seconds for seconds, _ in measured]
        elements = statistics.median(number for _, number in measured)
        print(
            f"{checkout}: {statistics.median(milliseconds):.0f} ms of processor (least {min(milliseconds):.0f}, "
            f"largest {max(milliseconds):.0f}) at each of {len(measured)} changes, {elements:.0f} elements"
        )


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
