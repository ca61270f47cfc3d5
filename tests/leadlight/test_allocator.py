"""The allocator is set before Polars is loaded, and a user's own setting is left alone."""

import subprocess
import sys

import pytest

from leadlight import allocator


def test_a_setting_of_the_user_is_left_alone(monkeypatch):
    monkeypatch.setenv(allocator.VARIABLE, "dirty_decay_ms:0")
    allocator.keep_freed_memory()
    assert allocator.os.environ[allocator.VARIABLE] == "dirty_decay_ms:0"


def test_it_is_set_where_the_user_says_nothing(monkeypatch):
    monkeypatch.delenv(allocator.VARIABLE, raising=False)
    monkeypatch.setattr(allocator.os, "environ", dict(allocator.os.environ))
    allocator.keep_freed_memory()
    assert allocator.os.environ[allocator.VARIABLE] == allocator.SETTING


@pytest.mark.parametrize("code", ["import leadlight.__main__ as m; m.build_app()"])
def test_the_command_does_not_load_polars_before_it_is_set(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print('polars' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
