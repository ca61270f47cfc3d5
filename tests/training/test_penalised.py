"""The optimum of a penalised logistic regression is where a general minimiser finds it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from training.penalised import minimise


def rows(seed, n=200, k=3):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
    y = (rng.random(n) < 1 / (1 + np.exp(-design @ rng.normal(size=k)))).astype(float)
    return design, y, rng.uniform(0.1, 2.0, n), rng.normal(size=n)


def loss_of(design, y, mass, ridge, *, offset, towards):
    def loss(theta):
        eta = offset + design @ theta
        return mass @ (np.logaddexp(0, eta) - y * eta) + ridge @ (theta - towards) ** 2 / 2

    return loss


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_optimum_of_a_general_minimiser(seed):
    design, y, mass, offset = rows(seed)
    ridge, towards = np.array([0.0, 1.0, 5.0]), np.array([0.0, 1.0, -1.0])
    found = minimise(design, y, mass, ridge, offset=offset, towards=towards)
    loss = loss_of(design, y, mass, ridge, offset=offset, towards=towards)
    other = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-8})
    assert found.theta == pytest.approx(other.x, abs=1e-5)
    assert found.loss == pytest.approx(loss(found.theta))
    assert found.loss <= other.fun + 1e-9


def test_where_the_loss_is_flat_enough_the_search_ends_before_nothing_moves():
    design, y, mass, offset = rows(1)
    asked = (design, y, mass, np.ones(3))
    whole, flat = minimise(*asked, offset=offset), minimise(*asked, offset=offset, flat=1e-2)
    slope = design.T @ (mass * (1 / (1 + np.exp(-offset - design @ flat.theta)) - y)) + flat.theta
    assert 1e-9 < np.abs(slope).max() <= 1e-2 * mass.sum()
    assert whole.loss < flat.loss < whole.loss + 1e-2 * mass.sum()


def test_outcomes_that_separate_are_held_by_the_prior():
    design = np.column_stack([np.ones(20), np.arange(20.0)])
    found = minimise(design, (np.arange(20) > 9).astype(float), np.ones(20), np.array([0.1, 0.1]))
    assert np.isfinite(found.theta).all()
    assert found.theta[1] > 0


def test_without_a_row_it_is_the_mean_of_the_prior():
    found = minimise(np.empty((0, 2)), np.empty(0), np.empty(0), np.ones(2), towards=np.array([1.0, 0.0]))
    assert found.theta.tolist() == [1.0, 0.0]
