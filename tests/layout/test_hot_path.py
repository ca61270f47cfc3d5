"""A scoring process starts fast and stays small; so does `--help`. Checked in fresh interpreters.

The static contract (pyproject, `hot-path`) also sees imports inside functions; this test sees what really is loaded.
"""

import json
import subprocess
import sys

import pytest

from tests.layout.repository import HEAVY, ROOT

SCORING_PROCESS = ("leadlight.bundle", "features.online", "rules.engine", "scoring.score", "serving.app")


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and give the top-level modules that it loaded."""
    report = "; import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", SCORING_PROCESS)
def test_what_serves_loads_nothing_heavy(module):
    assert loaded_by(f"import {module}") & set(HEAVY) == set()


def test_help_loads_nothing_heavy():
    loaded = loaded_by("import leadlight.__main__ as command; command.build_app()")
    assert loaded & {*HEAVY, "lightgbm", "fastapi", "sqlalchemy", "alembic", "uvicorn"} == set()


def test_the_check_sees_a_heavy_import():
    assert "polars" in loaded_by("import polars")
