"""Which version of the code is measured: the commit of the tree in which the benchmarks lie."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import ROOT

_DIRTY: Final = "-dirty"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.

    Attributes:
        hash: its hash, shortened.
        dirty: whether files that git follows were changed since.
    """

    hash: str
    dirty: bool


def commit(tree: Path = ROOT) -> Commit | None:
    """Ask git for the commit of a tree; None without git, and outside a repository of its own."""
    git = shutil.which("git")
    if git is None:
        return None
    # The folders above are not asked: their repository would be another one. Nothing is written, no lock taken.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent), "GIT_OPTIONAL_LOCKS": "0"}
    words = [git, "describe", "--always", "--exclude", "*", f"--dirty={_DIRTY}"]
    done = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  (git)
    told = done.stdout.strip()
    return None if done.returncode else Commit(told.removesuffix(_DIRTY), told.endswith(_DIRTY))
