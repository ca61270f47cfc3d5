"""What each family proposes for a small profile; the tests of the engines check what the proposals measure."""

from dataclasses import replace

import pytest

from features import catalog
from features.families import (
    age,
    breadth,
    company,
    decay,
    fit,
    frequency,
    momentum,
    recency,
    rhythm,
    sequence,
    stage,
    touches,
)
from features.profile import Profile
from leadlight.errors import NotEnoughDataError

SEEN = Profile(
    types=("mail_open", "pricing_view", "call"),
    actors=("lead", "sales"),
    stages=("lead", "mql"),
    has_values=True,
    has_contents=True,
    numbers=("size",),
    categories={"industry": ("it", "retail"), "job_title": ("staff", "manager")},
    timed=True,
    dates=("founded",),
    channels=("mail", "phone"),
    repeated=("mql",),
    type_share={"mail_open": 0.9, "pricing_view": 0.5, "call": 0.25},
    actor_share={"lead": 1.0, "sales": 0.25},
    channel_share={"mail": 0.9, "phone": 0.25},
    own_types=("mail_open", "pricing_view"),
    missing={"size": 0.3, "industry": 0.01, "job_title": 0.5},
    changed={"job_title": 0.1},
    company=0.8,
    role_like=("job_title",),
)
NOTHING = Profile((), (), (), has_values=False, has_contents=False, numbers=(), categories={}, timed=False)
WINDOWS = (1.0, 7.0, 30.0)


def names(specs):
    return [spec.name for spec in specs]


def by_name(specs):
    return {spec.name: spec for spec in specs}


def test_age_needs_a_clock_and_reads_it_in_local_time():
    found = by_name(age.suggest(SEEN, 9.0))
    assert list(found) == ["age", "created_weekday", "created_hour"]
    assert found["created_hour"].utc_offset_hours == found["created_weekday"].utc_offset_hours == 9
    assert age.suggest(replace(SEEN, timed=False)) == []


def test_stage_asks_how_often_only_where_leads_come_back_and_how_long_they_are_there():
    found = by_name(stage.suggest(SEEN))
    assert list(found) == ["since.mql", "entries.mql", "in_stage", "since.lead"]
    assert (found["entries.mql"].measure, found["entries.mql"].stage) == ("stage_entries", "mql")
    assert (found["since.lead"].measure, found["since.lead"].stage) == ("days_since_stage", "lead")
    assert found["in_stage"].measure == "days_in_stage"
    assert stage.suggest(NOTHING) == []


def test_fit_takes_numbers_categories_with_their_codes_and_dates():
    found = by_name(fit.suggest(SEEN, 9.0))
    assert list(found) == ["fit.size", "fit.industry", "fit.job_title", "fit.founded"]
    assert (found["fit.size"].measure, found["fit.size"].attribute) == ("number", "size")
    assert (found["fit.industry"].measure, found["fit.industry"].categories) == ("category", ("it", "retail"))
    assert (found["fit.founded"].measure, found["fit.founded"].utc_offset_hours) == ("days_since_date", 9)
    assert fit.suggest(NOTHING) == []


def test_that_a_value_is_missing_or_changed_is_a_signal_where_it_is_noticeable():
    found = by_name(fit.suggest_signals(SEEN))
    assert list(found) == ["changes.job_title", "missing.job_title", "missing.size"]
    assert (found["missing.size"].measure, found["missing.size"].attribute) == ("missing", "size")
    assert found["changes.job_title"].measure == "changes"
    assert names(fit.suggest_signals(replace(SEEN, missing={"size": 0.97}, changed={}))) == []


def test_frequency_counts_all_in_every_window_each_type_ever_and_in_the_second_and_each_channel():
    found = by_name(frequency.suggest(SEEN, WINDOWS, 2, 9.0))
    assert list(found) == [
        *("count", "days_active", "count_1d", "count_7d", "count_30d", "value", "contents"),
        *("count.mail_open", "count_7d.mail_open", "count.pricing_view", "count_7d.pricing_view"),
        *("count.via_mail", "count.via_phone"),
    ]
    assert found["count_30d"].window_days == 30
    assert found["count_30d"].types == ()
    assert (found["count_7d.pricing_view"].types, found["count_7d.pricing_view"].window_days) == (("pricing_view",), 7)
    assert found["value"].measure == "value_sum"
    assert found["days_active"].utc_offset_hours == 9
    assert found["count.via_phone"].channel == "phone"


