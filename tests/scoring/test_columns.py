import numpy as np

from leadlight.spec import FeatureSpec
from scoring.columns import Columns

COUNT = FeatureSpec("pricing", "frequency", "count", types=("pricing_view",))
SAME = FeatureSpec("rule_count_pricing", "rule", "count", types=("pricing_view",))
CLASH = FeatureSpec("pricing", "rule", "count", types=("pricing_view",), window_days=7)
AGE = FeatureSpec("age", "age", "age_days")


def test_a_meaning_is_computed_once_and_names_are_unique():
    columns = Columns.union((SAME, CLASH), (AGE, COUNT))
    assert len(columns.specs) == 3
    assert len({spec.name for spec in columns.specs}) == 3
    matrix = np.array([[1.0, 2.0, 3.0]])
    assert columns.for_scorer(matrix).tolist() == [[1.0, 2.0]]
    assert columns.for_card(matrix) == {"rule_count_pricing": 2.0, "pricing": 3.0}


def test_nothing_united_with_nothing():
    columns = Columns.union((), ())
    assert columns.specs == ()
    assert columns.for_scorer(np.empty((4, 0))).shape == (4, 0)
