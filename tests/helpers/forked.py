"""`python -m …` as a fork of this process, which has imported already what a new one takes five seconds to."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import IO

import torch


class Forked:
    """Of `subprocess.Popen`, what our code uses: for a command `[python, "-m", module, …]` whose output goes to a file.

    What a test has patched holds in the fork too. That the command line starts a process of its own is not shown by
    it: some test of each command must start one.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], stdout: IO[str], stderr: int | None = None
    ) -> None:
        assert command[:2] == [sys.executable, "-m"], command
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _become(command[2], command[3:], env, stdout.fileno())

    def poll(self) -> int | None:
        """The exit code, or None while the process lives."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int:
        return self._ended(0)

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _ended(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


#: For a module's name `subprocess`, that it forks what it would start.
FORKING = SimpleNamespace(Popen=Forked, STDOUT=subprocess.STDOUT)


def _become(module: str, words: Sequence[str], environment: Mapping[str, str], output: int) -> None:
    """This process from now on: the module, run as `python -m` does; it ends here and never returns."""
    code = 1
    try:
        for kind, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            signal.signal(kind, action)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = (open(n, "w", buffering=1, closefd=False) for n in (1, 2))  # noqa: SIM115
        os.environ.clear()
        os.environ |= environment
        torch.set_num_threads(1)  # threads of the parent's are not here
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
