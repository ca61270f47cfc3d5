"""The `leadlight` command: assembles the verbs of all packages and turns errors into one line.

The composition root: the only module of the kernel that looks upward. Each package owns its verbs in a `cli.py` with
`register(app)`; those modules import heavy libraries inside their functions, so that `--help` answers at once.

    exit status   0    done
                  1    ran, and found a problem
                  2    bad usage or input, a part that is not installed, or too little memory for what was asked
                  70   a defect of leadlight itself (`LEADLIGHT_DEBUG=1` shows the traceback)
                  130  interrupted with Ctrl-C

An error is one line on stderr, and with `--json` the one object on stdout too: {"error": "what is wrong"}.
"""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from leadlight.allocator import keep_freed_memory
from leadlight.command_line import EXIT_PROBLEM, begin, print_error
from leadlight.errors import LeadlightError

EXIT_BAD_INPUT: Final = 2
EXIT_DEFECT: Final = 70
EXIT_INTERRUPTED: Final = 130

# In the order of the work: `module:function` that adds verbs to the app. A part that is not built yet adds none.
REGISTRARS: Final = (
    "leadlight.demo:register_demo",
    "leadlight.simulate.cli:register",
    "leadlight.ingest.cli:register",
    "features.cli:register",
    "rules.cli:register",
    "training.cli:register",
    "scoring.cli:register",
    "serving.cli:register",
)

# What libraries say where memory or address space ran out, beside raising a MemoryError.
OUT_OF_MEMORY: Final = ("std::bad_alloc", "bad allocation", "can't start new thread", "Cannot allocate memory")
# How the loader ends where a library does not fit; where it is not allowed, it says so behind this.
NO_ROOM_FOR_LIBRARY: Final = "failed to map segment from shared object"

# Which extra brings a third-party module that the core installation lacks.
EXTRA_OF: Final[dict[str, str]] = {
    "duckdb": "train",
    "matplotlib": "train",
    "mlflow": "train",
    "narwhals": "train",
    "numba": "train",
    "optuna": "train",
    "pandas": "train",
    "polars": "train",
    "pyarrow": "train",
    "sklearn": "train",
    "shap": "train",
    "threadpoolctl": "train",
    "pyspark": "spark",
    "nicegui": "dashboard",
}


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"leadlight {version('leadlight')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Lead scores that can be seen through: features, rules, models, reasons and thresholds.

    Every verb has `--help` with an example, `--workspace` and `--json`. The whole tour: `leadlight demo`.
    """


def build_app() -> typer.Typer:
    """Assemble the command from the verbs of every package that is there."""
    app = typer.Typer(
        name="leadlight",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for registrar in REGISTRARS:
        register = _load(registrar)
        if register is not None:
            register(app)
    return app


def _load(registrar: str) -> Callable[[typer.Typer], Any] | None:
    """Import a registrar, or give None if its module does not exist (a module that fails to import raises)."""
    module_name, function_name = registrar.split(":")
    parent = module_name.rpartition(".")[0]
    if importlib.util.find_spec(parent) is None or importlib.util.find_spec(module_name) is None:
        return None
    register: Callable[[typer.Typer], Any] = getattr(importlib.import_module(module_name), function_name)
    return register


def explain_missing(error: ModuleNotFoundError) -> str | None:
    """Say which extra brings a module that is not installed; None if no extra does."""
    name = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(name)
    return None if extra is None else f"this needs `{name}`, which is not installed; pip install 'leadlight[{extra}]'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit; no error reaches the user as a traceback.

    Args:
        arguments: the words after `leadlight`; by default those of the process.

    Raises:
        SystemExit: always, with the status of the module's table.
    """
    keep_freed_memory()
    words = list(sys.argv[1:] if arguments is None else arguments)
    begin(words)
    try:
        status = build_app()(args=words, prog_name="leadlight", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except LeadlightError as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except typer.Abort:
        _fail("aborted", EXIT_PROBLEM)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except ModuleNotFoundError as error:
        needed = explain_missing(error)
        _fail(needed or _defect(error), EXIT_DEFECT if needed is None else EXIT_BAD_INPUT)
    except Exception as error:  # noqa: BLE001  (the last line of defence: nothing is hidden, LEADLIGHT_DEBUG shows all)
        if hasattr(error, "format_message"):
            _fail_usage(error)
        if _ran_out_of_memory(error):
            _fail(_out_of_memory(error), EXIT_BAD_INPUT)
        _fail(_defect(error), EXIT_DEFECT)


def _fail_usage(error: Any) -> NoReturn:
    """Answer a usage error of Typer (known by its methods: its class has no public name) in one line."""
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # a group without a verb: its help, unless it was shown already
        if message:
            error.show()
        sys.exit(EXIT_BAD_INPUT)
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "leadlight"
    _fail(f"{message.rstrip('.')}; see `{path} --help`", EXIT_BAD_INPUT)


def _ran_out_of_memory(error: Exception) -> bool:
    said = str(error)
    named = any(words in said for words in OUT_OF_MEMORY) or said.endswith(NO_ROOM_FOR_LIBRARY)
    return isinstance(error, MemoryError) or named


def _out_of_memory(error: Exception) -> str:
    """Say that memory ran out, where, and what helps; files get their names when they are whole."""
    told = f" ({error})" if str(error) else ""
    return (
        f"memory ran out at {_place_of(error)}{told}; nothing is half-written; ask for less (fewer --ages where the "
        "verb has them), or use a machine or a limit with more memory"
    )


def _defect(error: Exception) -> str:
    where = _place_of(error)
    return f"unexpected {type(error).__name__} at {where}: {error} (set LEADLIGHT_DEBUG=1 for the traceback)"


def _place_of(error: Exception) -> str:
    """Say in which line an error that nobody expected was raised, below its traceback where that is asked for."""
    if os.environ.get("LEADLIGHT_DEBUG"):
        traceback.print_exc()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _fail(message: str, status: int) -> NoReturn:
    """Tell an error in one line, whatever the message, and exit."""
    print_error(" ".join(message.split()))
    sys.exit(status)


if __name__ == "__main__":
    main()
