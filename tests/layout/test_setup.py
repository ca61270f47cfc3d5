"""What the first command says on a machine where something is missing. Interpreters are played by small scripts."""

import os
import subprocess

import pytest

from tests.layout.repository import ROOT, tracked_texts

WANTED_VERBS = "help setup check test demo bench results docs notebooks serve lock clean".split()  # noqa: SIM905


def script(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def setup(tmp_path, python):
    return subprocess.run(
        [ROOT / "tools" / "setup.sh", tmp_path / "venv"],
        env={**os.environ, "PYTHON": str(python)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("body", ["exit 1", "exit 127"])
def test_without_a_new_enough_python_it_says_so(tmp_path, body):
    done = setup(tmp_path, script(tmp_path / "python", body))
    assert done.returncode == 2
    assert done.stderr.startswith("error: leadlight needs Python >= 3.11")
    assert not (tmp_path / "venv").exists()


def test_without_venv_it_names_the_system_package(tmp_path):
    done = setup(tmp_path, script(tmp_path / "python", 'case "$2" in *ensurepip*) exit 1;; esac'))
    assert done.returncode == 2
    assert "python3-venv" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("OSError: libgomp.so.1: cannot open shared object file", "libgomp1"),
        ("OSError: something else", "lightgbm cannot be imported"),
    ],
)
def test_without_openmp_it_names_the_system_package(tmp_path, problem, expected):
    script(tmp_path / "venv" / "bin" / "python", f'case "$2" in *lightgbm*) echo "{problem}" >&2; exit 1;; esac')
    done = setup(tmp_path, "python3")
    assert done.returncode == 2
    assert expected in done.stderr.splitlines()[-1]


def test_make_help_lists_every_verb():
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}  # `make test` too
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    verbs = {line.split()[1] for line in done.stdout.splitlines()}
    assert verbs == set(WANTED_VERBS)


def test_ci_uses_the_same_verbs():
    ci = next(text for path, text in tracked_texts().items() if path.as_posix() == ".ci/run")
    assert "set -euo pipefail" in ci
    assert all(f"make {verb}" in ci for verb in ("check", "test"))
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
