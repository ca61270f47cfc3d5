import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from training import encode
from training.rows import Rows


def spec(size, name="product"):
    return FeatureSpec(name, "fit", "category", attribute=name, categories=tuple(f"c{at}" for at in range(size)))


def rows_of(leads, as_of, codes, y, weight=None):
    frame = pl.DataFrame({"lead_id": [str(lead) for lead in leads], "as_of": pl.Series(as_of, dtype=pl.Int64)})
    frame = frame.with_columns(label=pl.Series(y, dtype=pl.Float64))
    X = np.column_stack([np.arange(len(y)), np.array(codes, dtype=np.float64)]).astype(np.float64)
    mass = np.ones(len(y)) if weight is None else np.array(weight, dtype=np.float64)
    return Rows(frame, X, np.zeros(len(y)), np.array(y, dtype=np.float64), mass)


VIEWS = FeatureSpec("views", "frequency", "count")


def logit(p):
    return np.log(p / (1 - p))


def slow(rows, others, horizon, spread, later=None):
    """Encode column 1 row by row, as the docstring says it; `later` rows by all of the rows, whatever their time."""
    leads, times = rows.lead_ids, rows.frame["as_of"].to_list()
    asked = rows if later is None else later
    found = []
    for lead, as_of, code in zip(asked.lead_ids, asked.frame["as_of"].to_list(), asked.X[:, 1], strict=True):
        if np.isnan(code):
            found.append(np.nan)
            continue
        known = [s for s in range(len(rows)) if later is not None or times[s] + (horizon or 0) < as_of]
        at = [s for s in known if leads[s] != lead]
        same = [s for s in at if rows.X[s, 1] == code or min(rows.X[s, 1], code) > others]
        p = (sum(rows.y[s] for s in at) + 0.5) / (len(at) + 1)
        per_lead = len(at) / len({leads[s] for s in at}) if at else 1
        m = per_lead / (spread**2 * p * (1 - p))
        q = (sum(rows.y[s] for s in same) + m * p) / (len(same) + m)
        found.append(logit(q) - logit(p))
    return found


@st.composite
def histories(draw):
    n = draw(st.integers(1, 30))
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    return rows_of(
        column(st.integers(0, 8)),
        column(st.integers(-5, 15)),
        column(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan])),
        column(st.sampled_from([0.0, 1.0])),
    )


SPECS = (VIEWS, spec(3))


@settings(max_examples=150, deadline=None)
@given(rows=histories(), horizon=st.sampled_from([None, 0, 3]), spread=st.sampled_from([0.2, 0.5, 2.0]))
def test_encoding_equals_its_definition(rows, horizon, spread):
    found = encode.encoded(rows, SPECS, (1,), horizon, spread)
    np.testing.assert_allclose(found.X[:, 1], slow(rows, 3, horizon, spread), atol=1e-9)
    np.testing.assert_array_equal(found.X[:, 0], rows.X[:, 0])
    assert found.frame is rows.frame


@settings(max_examples=80, deadline=None)
@given(rows=histories(), horizon=st.sampled_from([None, 3]), data=st.data())
def test_no_later_outcome_and_not_the_own_one_is_ever_used(rows, horizon, data):
    turned = data.draw(st.integers(0, len(rows) - 1))
    y = rows.y.copy()
    y[turned] = 1 - y[turned]
    before = encode.encoded(rows, SPECS, (1,), horizon).X[:, 1]
    after = encode.encoded(replace(rows, y=y), SPECS, (1,), horizon).X[:, 1]
    as_of = rows.frame["as_of"].to_numpy()
    untouched = (as_of <= as_of[turned] + (horizon or 0)) | (rows.lead_ids == rows.lead_ids[turned])
    np.testing.assert_array_equal(before[untouched], after[untouched])


@settings(max_examples=100, deadline=None)
@given(rows=histories(), later=histories(), spread=st.sampled_from([0.2, 0.5, 2.0]))
def test_later_rows_are_encoded_by_other_leads_among_those_learnt_from(rows, later, spread):
    found = encode.encoded_later(later, rows, SPECS, (1,), spread)
    np.testing.assert_allclose(found.X[:, 1], slow(rows, 3, None, spread, later), atol=1e-9)
    np.testing.assert_array_equal(found.X[:, 0], later.X[:, 0])
    turned = replace(later, y=1 - later.y)
    np.testing.assert_array_equal(encode.encoded_later(turned, rows, SPECS, (1,), spread).X, found.X)


