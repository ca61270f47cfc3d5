import numpy as np
import pytest

from leadlight.schema import ACTIVITY_TYPES
from leadlight.simulate.noise import SCANNER, add_noise


@pytest.fixture(scope="module")
def raw(record):
    return add_noise(record, np.random.default_rng(8))


def test_noise_is_modest(record, raw):
    added = len(raw.lead) / len(record.lead) - 1
    assert 0.02 < added < 0.06
    twice = len(raw.number) - len(np.unique(raw.number))
    assert 0.012 < twice / len(raw.number) < 0.018
    assert 0.025 < (raw.received_us > raw.at_us).mean() < 0.035


def test_rows_with_one_number_are_one_event(raw):
    order = np.argsort(raw.number, kind="stable")
    same = np.flatnonzero(np.diff(raw.number[order]) == 0)
    for column in (raw.lead, raw.kind, raw.at_us, raw.received_us, raw.content, raw.agent):
        np.testing.assert_array_equal(column[order][same], column[order][same + 1])


def test_scanners_open_and_click_within_seconds_of_the_mail(record, raw):
    scans = np.flatnonzero(raw.agent == SCANNER)
    assert {ACTIVITY_TYPES[kind] for kind in raw.kind[scans]} == {"mail_open", "mail_click"}
    sent = raw.kind == ACTIVITY_TYPES.index("mail_sent")
    mails = set(zip(raw.lead[sent].tolist(), raw.at_us[sent].tolist(), strict=True))
    for row in scans[:200]:
        assert any((int(raw.lead[row]), int(raw.at_us[row]) - s * 1_000_000) in mails for s in range(6))


def test_the_export_holds_only_what_was_received(record, raw):
    assert raw.received_us.max() <= record.options.observed_until_us
    assert (raw.received_us >= raw.at_us).all()
    assert (np.diff(raw.at_us) >= 0).all()


def test_every_clean_activity_that_was_received_in_time_is_there(record, raw):
    clean = set(zip(record.lead.tolist(), record.kind.tolist(), record.at_us.tolist(), strict=True))
    kept = set(zip(raw.lead.tolist(), raw.kind.tolist(), raw.at_us.tolist(), strict=True))
    assert len(clean - kept) < 0.001 * len(clean)