def test_frequency_asks_for_no_contents_values_and_channels_that_nobody_recorded():
    found = names(frequency.suggest(replace(SEEN, has_values=False, has_contents=False, channels=("web",)), WINDOWS, 0))
    assert found == ["count", "days_active", "count_1d", "count_7d", "count_30d"]


def test_recency_of_everything_and_of_the_commonest_types():
    found = by_name(recency.suggest(SEEN, 1))
    assert list(found) == ["recency", "first_activity", "recency.mail_open"]
    assert found["first_activity"].measure == "days_since_first"
    assert found["recency.mail_open"].types == ("mail_open",)


def test_momentum_leaves_out_the_longest_window_which_has_none_before_it():
    found = by_name(momentum.suggest(SEEN, WINDOWS))
    assert {name: spec.window_days for name, spec in found.items()} == {
        "momentum_7d": 7,
        "trend_7d": 7,
        "momentum_1d": 1,
    }
    assert found["trend_7d"].measure == "trend"
    assert {spec.actor for spec in found.values()} == {"lead"}
    assert {spec.actor for spec in momentum.suggest(replace(SEEN, actors=("lead",)), WINDOWS)} == {None}


def test_decay_has_the_middle_half_life_of_each_type_before_the_others():
    found = by_name(decay.suggest(SEEN, (3.0, 14.0, 0.5), 2))
    assert list(found) == [
        *("decayed_3d", "decayed_14d", "decayed_0.5d", "decayed_14d.mail_open", "decayed_14d.pricing_view"),
        *("decayed_3d.mail_open", "decayed_0.5d.mail_open", "decayed_3d.pricing_view", "decayed_0.5d.pricing_view"),
    ]
    assert found["decayed_0.5d.mail_open"].half_life_days == 0.5
    assert found["decayed_0.5d.mail_open"].types == ("mail_open",)


def test_rhythm_looks_at_what_the_lead_did_by_its_own_clock():
    found = by_name(rhythm.suggest(SEEN, WINDOWS, 9.0))
    assert set(found) == {"sessions_7d", "sessions", "gap_mean", "gap_spread", "share.office_hours", "share.weekend"}
    assert {spec.actor for spec in found.values()} == {"lead"}
    assert (found["sessions_7d"].gap_minutes, found["sessions_7d"].window_days) == (30, 7)
    office = found["share.office_hours"]
    assert (office.hours, office.weekdays, office.utc_offset_hours) == ((9, 18), (0, 1, 2, 3, 4), 9)
    assert found["share.weekend"].weekdays == (5, 6)
    assert rhythm.suggest(replace(SEEN, timed=False), WINDOWS) == []


def test_breadth_in_the_longest_window_and_ever():
    lately, ever = breadth.suggest(SEEN, WINDOWS)
    assert (ever.name, ever.window_days) == ("breadth", None)
    assert (lately.name, lately.window_days) == ("breadth_30d", 30)
    assert {(spec.measure, spec.actor) for spec in (lately, ever)} == {("distinct_types", "lead")}


def test_sequence_knows_the_codes_of_the_types_seen_and_pairs_what_the_lead_does():
    found = by_name(sequence.suggest(SEEN, 3, 7.0))
    assert list(found) == [
        *("last_type_1", "last_type_2", "returned_1d", "last_type_3"),
        "followed_7d.mail_open.pricing_view",
    ]
    assert {spec.categories for spec in found.values() if spec.measure == "last_type"} == {SEEN.types}
    assert [found[f"last_type_{k}"].k for k in (1, 2, 3)] == [1, 2, 3]
    pair = found["followed_7d.mail_open.pricing_view"]
    assert (pair.types, pair.then_types, pair.within_days) == (("mail_open",), ("pricing_view",), 7)
    back = found["returned_1d"]
    assert (back.measure, back.actor, back.then_actor, back.within_days) == ("followed_share", "lead", "lead", 1)
    assert names(sequence.suggest(replace(SEEN, own_types=()), 0, 7.0)) == ["returned_1d"]
    assert sequence.suggest(NOTHING, 2, 7.0) == []


