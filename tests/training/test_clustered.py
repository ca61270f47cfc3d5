import numpy as np
import pytest

from training.clustered import mean_by_lead

VALUES = np.array([1.0, 1.0, 3.0, 3.0])


def test_the_standard_error_takes_whole_leads_as_units():
    weight = np.ones(4)
    assert mean_by_lead(VALUES, weight, np.array([0, 0, 1, 1])) == pytest.approx((2.0, 1.0))
    assert mean_by_lead(VALUES, weight, np.arange(4))[1] == pytest.approx(VALUES.std(ddof=1) / 2)
    assert mean_by_lead(VALUES, np.array([3.0, 1, 1, 1]), np.arange(4))[0] == pytest.approx(10 / 6)


def test_one_lead_has_no_standard_error():
    assert mean_by_lead(VALUES, np.ones(4), np.zeros(4, dtype=int)) is None
    assert mean_by_lead(np.empty(0), np.empty(0), np.empty(0, dtype=int)) is None


def test_neither_the_numbers_of_leads_nor_the_order_of_rows_nor_the_scale_of_weights_matters():
    random = np.random.default_rng(3)
    lead, values, weight = random.integers(0, 40, 200), random.normal(size=200), random.random(200)
    order = random.permutation(200)
    again = mean_by_lead(values[order], 7 * weight[order], 5 + 3 * lead[order])
    assert again == pytest.approx(mean_by_lead(values, weight, lead), rel=1e-12)


def test_the_standard_error_is_how_much_the_mean_varies_between_samples_of_leads():
    """Three rows a lead share its luck; taken as rows, the error would be too small by about a third."""
    random = np.random.default_rng(8)
    lead = np.arange(50).repeat(3)
    drawn = [mean_by_lead(random.normal(size=50).repeat(3), np.ones(150), lead) for _ in range(2_000)]
    means, errors = np.array(drawn).T
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(means.std(), rel=0.05)
