import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from rich.table import Table

from leadlight import __main__ as command
from leadlight.command_line import JsonOption, print_json
from leadlight.errors import InputError, WorkspaceError

ROOT = Path(__file__).parents[2]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        command.main(list(arguments))
    out, err = capsys.readouterr()
    return stopped.value.code, out, err


@pytest.fixture
def verb(monkeypatch):
    """Make `leadlight verb` run a function of the test's choice beside one other verb."""

    def use(function):
        app = typer.Typer()
        app.command("verb")(function)
        app.command("other")(lambda: None)
        monkeypatch.setattr(command, "build_app", lambda: app)

    return use


def failing(error):
    def function():
        raise error

    return function


def test_done_is_zero_and_what_a_verb_prints_stays(verb, capsys):
    verb(lambda: typer.echo(json.dumps({"n": 1})))
    assert run(capsys, "verb") == (0, '{"n": 1}\n', "")


def test_a_problem_that_was_found_is_one(verb, capsys):
    verb(failing(typer.Exit(1)))
    assert run(capsys, "verb") == (1, "", "")


@pytest.mark.parametrize(
    "error", [InputError("x.yaml line 3:\n  bad;   mend it"), WorkspaceError("x.yaml line 3: bad; mend it")]
)
def test_an_error_is_one_line_and_two(verb, capsys, error):
    verb(failing(error))
    assert run(capsys, "verb") == (2, "", "error: x.yaml line 3: bad; mend it\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "error: No such command 'nope'; see `leadlight --help`\n"),
        (["--nope"], "error: No such option: --nope; see `leadlight --help`\n"),
        (["verb", "extra"], "error: Got unexpected extra argument(s) (extra); see `leadlight verb --help`\n"),
    ],
)
def test_bad_usage_is_one_line_and_two(verb, capsys, arguments, message):
    verb(lambda: None)
    assert run(capsys, *arguments) == (2, "", message)


@pytest.mark.parametrize(
    ("error", "status", "begins"),
    [
        (InputError("x.yaml line 3:\n  bad; mend it"), 2, "x.yaml line 3: bad; mend it"),
        (ModuleNotFoundError("No module named 'polars'", name="polars"), 2, "this needs `polars`"),
        (MemoryError(), 2, "memory ran out"),
        (typer.Abort(), 1, "aborted"),
        (ZeroDivisionError("division by zero"), 70, "unexpected ZeroDivisionError"),
    ],
)
def test_with_json_an_error_is_the_object_too(verb, capsys, error, status, begins):
    def function(as_json: JsonOption = False):
        raise error

    verb(function)
    code, out, err = run(capsys, "verb", "--json")
    assert code == status
    assert list(json.loads(out)) == ["error"]
    assert err == f"error: {json.loads(out)['error']}\n"
    assert json.loads(out)["error"].startswith(begins)
    assert out.count("\n") == 1


@pytest.mark.parametrize("words", [["nope", "--json"], ["verb", "--nope", "--json"], ["verb", "extra", "--json"]])
def test_with_json_bad_usage_is_the_object_too(verb, capsys, words):
    verb(lambda: None)
    code, out, err = run(capsys, *words)
    assert code == 2
    assert err == f"error: {json.loads(out)['error']}\n"


@pytest.mark.parametrize("verb", ["train", "evaluate", "audit"])
def test_an_option_that_is_missing_with_its_choices_is_one_line_and_the_object(capsys, verb):
    code, out, err = run(capsys, verb, "--json")
    assert (code, out) == (2, json.dumps({"error": err.removeprefix("error: ").rstrip("\n")}) + "\n")
    assert run(capsys, verb) == (2, "", err)


def test_with_json_a_verb_that_told_and_then_failed_has_one_object(verb, capsys):
    def function(as_json: JsonOption = False):
        print_json({"n": 1})
        raise InputError("too late")

    verb(function)
    assert run(capsys, "verb", "--json") == (2, '{"n": 1}\n', "error: too late\n")


def test_an_ascii_stdout_takes_every_table(verb, monkeypatch):
    def function():
        table = Table("lead", "share")
        table.add_row("商談 \N{GRINNING FACE}", "5 \N{PLUS-MINUS SIGN} 1 …")
        Console().print(table)

    verb(function)
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="ascii"))
    with pytest.raises(SystemExit) as stopped:
        command.main(["verb"])
    sys.stdout.flush()
    assert stopped.value.code == 0
    assert "5 \\u00b1 1" in held.getvalue().decode("ascii")


def test_no_verb_at_all_shows_the_help(capsys):
    code, out, err = run(capsys)
    assert code == 2
    assert "Usage: leadlight" in out + err
    assert "error" not in err


