"""Odoo's naive Bayes against counts worked by hand."""

import numpy as np
import pytest

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from training.odoo import OdooBayes, texts_of


def texts(*values):
    return np.array(values, dtype=object)


COUNTRY = texts("jp", "jp", "us", None, "us", "jp")
SOURCE = texts("ad", "ad", "ad", "seminar", None, "seminar")
STAGE = ["lead", "mql", "lead", "mql", "lead", "lead"]
WON = [1, 1, 0, 0, 0, 0]


def fitted():
    return OdooBayes.fit({"country": COUNTRY, "source": SOURCE}, STAGE, WON)


def test_a_probability_by_hand():
    # country jp: won 2 + 0.1 of 2.2, lost 1 + 0.1 of 3.2 (us: won 0.1, lost 2.1); source ad: won 2.1 of 2.2,
    # lost 1.1 of 3.2; stage mql: every won lead, one lost lead of four; prior from the first stage: 2.1 and 4.1.
    won = 2.1 * (2.1 / 2.2) * (2.1 / 2.2) * (2.1 / 2.1)
    lost = 4.1 * (1.1 / 3.2) * (1.1 / 3.2) * (1.1 / 4.1)
    p = fitted().probability({"country": texts("jp"), "source": texts("ad")}, ["mql"])
    assert p[0] == round(100 * won / (won + lost), 2) / 100


def test_unset_and_unseen_values_are_skipped():
    model = fitted()
    unknown = model.probability({"country": texts(None, "fr"), "source": texts("fair", None)}, ["lead", "lead"])
    assert unknown == pytest.approx([round(100 * 2.1 / 6.2, 2) / 100] * 2)


def test_a_later_stage_never_lowers_the_probability():
    p = fitted().probability(
        {"country": texts(*["jp"] * 4), "source": texts(*["ad"] * 4)}, ["lead", "mql", "sql", "opportunity"]
    )
    assert np.all(np.diff(p) >= 0)
    assert p[1] > p[0]


def test_independence_gives_extremes_and_the_clamp_stops_them():
    columns = {f"field-{k}": texts(*["yes"] * 50, *["no"] * 50) for k in range(8)}
    model = OdooBayes.fit(columns, ["lead"] * 100, [1] * 50 + [0] * 50)
    same = {name: texts("yes", "no") for name in columns}
    assert model.probability(same, ["lead", "lead"]) == pytest.approx([0.9999, 0.0001], abs=1e-12)


def test_the_answer_has_two_decimals_of_a_percent():
    rng = np.random.default_rng(0)
    column = rng.choice(np.array(["a", "b", "c", "d"], dtype=object), 500)
    model = OdooBayes.fit({"f": column}, ["lead"] * 500, (rng.random(500) < 0.3).astype(float))
    percent = 100 * model.probability({"f": column}, ["lead"] * 500)
    assert percent == pytest.approx(np.round(percent, 2), abs=1e-9)
    assert np.mean(percent) == pytest.approx(30, abs=5)


@pytest.mark.parametrize(("labels", "expected"), [([0] * 4, 0.1 / 4.2), ([1] * 4, 4.1 / 4.2), ([], 0.5)])
def test_one_class_or_nothing_leaves_the_prior(labels, expected):
    n = len(labels)
    model = OdooBayes.fit({"f": texts(*[None] * n)}, ["lead"] * n, labels)
    assert model.probability({"f": texts("x")}, ["lead"])[0] == pytest.approx(expected, abs=5e-5)


def test_texts_of_takes_attributes_and_leaves_behaviour():
    specs = (
        FeatureSpec(name="n", family="frequency", measure="count"),
        FeatureSpec(name="last", family="sequence", measure="last_type", categories=("form",)),
        FeatureSpec(name="country", family="fit", measure="category", attribute="country", categories=("jp", "other")),
    )
    X = np.array([[1, 0, 0], [2, 0, 1], [3, 0, 2], [4, 0, np.nan]])
    columns = texts_of(X, specs)
    assert list(columns) == ["country"]
    assert columns["country"].tolist() == ["=jp", "=other", "other", None]


REFUSED = [
    (lambda: OdooBayes.fit({}, ["lead"], [0.5]), "labels must be 0"),
    (lambda: OdooBayes.fit({"f": texts("a")}, ["lead", "lead"], [0, 1]), "`f` has 1 rows, labels have 2"),
    (lambda: OdooBayes.fit({}, ["lead"], [0, 1]), "`stage` has 1 rows"),
    (lambda: OdooBayes.fit({}, ["sqll"], [0]), "stage `sqll` does not exist; did you mean `sql`"),
    (lambda: OdooBayes.fit({}, ["lost"], [0]), "stage `lost` does not exist"),
    (lambda: fitted().probability({"country": COUNTRY}, STAGE), "field `source` does not exist"),
    (lambda: fitted().probability({"country": COUNTRY, "source": SOURCE[:2]}, STAGE), "`source` has 2 rows"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_cannot_be_counted_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