def test_touches_tell_actors_apart_where_there_is_more_than_one_and_count_answers():
    found = by_name(touches.suggest(SEEN, WINDOWS, 3.0, 9.0))
    assert list(found)[:3] == ["recency.by_lead", "recency.by_sales", "answered_3d.by_sales"]
    answered = found["answered_3d.by_sales"]
    assert (answered.measure, answered.actor, answered.then_actor, answered.within_days) == (
        *("followed_share", "sales", "lead"),
        3,
    )
    assert {spec.actor for spec in found.values()} == {"lead", "sales"}
    assert found["count_7d.by_sales"].window_days == 7
    assert found["days.by_sales"].utc_offset_hours == 9
    assert touches.suggest(replace(SEEN, actors=("lead",)), WINDOWS, 3.0) == []
    nobody_answers = names(touches.suggest(replace(SEEN, actors=("marketing", "sales")), WINDOWS, 3.0))
    assert not any(name.startswith("answered") for name in nobody_answers)


def test_company_asks_for_colleagues_where_there_are_accounts_and_adds_nothing_up():
    found = by_name(company.suggest(SEEN, WINDOWS))
    assert list(found) == [
        *("colleagues_active_7d", "colleague_recency", "roles.job_title", "most_active_colleague_7d", "colleagues")
    ]
    assert {spec.facts.source for spec in found.values()} == {"colleagues"}
    assert found["roles.job_title"].attribute == "job_title"
    assert found["colleagues_active_7d"].window_days == 7
    assert company.suggest(replace(SEEN, company=0.0), WINDOWS) == []


OWN = {
    "age": age.suggest(SEEN),
    "stage": stage.suggest(SEEN),
    "fit": [*fit.suggest(SEEN), *fit.suggest_signals(SEEN)],
    "frequency": frequency.suggest(SEEN, WINDOWS, 2),
    "recency": recency.suggest(SEEN, 2),
    "momentum": momentum.suggest(SEEN, WINDOWS),
    "decay": decay.suggest(SEEN, (3.0,), 2),
    "rhythm": rhythm.suggest(SEEN, WINDOWS),
    "breadth": breadth.suggest(SEEN, WINDOWS),
    "sequence": sequence.suggest(SEEN, 2, 7.0),
    "touches": touches.suggest(SEEN, WINDOWS, 7.0),
    "company": company.suggest(SEEN, WINDOWS),
}


@pytest.mark.parametrize("family", OWN)
def test_each_family_proposes_under_its_own_name(family):
    assert {spec.family for spec in OWN[family]} == {family}


@pytest.mark.parametrize("most_types", [0, 2, 20])
def test_names_are_unique_over_the_whole_catalog(most_types):
    specs = catalog.from_profile(SEEN, catalog.CatalogSettings(most_types=most_types, most_features=1000))
    assert len(set(names(specs))) == len(specs)
    assert {spec.family for spec in specs} == set(OWN)


def test_what_the_data_lacks_is_not_asked_for():
    bare = replace(SEEN, types=(), actors=(), stages=(), timed=False, dates=(), company=0.0, missing={}, changed={})
    assert names(catalog.from_profile(bare, catalog.CatalogSettings())) == ["fit.size", "fit.industry", "fit.job_title"]
    with pytest.raises(NotEnoughDataError, match="nothing to learn from"):
        catalog.from_profile(NOTHING, catalog.CatalogSettings())


def test_types_beyond_the_most_have_no_column_of_their_own():
    specs = catalog.from_profile(replace(SEEN, own_types=()), catalog.CatalogSettings(most_types=1))
    assert {spec.types for spec in specs} == {(), ("mail_open",)}
