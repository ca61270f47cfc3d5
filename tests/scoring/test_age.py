from dataclasses import replace

import pytest

from leadlight.schema import DAY, HOUR
from scoring import age
from tests.scoring import market

TESTED = replace(market.bundle("rules"), training={"ages_us": [DAY, 60 * DAY]})


def test_the_oldest_age_is_that_of_the_training():
    assert age.oldest(TESTED) == 60 * DAY
    assert age.oldest(None) is None
    assert age.oldest(market.bundle("rules")) is None
    assert age.oldest(replace(TESTED, scorer=replace(TESTED.scorer, horizon_us=None))) is None


@pytest.mark.parametrize(("lang", "words"), [("en", "tested (60d)"), ("ja", "60d")])
def test_a_lead_is_told_from_beyond_that_age_on(lang, words):
    assert age.note(TESTED, 60 * DAY, lang) is None
    assert words in age.note(TESTED, 60 * DAY + HOUR, lang)
    assert age.note(None, 900 * DAY, lang) is None


def test_what_was_asked_for_and_not_shown_was_not_tested():
    shown = replace(TESTED, training={"ages_us": [DAY, 60 * DAY], "ages_shown_us": [DAY]})
    assert age.oldest(shown) == DAY
    assert age.oldest(replace(TESTED, training={"ages_us": [DAY], "ages_shown_us": []})) is None


def test_the_warning_counts_and_names_the_mend():
    told = age.warning(1_234, 2_000, TESTED)
    assert told.startswith("1,234 of 2,000 scored leads are older than")
    assert "--ages" in told
    assert age.warning(0, 2_000, TESTED) is None
    assert age.warning(0, 5, None) is None
