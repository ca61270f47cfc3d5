"""A process that ends others when the one that started it ends, however it ends: also when it is killed.

It reads commands from its standard input, one a line: `+PID` puts a process group under watch, `-PID` takes it out.
When the input ends, which the operating system sees to when the starting process is gone, every watched group is killed
and the folder that was given is removed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PATIENCE: Final = 20.0  # seconds for a watchdog to remove its folder


class Watchdog:
    """Watches process groups until it is closed or its owner dies.

    Attributes:
        folder: removed at the end, with what is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and file)
            [sys.executable, "-I", __file__, str(folder)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def watch(self, group: int) -> None:
        """Put a process group under watch."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """Take a group out whose processes have ended, so that its number may be used by others."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """Kill what is watched, remove the folder, and wait until that is done."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(PATIENCE)

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def guard(commands: Iterable[str], folder: Path) -> None:
    """Follow commands until they end, then kill the groups that are left and remove the folder."""
    groups: dict[int, None] = {}
    for command in commands:
        group = int(command[1:])
        if command.startswith("+"):
            groups[group] = None
        else:
            groups.pop(group, None)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guard(sys.stdin, Path(sys.argv[1]))