@pytest.mark.parametrize("rich", ["0", "1"])
def test_a_group_without_a_verb_shows_its_help_and_no_error(rich):
    words = [sys.executable, "-m", "leadlight", "thresholds"]
    shown = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "TYPER_USE_RICH": rich}, capture_output=True, check=False
    )
    told = (shown.stdout + shown.stderr).decode()
    assert shown.returncode == 2
    assert told.count("Usage: leadlight thresholds") == 1
    assert "error:" not in told


def test_an_extra_that_is_not_installed_is_named(verb, capsys):
    verb(failing(ModuleNotFoundError("No module named 'polars'", name="polars.dataframe")))
    code, _, err = run(capsys, "verb")
    assert (code, err) == (2, "error: this needs `polars`, which is not installed; pip install 'leadlight[train]'\n")


def test_our_own_missing_module_is_a_defect(verb, capsys):
    verb(failing(ModuleNotFoundError("No module named 'features.nope'", name="features.nope")))
    code, _, err = run(capsys, "verb")
    assert code == 70
    assert err.startswith("error: unexpected ModuleNotFoundError at test_main.py:")


def test_a_defect_is_one_line_and_says_how_to_see_more(verb, capsys, monkeypatch):
    verb(failing(ZeroDivisionError("division\nby zero")))
    code, out, err = run(capsys, "verb")
    assert (code, out, err.count("\n")) == (70, "", 1)
    assert re.match(
        r"error: unexpected ZeroDivisionError at test_main\.py:\d+: division by zero \(set LEADLIGHT_DEBUG", err
    )
    monkeypatch.setenv("LEADLIGHT_DEBUG", "1")
    code, _, err = run(capsys, "verb")
    assert code == 70
    assert "Traceback (most recent call last)" in err


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 1.94 GiB\nfor an array"),
        MemoryError(),
        RuntimeError("LightGBM: std::bad_alloc"),
        RuntimeError("can't start new thread"),
        OSError(12, "Cannot allocate memory"),
        ImportError("libarrow_dataset.so.2500: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_one_line_with_the_mend_and_no_defect(verb, capsys, error):
    verb(failing(error))
    code, out, err = run(capsys, "verb")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.match(r"error: memory ran out at test_main\.py:\d+", err)
    assert "fewer --ages" in err
    assert str(error).split("\n", maxsplit=1)[0] in err


def test_a_library_that_may_not_be_loaded_is_no_lack_of_memory(verb, capsys):
    verb(failing(ImportError("libx.so: failed to map segment from shared object: Operation not permitted")))
    code, _, err = run(capsys, "verb")
    assert (code, "memory" in err) == (70, False)


def test_an_array_that_does_not_fit_is_too_little_memory(verb, capsys):
    verb(lambda: np.empty(2**58))
    code, _, err = run(capsys, "verb")
    assert code == 2
    assert "Unable to allocate" in err


def test_ctrl_c_is_130_without_a_word(verb, capsys):
    verb(failing(KeyboardInterrupt()))
    assert run(capsys, "verb") == (130, "", "")


def test_an_abort_is_one(verb, capsys):
    verb(failing(typer.Abort()))
    assert run(capsys, "verb") == (1, "", "error: aborted\n")


def test_a_closed_pipe_is_quiet():
    code = "import leadlight.__main__ as m\nm.main(['--help'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=30) in {0, 1}


def test_version(capsys):
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert run(capsys, "--version") == (0, f"leadlight {wanted}\n", "")


def test_every_module_of_an_extra_is_known_by_its_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    module_of = {"scikit-learn": "sklearn"}
    wanted = {
        module_of.get(name, name): extra
        for extra in ("train", "spark", "dashboard")
        for name in (re.match(r"[A-Za-z0-9_-]+", requirement).group() for requirement in extras[extra])
    }
    assert wanted == command.EXTRA_OF


def test_a_part_that_is_not_built_is_absent_but_a_broken_one_is_not_hidden(monkeypatch, tmp_path):
    assert command._load("leadlight.nowhere.cli:register") is None
    (tmp_path / "brokenpart").mkdir()
    (tmp_path / "brokenpart" / "__init__.py").touch()
    (tmp_path / "brokenpart" / "cli.py").write_text("import no_such_library\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        command._load("brokenpart.cli:register")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from leadlight.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'polars', 'pandas', 'pyarrow', 'sklearn', 'lightgbm', 'mlflow', 'fastapi', 'matplotlib'}\n"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, env={**os.environ})
    assert b"Usage: leadlight" in done.stdout or b"Usage:" in done.stdout
    assert done.returncode == 0, done.stderr
