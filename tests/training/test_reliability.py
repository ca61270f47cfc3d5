import json

import numpy as np
import pytest

from leadlight import metrics
from leadlight.errors import InputError
from leadlight.schema import DAY
from training import reliability


def drawn(n=4_000, seed=1, off=0.0):
    random = np.random.default_rng(seed)
    p = random.beta(1, 9, n)
    return (random.random(n) < np.clip(p + off, 0, 1)).astype(float), p


def test_every_age_and_segment_has_its_own_figures_and_bar():
    y, p = drawn()
    age = np.where(np.arange(4_000) % 2, DAY, 7 * DAY)
    team = [None if i % 10 == 0 else "ab"[i % 2] for i in range(4_000)]
    found = reliability.slices(y, p, 0, age=age, segments={"team": team})
    assert [(s.segment, s.value, s.age_us) for s in found[:2]] == [(None, None, DAY), (None, None, 7 * DAY)]
    assert {s.value for s in found[2:]} == {"a", "b", reliability.MISSING}
    chosen = (age == DAY) & np.array([value == "b" for value in team])
    part = next(s for s in found if (s.value, s.age_us) == ("b", DAY))
    assert (part.rows, part.positives) == (chosen.sum(), y[chosen].sum())
    assert part.expected == pytest.approx(p[chosen].mean())
    assert part.observed == pytest.approx(y[chosen].mean())
    assert (part.low, part.high) == metrics.wilson_interval(int(y[chosen].sum()), int(chosen.sum()))
    assert part.ece == metrics.ece(y[chosen], p[chosen])
    assert part.bar == metrics.ece_bar(p[chosen], 0)
    assert sum(b.rows for b in part.bins) == part.rows


def test_what_is_calibrated_is_within_its_bar_and_what_is_not_is_not():
    good, bad = (reliability.slices(*drawn(off=off), 0)[0] for off in (0.0, 0.05))
    assert good.within_noise
    assert good.ok
    assert not bad.within_noise
    assert not bad.ok
    assert bad.low > bad.expected


def test_slices_above_their_bar_by_chance_are_counted():
    random = np.random.default_rng(2)
    p = random.beta(1, 9, 20_000)
    y = (random.random(20_000) < p).astype(float)
    found = reliability.slices(y, p, 0, age=np.arange(20_000) % 50)
    told = reliability.to_json(found)
    assert told["above_bar_by_chance"] == pytest.approx(2.5)
    assert told["above_bar"] <= 8
    assert json.loads(json.dumps(told, allow_nan=False))["slices"][0]["bins"][0]["rows"] > 0


def test_rare_values_are_told_together():
    y, p = drawn(1_000)
    values = [f"v{i % 40}" for i in range(1_000)]
    found = reliability.slices(y, p, 0, segments={"country": values})
    of_country = [s for s in found if s.segment == "country"]
    assert len(of_country) == reliability.MOST_VALUES + 1
    assert of_country[-1].value == reliability.OTHERS
    assert sum(s.rows for s in of_country) == 1_000


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_row_and_one_class_are_slices(outcome):
    (part,) = reliability.slices([outcome], [0.5], 0)
    assert (part.rows, part.ece) == (1, 0.5)
    json.dumps(reliability.to_json([part]), allow_nan=False)


def test_no_row_gives_no_slice_and_bad_shapes_are_refused():
    assert reliability.slices([], [], 0, age=np.empty(0, np.int64), segments={"team": []}) == ()
    with pytest.raises(InputError, match="`team` has shape"):
        reliability.slices([0.0], [0.5], 0, segments={"team": []})
    with pytest.raises(InputError, match="`age` has shape"):
        reliability.slices([0.0], [0.5], 0, age=[1, 2])
