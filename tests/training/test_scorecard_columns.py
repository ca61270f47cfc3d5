import numpy as np
import pytest

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from leadlight.terms import Linear
from training.scorecard_columns import LEAST_ROWS, MOST_LEVELS, groups_of, table

NUMBER = FeatureSpec("size", "fit", "number", attribute="size")


def category(*names):
    return FeatureSpec("industry", "fit", "category", attribute="industry", categories=names)


def one(values, spec=NUMBER):
    return groups_of(np.array(values, dtype=float)[:, None], (spec,))


def test_a_quantity_is_bounded_standardised_and_null_is_a_column():
    random = np.random.default_rng(0)
    x = np.append(random.normal(5, 2, 1_000), [1e9, *[np.nan] * LEAST_ROWS])
    (group,) = one(x)
    assert group.high < 15
    line, missing = group.columns(x)
    assert np.abs(line).max() < 4
    assert line[np.isnan(x)].tolist() == [0.0] * LEAST_ROWS
    assert missing.sum() == LEAST_ROWS
    assert line[~np.isnan(x)].mean() == pytest.approx(0, abs=1e-9)
    assert line[~np.isnan(x)].std() == pytest.approx(1, abs=1e-9)


def test_a_quantity_that_is_hardly_ever_another_keeps_what_it_tells():
    x = np.zeros(1_000)
    x[:5] = 3
    (group,) = one(x)
    assert (group.low, group.high) == (0, 3)


def test_what_does_not_vary_has_no_columns():
    assert one([7.0] * 50) == []
    assert one([np.nan] * 50) == []
    assert one([1.0] * 50, category("a", "b")) == []
    assert one([np.nan] * 50, category("a", "b")) == []


def test_a_constant_that_is_sometimes_missing_tells_by_its_absence():
    x = np.array([7.0] * 40 + [np.nan] * 40)
    (group,) = one(x)
    assert [column.sum() for column in group.columns(x)] == [0, 40]


def test_rare_levels_share_a_column():
    x = np.array([0.0] * 50 + [1.0] * 30 + [2.0] * 3 + [3.0] * 2 + [np.nan] * 3)
    (group,) = one(x, category("a", "b", "c"))
    assert group.levels == (0, 1)
    assert not group.missing
    assert [column.sum() for column in group.columns(x)] == [50, 30, 5]
    term = group.term(np.array([0.1, 0.2, 0.3]))
    assert term.levels == (0.1, 0.2, 0.3, 0.3)
    assert term.missing == 0


def test_ten_thousand_categories_have_few_columns():
    spec = category(*(f"c{code}" for code in range(10_000)))
    (group,) = one(np.arange(30_000) % 10_001, spec)
    assert len(group.levels) == 0
    many = np.concatenate([np.repeat(np.arange(40.0), 20), np.arange(40.0, 10_000.0)])
    (group,) = one(many, spec)
    assert len(group.levels) == MOST_LEVELS
    assert len(group.term(np.arange(MOST_LEVELS + 1.0)).levels) == 10_001


def test_a_term_is_its_columns_times_their_coefficients():
    random = np.random.default_rng(1)
    X = np.column_stack([random.exponential(3, 400), random.integers(0, 4, 400)]).astype(float)
    X[random.random((400, 2)) < 0.1] = np.nan
    specs = (NUMBER, category("a", "b", "c"))
    groups = groups_of(X, specs)
    columns, owner = table(X, groups)
    theta = random.normal(size=columns.shape[1])
    linear = Linear(tuple(group.term(theta[owner == number]) for number, group in enumerate(groups)))
    wild = np.array([[1e12, 3.0], [-1e12, 0.0], [np.nan, np.nan]])
    linear.check(specs, {})
    for rows in (X, wild):
        assert linear.of(rows, rows).sum(axis=1) == pytest.approx(table(rows, groups)[0] @ theta)


def test_no_group_is_no_column():
    columns, owner = table(np.zeros((3, 2)), [])
    assert columns.shape == (3, 0)
    assert owner.shape == (0,)


def test_wrong_shapes_and_infinities_are_refused():
    with pytest.raises(InputError, match=r"must be \(n, 1\)"):
        groups_of(np.zeros((3, 2)), (NUMBER,))
    with pytest.raises(InputError, match="infinity"):
        one([1.0, np.inf])
