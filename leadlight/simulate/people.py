"""Companies and the people in them: drawing their traits, and what the traits say of the hidden type."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.simulate.market import Floats, Market, Trait

Codes = NDArray[np.int64]
MISSING: Final = -1  # code of a trait whose value is not known; gives the factor 1
MEAN_PEOPLE_PER_COMPANY: Final = 4.5
LARGEST_COMPANY: Final = 15  # people of one company among the leads, at most


@dataclass(frozen=True, slots=True)
class People:
    """Who the leads are.

    Attributes:
        company: index of the company of each lead, shape (n,).
        company_codes: value code of each company trait, shape (companies, company traits).
        person_codes: value code of each person trait, shape (n, person traits).
    """

    company: Codes
    company_codes: Codes
    person_codes: Codes


def draw_people(market: Market, leads: int, rng: np.random.Generator) -> tuple[People, Codes]:
    """Draw `leads` people in companies of about `MEAN_PEOPLE_PER_COMPANY`, and each one's hidden type, shape (n,).

    Company traits come first, then each lead's type given them, then the person's traits given the type: so the leads
    are independent given their companies' traits, and the prior of the type is exact.
    """
    company = _draw_companies(leads, rng)
    count = int(company.max()) + 1
    columns = [_draw_marginal(trait, count, rng) for trait in market.company_traits]
    company_codes = np.stack(columns, axis=1) if columns else np.zeros((count, 0), dtype=np.int64)
    cumulative = np.cumsum(np.exp(_log_given_company(market, company_codes)), axis=1)[company]
    kind = (rng.random((leads, 1)) > cumulative[:, :-1]).sum(axis=1)
    drawn = [_draw_given(trait, kind, rng) for trait in market.person_traits]
    person_codes = np.stack(drawn, axis=1) if drawn else np.zeros((leads, 0), dtype=np.int64)
    return People(company, company_codes, person_codes), kind


def type_prior(market: Market, people: People) -> Floats:
    """Give P(type | attributes of the lead and its company), shape (n, K); rows add up to 1."""
    log = _log_given_company(market, people.company_codes)[people.company]
    for column, trait in enumerate(market.person_traits):
        codes = people.person_codes[:, column]
        log = log + np.where((codes == MISSING)[:, None], 0.0, np.log(trait.table.T)[np.maximum(codes, 0)])
    return _normalised(log)


def _draw_companies(leads: int, rng: np.random.Generator) -> Codes:
    sizes = 1 + rng.poisson(rng.gamma(3.0, (MEAN_PEOPLE_PER_COMPANY - 1) / 3.0, leads))
    sizes = np.minimum(sizes, LARGEST_COMPANY)
    members = np.repeat(np.arange(leads), sizes)[:leads]
    return rng.permutation(members)


def _draw_marginal(trait: Trait, count: int, rng: np.random.Generator) -> Codes:
    if trait.marginal is None:
        raise ValueError(f"company trait `{trait.name}` has no marginal distribution")
    codes = rng.choice(len(trait.values), size=count, p=trait.marginal)
    return np.where(rng.random(count) < trait.missing, MISSING, codes)


def _draw_given(trait: Trait, kind: Codes, rng: np.random.Generator) -> Codes:
    cumulative = np.cumsum(trait.table, axis=1)[kind]
    codes = (rng.random((len(kind), 1)) > cumulative[:, :-1]).sum(axis=1)
    return np.where(rng.random(len(kind)) < trait.missing, MISSING, codes)


def _log_given_company(market: Market, company_codes: Codes) -> Floats:
    """Give log P(type | company), shape (companies, K)."""
    log = np.tile(market.type_logit, (len(company_codes), 1))
    for column, trait in enumerate(market.company_traits):
        codes = company_codes[:, column]
        log = log + np.where((codes == MISSING)[:, None], 0.0, trait.table.T[np.maximum(codes, 0)])
    return np.log(_normalised(log))


def _normalised(log: Floats) -> Floats:
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    normal: Floats = weight / weight.sum(axis=1, keepdims=True)
    return normal