def test_what_was_known_moves_the_number_and_little_evidence_moves_it_little():
    """Ten leads of product 0 won and ten of product 1 lost before the last rows are seen."""
    codes = [0, 1] * 10 + [0, 1, 2, np.nan, 7]
    y = [1, 0] * 10 + [0] * 5
    rows = rows_of(range(25), [0] * 20 + [10] * 5, codes, y)
    found = encode.encoded(rows, SPECS, (1,), 5).X[20:, 1]
    m = 1 / (0.25 * 0.25)
    assert found[0] == pytest.approx(logit((10 + m / 2) / (10 + m)))
    assert found[1] == pytest.approx(-found[0])
    assert found[2] == 0
    assert np.isnan(found[3])
    assert found[4] == 0  # a code that the specification does not have counts as others
    tighter = encode.encoded(rows, SPECS, (1,), 5, spread=0.1).X[20:, 1]
    assert 0 < tighter[0] < found[0] / 5
    assert np.array_equal(encode.encoded(rows, SPECS, (1,), 11).X[20:23, 1], [0, 0, 0])


def test_rows_of_one_lead_are_one_piece_of_evidence():
    alone = rows_of([*range(20), 99], [0] * 20 + [10], [0, 1] * 10 + [0], [1, 0] * 10 + [0])
    often = rows_of(
        [*np.repeat(range(20), 5), 99],
        [0] * 100 + [10],
        [*np.repeat([0, 1] * 10, 5), 0],
        [*np.repeat([1, 0] * 10, 5), 0],
    )
    found = [encode.encoded(rows, SPECS, (1,), 5).X[-1, 1] for rows in (alone, often)]
    assert found[0] == pytest.approx(found[1])


def test_a_table_says_the_same_of_all_that_is_known():
    """What a row sees after everything is known is what the table says of its category."""
    random = np.random.default_rng(1)
    codes = random.integers(0, 4, 300).astype(float)
    y = (random.random(300) < 0.2 + 0.15 * codes).astype(float)
    rows = rows_of(range(300), random.integers(0, 50, 300), codes, y)
    table = encode.tables(rows, SPECS, (1,))[1]
    assert len(table) == 4
    late = rows_of([f"new-{at}" for at in range(4)], [1_000] * 4, [0, 1, 2, 3], [0] * 4)
    both = Rows(
        pl.concat([rows.frame, late.frame]),
        np.vstack([rows.X, late.X]),
        np.zeros(304),
        np.concatenate([rows.y, late.y]),
        np.ones(304),
    )
    np.testing.assert_allclose(encode.encoded(both, SPECS, (1,), 10).X[-4:, 1], table)
    np.testing.assert_allclose(encode.encoded_later(late, rows, SPECS, (1,)).X[:, 1], table)
    assert list(table) == sorted(table)


def test_a_table_counts_weights_and_gives_nothing_to_what_never_came():
    rows = rows_of(range(4), [0] * 4, [0, 0, 1, np.nan], [1, 0, 0, 1], [1, 1, 2, 4])
    table = encode.tables(rows, SPECS, (1,))[1]
    p = 5.5 / 9
    m = 1 / (0.25 * p * (1 - p))
    assert table[0] == pytest.approx(logit((1 + m * p) / (2 + m)) - logit(p))
    assert table[1] == pytest.approx(logit(m * p / (2 + m)) - logit(p))
    assert table[2:] == (0.0, 0.0)


def test_quick_successes_of_young_rows_do_not_count_in_a_table():
    """Code 2 began less than a horizon (10) before the end: of its leads only those that succeeded are known."""
    old = rows_of(range(40), range(40), [at % 2 for at in range(40)], [at % 4 == 0 for at in range(40)])
    young = rows_of(range(40, 52), [45] * 12, [2] * 12, [1.0] * 12, [5.0] * 12)
    rows = Rows(
        pl.concat([old.frame, young.frame]),
        np.vstack([old.X, young.X]),
        np.zeros(52),
        np.concatenate([old.y, young.y]),
        np.concatenate([old.weight, young.weight]),
    )
    took = np.where(rows.y == 1, 1, 10)
    known = rows.frame.with_columns(known_at=pl.col("as_of") + pl.Series(took), weight=pl.Series(rows.weight))
    table = encode.tables(replace(rows, frame=known), SPECS, (1,))[1]
    assert table[2] == 0.0
    assert table == encode.tables(old, SPECS, (1,))[1]


def test_outcomes_of_one_class_are_finite_and_say_nothing_wild():
    for outcome in (0.0, 1.0):
        rows = rows_of(range(60), range(60), [at % 3 for at in range(60)], [outcome] * 60)
        numbers = [*encode.encoded(rows, SPECS, (1,), 5).X[:, 1], *encode.tables(rows, SPECS, (1,))[1]]
        assert np.isfinite(numbers).all()
        assert np.abs(numbers).max() < 1
    empty = rows_of([], [], [], [])
    assert len(encode.encoded(empty, SPECS, (1,), 5)) == 0
    assert encode.tables(empty, SPECS, (1,))[1] == (0.0,) * 4
    assert encode.prepare(empty, (VIEWS, spec(50)), 5, 0).gains == ()


