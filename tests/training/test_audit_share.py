import pytest

from training.audit_share import least


def test_few_leads_prove_little():
    assert least(6, 10) < least(60, 100) < least(600, 1_000) < 0.6
    assert least(600_000, 1_000_000) == pytest.approx(0.6, abs=0.002)


def test_nothing_proves_nothing():
    assert least(0, 50) == 0.0
    assert least(0, 0) == 0.0
