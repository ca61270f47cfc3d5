import numpy as np
import polars as pl

from training.audit_groups import INTERVALS, LEAST_GROUP, MISSING, MOST_VALUES, grouped, of_numbers, of_texts


def test_few_numbers_are_values():
    groups = of_numbers(np.array([0.0, 1.0, 1.0, np.nan]))
    assert groups.labels == ("missing", "0", "1")
    assert groups.codes.tolist() == [1, 2, 2, MISSING]


def test_many_numbers_are_intervals_of_about_equal_size():
    groups = of_numbers(np.random.default_rng(0).normal(size=5_000))
    counts = np.bincount(groups.codes)
    assert len(groups) == INTERVALS + 1
    assert counts[MISSING] == 0
    assert counts[1:].min() > 80
    assert len(groups.labels) == len(groups)


def test_a_frequent_number_among_many_has_its_own_interval():
    x = np.concatenate([np.zeros(3_000), np.random.default_rng(0).random(2_000)])
    groups = of_numbers(x)
    assert len(np.unique(groups.codes[:3_000])) == 1
    assert (groups.codes[:3_000] == 1).all()
    assert (groups.codes[3_000:] > 1).all()


def test_infinities_are_the_ends():
    x = np.concatenate([[np.inf, -np.inf], np.random.default_rng(0).normal(size=500)])
    groups = of_numbers(x)
    assert groups.codes[0] == groups.codes.max()
    assert groups.codes[1] == 1


def test_only_frequent_texts_have_their_own_group():
    texts = pl.Series(["a"] * LEAST_GROUP + ["b"] * (LEAST_GROUP - 1) + [None])
    groups = of_texts(texts)
    assert groups.labels == ("missing", "`a`", "any other value")
    assert groups.codes.tolist() == [1] * LEAST_GROUP + [2] * (LEAST_GROUP - 1) + [MISSING]


def test_there_are_never_too_many_groups():
    texts = pl.Series([f"v{at}" for at in range(400)] * LEAST_GROUP)
    assert len(of_texts(texts)) == MOST_VALUES + 2


def test_nothing_at_all_is_missing():
    for kind, dtype in (("number", pl.Float64), ("category", pl.String)):
        groups = grouped(pl.Series([None, None], dtype=dtype), kind)
        assert groups.codes.tolist() == [MISSING, MISSING]
    assert len(grouped(pl.Series([], dtype=pl.String), "category").codes) == 0


def test_a_number_may_be_an_integer_column():
    assert grouped(pl.Series([1, 2, None]), "number").codes.tolist() == [1, 2, MISSING]
