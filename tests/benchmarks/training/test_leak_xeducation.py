"""X Education, if its folder is there: nothing of it is kept."""

import os
from pathlib import Path

import pytest

from benchmarks.training import leak_xeducation

DATA = Path(os.environ.get("LEADLIGHT_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))


@pytest.mark.real_data
@pytest.mark.skipif(not (DATA / "xeducation").is_dir(), reason="the X Education data are not here (LEADLIGHT_DATA)")
def test_what_sales_filled_in_is_not_used_under_any_name():
    answer = leak_xeducation.measure(DATA)
    assert answer["xeducation_used_but_must_not"] == []
    assert answer["xeducation_rename_changes"] == 0
    assert 0.86 <= round(answer["xeducation_auc_after_gate"], 2) <= 0.91
    assert answer["xeducation_auc_before_gate"] > 0.95
