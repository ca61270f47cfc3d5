from datetime import UTC, date, datetime

import numpy as np
import pytest

from leadlight.errors import InputError
from leadlight.schema import STAGES
from leadlight.simulate.record import Options, run


def test_nothing_happens_before_creation_or_after_the_end(record):
    until = record.options.observed_until_us
    assert (record.at_us >= record.created_us[record.lead]).all()
    assert (record.move_at_us >= record.created_us[record.move_lead]).all()
    assert max(record.at_us.max(), record.move_at_us.max(), record.created_us.max()) <= until
    assert (np.diff(record.created_us) >= 0).all()


def test_a_lead_begins_with_what_its_channel_says(record):
    firsts = record.lead[record.first]
    assert len(firsts) == len(np.unique(firsts))
    np.testing.assert_array_equal(record.at_us[record.first], record.created_us[firsts])
    assert 0.5 < len(firsts) / 20_000 < 0.95


def test_deals_have_amounts(record):
    deal = np.isin(record.move_stage, [STAGES.index("opportunity"), STAGES.index("customer")])
    assert np.isfinite(record.move_amount[deal]).all()
    assert np.isnan(record.move_amount[~deal]).all()
    assert (record.move_amount[deal] >= 10_000).all()


def test_leads_arrive_on_working_days(record):
    days = [datetime.fromtimestamp(at / 1e6, UTC).weekday() for at in record.created_us[::50]]
    assert 0.85 < np.mean(np.array(days) < 5) < 0.99


def test_the_same_seed_gives_the_same_record(market):
    first, second, other = (run(market, Options(leads=300, seed=seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.at_us, second.at_us)
    np.testing.assert_array_equal(first.move_at_us, second.move_at_us)
    assert len(first.at_us) != len(other.at_us) or (first.at_us != other.at_us).any()


def test_the_start_only_moves_the_calendar():
    options = Options(leads=1, seed=1, start=date(2023, 1, 2), months=2)
    assert options.start_us == 1_672_617_600_000_000
    assert options.observed_until_us - options.start_us == options.seconds * 1_000_000


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"leads": 0}, "leads == 0"),
        ({"seed": -1}, "seed == -1"),
        ({"months": 0}, "months == 0"),
        ({"months": float("nan")}, "months == nan"),
        ({"drift": 9}, "drift == 9"),
        ({"base_rate_shift": 0}, "base-rate-shift == 0"),
    ],
)
def test_options_without_meaning_are_refused(wrong, word):
    with pytest.raises(InputError, match=word):
        Options(**{"leads": 10, "seed": 1} | wrong)