def test_columns_with_many_categories_are_tried():
    assert encode.candidates((VIEWS, spec(5), spec(encode.MANY), spec(10_000))) == (2, 3)


def test_encoded_columns_are_numbers_to_those_who_fit():
    numbers = encode.as_numbers((VIEWS, spec(30), spec(40, "team")), (1,))
    assert [found.categorical for found in numbers] == [False, False, True]
    assert [found.name for found in numbers] == ["views", "product", "team"]


def market(effect, n=6_000, size=300, seed=2):
    """Make leads of many products, whose log-odds differ by `effect`; two rows a lead."""
    random = np.random.default_rng(seed)
    products = np.minimum(random.geometric(0.02, n // 2) - 1, size).repeat(2)
    own = random.normal(0, effect, size + 1)
    views = random.normal(size=n)
    log_odds = -1.5 + own[products] + 0.6 * views
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    created = np.sort(random.random(n // 2) * 300).repeat(2)
    as_of = ((created + np.tile([1, 7], n // 2)) * DAY).astype(np.int64)
    rows = rows_of(np.arange(n) // 2, as_of, products, y)
    rows.X[:, 0] = views
    return rows, (VIEWS, spec(size))


def test_an_encoding_that_helps_is_used():
    rows, specs = market(1.0)
    done = encode.prepare(rows, specs, 30 * DAY, 0)
    (gain,) = done.gains
    assert gain.used
    assert gain.gain > 0.005
    told = {"places": [1], "name": "product", "gain": gain.gain, "error": gain.error, "used": True}
    assert gain.to_json() == told
    assert list(done.encodings) == [1]
    assert len(done.encodings[1]) == 301
    assert not done.specs[1].categorical
    np.testing.assert_array_equal(done.rows.X, encode.encoded(rows, specs, (1,), 30 * DAY).X)
    assert encode.prepare(rows, specs, 30 * DAY, 0).gains == done.gains


def test_an_encoding_of_what_trees_split_well_themselves_is_not_used():
    rows, specs = market(1.0, size=encode.MANY)
    done = encode.prepare(rows, specs, 30 * DAY, 0)
    assert [gain.used for gain in done.gains] == [False]
    assert done.rows is rows
    assert done.specs == specs
    assert not done.encodings


def test_without_history_nothing_is_tried():
    rows, specs = market(1.0, n=200)
    assert encode.prepare(rows, specs, 400 * DAY, 0).gains == ()
    assert encode.prepare(rows, SPECS, 30 * DAY, 0).gains == ()


def test_nothing_is_learnt_from_what_was_not_known_at_the_origin():
    rows, _ = market(1.0)
    as_of = rows.frame["as_of"].to_numpy()
    ends = []
    for learn, later in encode._origins(rows, 30 * DAY):
        start = later.frame["as_of"].min()
        assert learn.frame["as_of"].max() + 30 * DAY < start
        ends.append((start, later.frame["as_of"].max()))
    assert len(ends) == 3
    assert all(end < start for (_, end), (start, _) in pairwise(ends))
    assert ends[-1][1] == as_of.max()


def test_large_data_is_tried_on_whole_leads(monkeypatch):
    rows, _ = market(1.0)
    assert encode._draw(rows, 0).all()
    monkeypatch.setattr(encode, "MOST_ROWS", 2_000)
    drawn = encode._draw(rows, 0)
    assert 1_700 < drawn.sum() < 2_300
    assert np.array_equal(drawn[::2], drawn[1::2])


def test_two_hundred_thousand_rows_of_ten_thousand_categories_take_seconds():
    rows, specs = market(1.0, n=200_000, size=10_000)
    rows.X[:, 1] = np.random.default_rng(0).integers(0, 10_000, len(rows) // 2).repeat(2)
    began = time.process_time()
    encode.encoded(rows, specs, (1,), 30 * DAY)
    encode.tables(rows, specs, (1,))
    assert time.process_time() - began < 10


class Seen:
    """Stands for a model: keeps what it learnt from and what it was asked to predict, and says 0 of everything."""

    def __init__(self, learnt, specs):
        self.learnt, self.specs, self.asked = learnt, specs, None

    def raw(self, rows):
        self.asked = rows
        return np.zeros(len(rows))


def test_no_row_meets_an_outcome_of_its_own_lead_in_what_encoding_is_worth(monkeypatch):
    """A third of the leads are snapshotted again much later, so that they stand on both sides of an origin."""
    rows, specs = market(1.0, n=600, size=30)
    as_of = rows.frame["as_of"].to_numpy() + np.where(np.arange(600) % 6 == 1, 150 * DAY, 0)
    rows = replace(rows, frame=rows.frame.with_columns(as_of=pl.Series(as_of)))
    models = []
    monkeypatch.setattr(encode, "fit", lambda learnt, specs, *_: models.append(Seen(learnt, specs)) or models[-1])
    encode.measure(rows, specs, 30 * DAY, 0)
    origins = list(encode._origins(rows, 30 * DAY))
    assert [model.specs[1].categorical for model in models] == [True, False] * len(origins)
    assert any(np.isin(test.lead_ids, learn.lead_ids).any() for learn, test in origins)
    for (learn, test), plain, with_it in zip(origins, models[::2], models[1::2], strict=True):
        np.testing.assert_array_equal(plain.asked.X, test.X)
        np.testing.assert_allclose(with_it.learnt.X[:, 1], slow(learn, 30, 30 * DAY, encode.SPREAD), atol=1e-9)
        np.testing.assert_allclose(with_it.asked.X[:, 1], slow(learn, 30, None, encode.SPREAD, test), atol=1e-9)


def two_columns(second, n=6_000):
    """Make the market of `market` with another column of so many values beside the product."""
    rows, specs = market(1.0, n)
    X = np.column_stack([rows.X, second(rows)])
    return replace(rows, X=X), (*specs, spec(300, "team"))


def test_columns_that_help_together_are_all_used():
    """The second column has effects of its own."""
    random = np.random.default_rng(5)
    team = random.integers(0, 300, 3_000).repeat(2)
    rows, specs = two_columns(lambda _: team)
    own = random.normal(0, 1.0, 300)[team]
    y = np.where(random.random(len(rows)) < 0.5, rows.y, (random.random(len(rows)) < 1 / (1 + np.exp(-own))) * 1.0)
    done = encode.prepare(replace(rows, y=y), specs, 30 * DAY, 0)
    product, team, together = done.gains
    assert (together.places, together.name) == ((1, 2), "product, team")
    assert product.used
    assert team.used
    assert together.used
    assert together.gain > max(product.gain, team.gain)
    assert list(done.encodings) == [1, 2]


def test_where_one_column_helps_nothing_is_tried_together():
    random = np.random.default_rng(6)
    rows, specs = two_columns(lambda rows: random.integers(0, 300, len(rows)))
    done = encode.prepare(rows, specs, 30 * DAY, 0)
    assert [(gain.places, gain.used) for gain in done.gains] == [((1,), True), ((2,), False)]


LOSSES = {(): [4.0, 4, 4, 4.1], (1,): [3.0, 3, 3, 3], (2,): [2.0, 2, 2, 2]}


@pytest.mark.parametrize(
    ("together", "used"),
    [
        ([1.9, 1.9, 1.9, 1.9], [True, True, True]),
        ([2.5, 1.7, 2.5, 1.6], [True, True, True]),  # worse than the best alone, but within an error
        ([2.1, 2.1, 2.1, 2.2], [False, True, False]),  # worse than the best alone
        ([1.0, 1.0, 1.0, 13.0], [False, True, False]),  # no better than none
        ([0.0, 0.0, 0.0, 14.5], [False, True, False]),
    ],
)
def test_the_best_alone_is_encoded_where_all_together_are_worse(together, used, monkeypatch):
    """Four rows of four leads, whose losses are given: column 2 is the best alone."""
    monkeypatch.setattr(encode._Trials, "run", lambda self, *sets: self._losses.update(given_losses(sets, together)))
    monkeypatch.setattr(encode, "_origins", lambda rows, _: iter([(rows, rows)]))
    rows = rows_of(range(4), range(4), [0] * 4, [0] * 4)
    specs = (VIEWS, spec(30), spec(40, "team"))
    gains = encode.measure(rows, specs, None, 0)
    assert [gain.used for gain in gains] == used
    assert [gain.helps for gain in gains[:2]] == [True, True]
    chosen = encode.prepare(replace(rows, X=np.zeros((4, 3))), specs, None, 0)
    assert list(chosen.encodings) == ([1, 2] if all(used) else [2])
    assert chosen.gains == gains


def given_losses(sets, together):
    return {places: np.array(LOSSES.get(places, together)) for places in sets}


def test_one_later_lead_is_no_evidence(monkeypatch):
    rows, specs = market(1.0, n=2_000)
    one = rows.take(rows.lead_ids == "999")
    monkeypatch.setattr(encode, "_origins", lambda _rows, _: iter([(rows, one)]))
    assert encode.prepare(rows, specs, 30 * DAY, 0).gains == ()
