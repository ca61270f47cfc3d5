import numpy as np
import pytest

from training.audit_company import company
from training.audit_signs import of_company

RANDOM = np.random.default_rng(0)
TALKED = RANDOM.random(2_000) < 0.5


def test_what_is_filled_only_beside_a_suspect_is_suspect():
    noted = TALKED & (RANDOM.random(2_000) < 0.6)
    found = company(noted, {"tags": TALKED, "other": RANDOM.random(2_000) < 0.5})
    assert (found.beside, found.share) == ("tags", 1.0)
    assert of_company(found).verdict == "suspect"
    assert "same hand" in of_company(found).why


def test_what_must_be_there_before_is_not():
    """Everyone who was talked to has an address, but so have others."""
    address = TALKED | (RANDOM.random(2_000) < 0.4)
    assert of_company(company(address, {"tags": TALKED})) is None


def test_what_is_filled_by_chance_is_not():
    assert company(RANDOM.random(2_000) < 0.5, {"tags": TALKED}) is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.99, 1.0])
def test_what_is_nearly_always_or_never_filled_keeps_no_company(share):
    held = np.arange(2_000) < share * 2_000
    assert company(held, {"tags": TALKED}) is None
    assert company(TALKED, {"tags": held}) is None


def test_the_surest_company_counts():
    """Beside one suspect it stands always, beside another, rarer one often."""
    noted = TALKED & (RANDOM.random(2_000) < 0.6)
    rare = noted & (RANDOM.random(2_000) < 0.9)
    assert company(noted, {"rare": rare, "tags": TALKED}).beside == "tags"


def test_without_suspects_there_is_no_company():
    assert company(TALKED, {}) is None
