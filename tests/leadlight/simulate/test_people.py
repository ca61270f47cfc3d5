import numpy as np
import pytest

from leadlight.simulate.people import MISSING, draw_people, type_prior


@pytest.fixture(scope="module")
def drawn(market):
    return draw_people(market, 30_000, np.random.default_rng(11))


def test_the_prior_is_the_frequency_of_the_types(market, drawn):
    people, kind = drawn
    prior = type_prior(market, people)
    np.testing.assert_allclose(prior.sum(axis=1), 1.0)
    for k in range(len(market.types)):
        for rows in np.array_split(np.argsort(prior[:, k]), 5):
            p = prior[rows, k]
            spread = np.sqrt((p * (1 - p)).sum()) + 1e-9
            assert abs((kind[rows] == k).sum() - p.sum()) < 4 * spread


def test_a_missing_value_says_nothing(market, drawn):
    people, _ = drawn
    role = [trait.name for trait in market.person_traits].index("role")
    unknown = people.person_codes[:, role] == MISSING
    assert 0.2 < unknown.mean() < 0.3
    others = np.delete(people.person_codes, role, axis=1)
    assert others.shape[1] == len(market.person_traits) - 1
    assert np.isfinite(type_prior(market, people)[unknown]).all()


def test_people_of_a_company_share_its_traits(drawn):
    people, _ = drawn
    assert people.company.max() + 1 == len(people.company_codes)
    assert np.bincount(people.company).min() >= 1


def test_one_lead_is_enough(market):
    people, kind = draw_people(market, 1, np.random.default_rng(0))
    assert kind.shape == (1,)
    assert type_prior(market, people).shape == (1, len(market.types))
