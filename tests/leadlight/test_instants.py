import time

import pytest

from leadlight.errors import InputError
from leadlight.instants import iso, parse
from leadlight.schema import DAY


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01T09:30:00", "2026-03-01T09:30:00Z"),
        ("2026-03-01T00:00:00+09:00", "2026-02-28T15:00:00Z"),
        (" 2026-03-01T09:30:00Z ", "2026-03-01T09:30:00Z"),
    ],
)
def test_what_is_read_is_written(text, instant):
    assert iso(parse(text, "--from")) == instant


def test_now_is_now():
    assert abs(parse("now", "--as-of") - time.time_ns() // 1_000) < DAY


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "01/03/2026", "2026-03-01T25:00"])
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match="--as-of"):
        parse(text, "--as-of")
