import numpy as np
import pytest

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from tests.rules import made as cards
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


SPECS = (
    FeatureSpec("visits", "frequency", "count", ("page_view",)),
    FeatureSpec("since", "recency", "days_since_last", ("page_view",)),
    FeatureSpec("share", "rhythm", "share", ("page_view",), hours=(9.0, 17.0)),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("lost", "stage", "stage_entries", stage="lost"),
)
FEWER_VISITS = {"points": 10, "when": {"activity": ["page_view"], "at_most": 0}}
NOT_VISITED = {"points": 10, "when": {"not": {"activity": ["page_view"]}}}


@pytest.mark.parametrize(
    ("rule", "wanted", "found"),
    [
        ({"points": -5, "activity": ["page_view"]}, {"visits": 1}, "lowers"),
        ({"points": 5, "activity": ["page_view"]}, {"visits": 1}, None),
        ({"points": 5, "activity": ["page_view"]}, {"visits": -1}, "raises"),
        ({"points": 5, "activity": ["page_view"]}, {"since": 1}, "lowers"),
        ({"points": 5, "activity": ["page_view"]}, {"since": -1}, None),
        ({"points": -5, "activity": ["*"]}, {"visits": 1}, "lowers"),
        ({"points": -5, "activity": ["call"]}, {"visits": 1}, None),
        ({"points": -5, "activity": ["page_view"]}, {"share": 1}, None),
        (FEWER_VISITS, {"visits": 1}, "lowers"),
        (NOT_VISITED, {"visits": 1}, "lowers"),
        ({"points": 5, "when": {"attribute": "size", "at_most": 50}}, {"size": 1}, "lowers"),
        ({"points": 5, "when": {"attribute": "size", "at_least": 50}}, {"size": 1}, None),
        ({"points": 5, "when": {"attribute": "size", "at_least": 50, "at_most": 90}}, {"size": 1}, None),
        ({"points": 5, "when": {"attribute": "size", "known": True}}, {"size": -1}, None),
        ({"points": -5, "when": {"stage": "lost", "within": "30d"}}, {"lost": 1}, "lowers"),
    ],
)
def test_rules_that_go_the_other_way_are_named(rule, wanted, found):
    card = cards.card(behaviour=[rule, {"points": 1, "activity": ["download"]}])
    said = monotone.against(SPECS, wanted, card)
    if found is None:
        assert said == ()
    else:
        ((name, direction),) = wanted.items()
        told = f"--monotone {name}={direction:+d} binds the trees only: by rule `behaviour-0` of the card, more of it "
        assert said == (f"{told}{found} the rule points, which are added",)


def test_the_points_of_a_rule_do_go_the_other_way():
    """What the sentence says is so: a model whose trees rise with `views` falls with it where a rule takes points."""
    rows = made.rows()
    signs = monotone.constraints(made.SPECS, {"views": 1})
    booster = fit(rows, made.SPECS, Recipe(USUAL, 5, signs), 1).booster
    X = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    points = np.array([0.0, -200.0])  # a rule takes them off at the first view
    low, high = booster.predict(X, raw_score=True)
    assert low <= high
    assert low + 0.05 * points[0] > high + 0.05 * points[1]


def test_a_recipe_says_its_constraints():
    assert Recipe(USUAL, 5, (0, 0)).to_json() == {**USUAL, "trees": 5}
    assert Recipe(USUAL, 5, (0, -1)).to_json()["monotone_constraints"] == [0, -1]
