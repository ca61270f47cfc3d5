import numpy as np
import pytest

from leadlight.errors import InputError
from tests.training import made
from training import monotone
from training.fit import Recipe, fit
from training.tune import USUAL


def test_constraints_follow_the_columns():
    assert monotone.constraints(made.SPECS, {"size": -1, "views": 1}) == (1, -1, 0)
    assert monotone.constraints(made.SPECS, {}) == ()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"veiws": 1}, "did you mean `views`"),
        ({"industry": 1}, "`industry` is a category"),
        ({"views": 2}, "must be 1 or -1"),
        ({"views": 0}, "must be 1 or -1"),
    ],
)
def test_what_cannot_be_constrained_is_said(wanted, said):
    with pytest.raises(InputError, match=said):
        monotone.constraints(made.SPECS, wanted)


def test_constraints_are_read_as_they_are_written():
    assert monotone.parse(["views=+1", " size = down", "a=b=-"]) == {"views": 1, "size": -1, "a=b": -1}
    assert monotone.parse([]) == {}
    for wrong in ("views", "=1", "views=2", "views="):
        with pytest.raises(InputError, match="FEATURE="):
            monotone.parse([wrong])
    with pytest.raises(InputError, match="both directions"):
        monotone.parse(["views=up", "views=down"])


@pytest.mark.parametrize("direction", [1, -1])
def test_a_booster_keeps_to_its_constraints(direction):
    """The outcomes rise with `views`: one direction costs nothing, the other leaves nothing of the feature."""
    rows = made.rows()
    signs = monotone.constraints(made.SPECS, {"views": direction, "size": direction})
    booster = fit(rows, made.SPECS, Recipe(USUAL, 60, signs), 1).booster
    random = np.random.default_rng(0)
    X = np.column_stack([random.poisson(2, 50), random.normal(size=50), random.integers(0, 3, 50)]).astype(float)
    for place, values in ((0, range(12)), (1, np.linspace(-3, 3, 13))):
        curves = []
        for value in values:
            moved = X.copy()
            moved[:, place] = value
            curves.append(booster.predict(moved, raw_score=True))
        steps = np.diff(np.array(curves), axis=0) * direction
        assert steps.min() >= -1e-12
    free = fit(rows, made.SPECS, Recipe(USUAL, 60), 1).booster
    assert not np.allclose(free.predict(X), booster.predict(X))


def test_a_recipe_says_its_constraints():
    assert Recipe(USUAL, 5, (0, 0)).to_json() == {**USUAL, "trees": 5}
    assert Recipe(USUAL, 5, (0, -1)).to_json()["monotone_constraints"] == [0, -1]
