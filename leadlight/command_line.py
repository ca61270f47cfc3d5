"""What every verb of the command line shares: its options for the workspace and for JSON, and how it prints."""

import codecs
import contextlib
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

# Exit status of a verb that ran and found a problem.
EXIT_PROBLEM: Final = 1
JSON_OPTION: Final = "--json"

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", envvar="LEADLIGHT_WORKSPACE", help="Folder of the workspace.")
]
JsonOption = Annotated[bool, typer.Option(JSON_OPTION, help="Print one JSON object.")]


# Name of the error handler of stdout.
ESCAPED: Final = "leadlight.escaped"


@dataclass(slots=True)
class _Answer:
    """Of the command that runs: whether it still owes the JSON object that it was asked for."""

    owed: bool = False


_answer: Final = _Answer()


def begin(words: Sequence[str]) -> None:
    """Make ready for a command: stdout takes anything that a verb may print, and it is known whether JSON is asked for.

    What the encoding of stdout lacks is escaped and never an error. A handler that was asked for stays, as by
    `PYTHONIOENCODING=ascii:replace`.

    Args:
        words: of the command, understood or not.
    """
    _answer.owed = JSON_OPTION in (words[: words.index("--")] if "--" in words else words)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        codecs.register_error(ESCAPED, _escaped)
        sys.stdout.reconfigure(errors=ESCAPED)


def _escaped(problem: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as JSON does, so that an object stays one and loses nothing."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    return json.dumps(problem.object[problem.start : problem.end])[1:-1], problem.end


def print_json(answer: dict[str, Any], *, flush: bool = False) -> None:
    """Print exactly one JSON object on stdout; `flush` where the command goes on after it."""
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
    _answer.owed = False
    print(text, flush=flush)  # noqa: T201  (the command line prints)


def print_error(message: str) -> None:
    """Print an error on stderr, and as the JSON object where one was asked for and none was printed yet.

    Args:
        message: one line.
    """
    say(f"error: {message}")
    if _answer.owed:
        with contextlib.suppress(OSError):  # stdout may be what broke; the error is told
            print_json({"error": message})


def say(text: str) -> None:
    """Print a line for people on stderr."""
    print(text, file=sys.stderr)  # noqa: T201
