import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.bars import bars_of
from benchmarks.measure import KEY, ROOT, measure, throw_away_key, with_reference
from benchmarks.plain import Predictions
from benchmarks.sets import OLIST
from leadlight.errors import InputError

DATA = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))


def reference(leads, as_of, label):
    return Predictions(
        leads,
        None if as_of is None else np.array(as_of),
        np.linspace(0.1, 0.9, len(leads)),
        np.array(label, dtype=float),
        train_rows=1,
        train_positives=1,
    )


ROWS = pl.DataFrame({"lead_id": ["a", "a", "b"], "as_of": [1, 2, 1], "label": [0.0, 1.0, 0.0]})


def test_the_references_rows_are_put_beside_ours_whatever_their_order():
    joined = with_reference(ROWS, reference(["b", "a", "a"], [1, 2, 1], [0, 1, 0]), "made")
    assert joined["plain"].to_list() == pytest.approx([0.9, 0.5, 0.1])
    assert joined.columns == [*ROWS.columns, "plain"]


def test_without_a_clock_the_lead_is_enough():
    joined = with_reference(ROWS[1:], reference(["b", "a"], None, [0, 1]), "made")
    assert joined["plain"].to_list() == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize(
    ("leads", "as_of", "label", "problem"),
    [
        (["a", "a"], [1, 2], [0, 1], "tests 3 rows, the plain reference 2"),
        (["a", "a", "b", "c"], [1, 2, 1, 1], [0, 1, 0, 0], "tests 3 rows, the plain reference 4"),
        (["a", "a", "b"], [1, 2, 9], [0, 1, 0], "lack 1 of the product's"),
        (["a", "a", "b"], [1, 2, 1], [0, 0, 0], "give 1 test rows different labels"),
    ],
)
def test_other_rows_or_labels_are_refused(leads, as_of, label, problem):
    with pytest.raises(InputError, match=problem):
        with_reference(ROWS, reference(leads, as_of, label), "made")


def test_a_key_lives_as_long_as_its_block(monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    with throw_away_key():
        assert len(os.environ[KEY]) >= 32
    assert KEY not in os.environ


def test_a_key_that_is_set_is_used(monkeypatch):
    monkeypatch.setenv(KEY, "mine")
    with throw_away_key():
        assert os.environ[KEY] == "mine"
    assert os.environ[KEY] == "mine"


@pytest.mark.real_data
def test_olist_is_refused_a_model(tmp_path, monkeypatch):
    if not (DATA / "olist").is_dir():
        pytest.skip(f"the real data set olist is not in {DATA} (LEADLIGHT_DATA names another folder)")
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    said = []
    found = measure(OLIST, DATA, say=said.append)
    assert [bar.passed for bar in bars_of(found)] == [True, True, True]
    assert found.kind == "rules"
    assert found.comparison.reference == "shipped"
    assert (found.comparison.rows, found.comparison.positives) == (1_090, 114)
    assert any("too few or too late to compare" in line for line in said)
    assert list(tmp_path.iterdir()) == []  # nothing in the user's config folder
