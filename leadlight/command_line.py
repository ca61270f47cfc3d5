"""What every verb of the command line shares: its options for the workspace and for JSON, and how it prints."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

# Exit status of a verb that ran and found a problem.
EXIT_PROBLEM: Final = 1

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", envvar="LEADLIGHT_WORKSPACE", help="Folder of the workspace.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_json(answer: dict[str, Any]) -> None:
    """Print exactly one JSON object on stdout."""
    print(json.dumps(answer, ensure_ascii=False, allow_nan=False))  # noqa: T201  (the command line prints)


def say(text: str) -> None:
    """Print a line for people on stderr."""
    print(text, file=sys.stderr)  # noqa: T201
