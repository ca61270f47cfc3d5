"""What each family proposes for a small profile; `tests.features.test_batch` checks what the proposals measure."""

from dataclasses import replace

import pytest

from features import catalog
from features.families import age, breadth, decay, fit, frequency, momentum, recency, sequence, stage, touches
from features.profile import Profile
from leadlight.errors import NotEnoughDataError

SEEN = Profile(
    types=("mail_open", "pricing_view", "call"),
    actors=("lead", "sales"),
    stages=("lead", "mql"),
    has_values=True,
    has_contents=True,
    numbers=("size",),
    categories={"industry": ("it", "retail")},
    timed=True,
)
NOTHING = Profile((), (), (), has_values=False, has_contents=False, numbers=(), categories={}, timed=False)
WINDOWS = (1.0, 7.0, 30.0)


def names(specs):
    return [spec.name for spec in specs]


def by_name(specs):
    return {spec.name: spec for spec in specs}


def test_age_needs_a_clock():
    assert names(age.suggest(SEEN)) == ["age", "created_hour", "created_weekday"]
    assert age.suggest(replace(SEEN, timed=False)) == []


def test_stage_asks_how_often_and_how_long_ago_for_each_stage_seen():
    found = by_name(stage.suggest(SEEN))
    assert list(found) == ["entries.lead", "since.lead", "entries.mql", "since.mql"]
    assert (found["entries.mql"].measure, found["entries.mql"].stage) == ("stage_entries", "mql")
    assert (found["since.mql"].measure, found["since.mql"].stage) == ("days_since_stage", "mql")
    assert stage.suggest(NOTHING) == []


def test_fit_takes_numbers_as_they_are_and_categories_with_their_codes():
    size, industry = fit.suggest(SEEN)
    assert (size.name, size.measure, size.attribute) == ("fit.size", "number", "size")
    assert (industry.name, industry.measure, industry.categories) == ("fit.industry", "category", ("it", "retail"))
    assert fit.suggest(NOTHING) == []


def test_frequency_counts_all_in_every_window_and_each_type_ever_and_in_the_second():
    found = by_name(frequency.suggest(SEEN, WINDOWS, 2))
    assert list(found) == [
        *("count", "days_active", "count_1d", "count_7d", "count_30d", "contents", "value"),
        *("count.mail_open", "count_7d.mail_open", "count.pricing_view", "count_7d.pricing_view"),
    ]
    assert found["count_30d"].window_days == 30
    assert found["count_30d"].types == ()
    assert (found["count_7d.pricing_view"].types, found["count_7d.pricing_view"].window_days) == (("pricing_view",), 7)
    assert found["value"].measure == "value_sum"


def test_frequency_asks_for_no_contents_and_values_that_nobody_recorded():
    found = names(frequency.suggest(replace(SEEN, has_values=False, has_contents=False), WINDOWS, 0))
    assert found == ["count", "days_active", "count_1d", "count_7d", "count_30d"]


def test_recency_of_everything_and_of_the_commonest_types():
    found = by_name(recency.suggest(SEEN, 1))
    assert list(found) == ["recency", "first_activity", "recency.mail_open"]
    assert found["first_activity"].measure == "days_since_first"
    assert found["recency.mail_open"].types == ("mail_open",)


def test_momentum_leaves_out_the_longest_window_which_has_none_before_it():
    assert [(spec.name, spec.window_days) for spec in momentum.suggest(WINDOWS)] == [
        ("momentum_1d", 1),
        ("momentum_7d", 7),
    ]


def test_decay_has_every_half_life_for_all_types_and_for_each():
    found = by_name(decay.suggest(SEEN, (3.0, 0.5), 1))
    assert list(found) == ["decayed_3d", "decayed_0.5d", "decayed_3d.mail_open", "decayed_0.5d.mail_open"]
    assert found["decayed_0.5d.mail_open"].half_life_days == 0.5
    assert found["decayed_0.5d.mail_open"].types == ("mail_open",)


def test_breadth_ever_and_in_the_longest_window():
    ever, lately = breadth.suggest(WINDOWS)
    assert (ever.name, ever.window_days) == ("breadth", None)
    assert (lately.name, lately.window_days) == ("breadth_30d", 30)
    assert {ever.measure, lately.measure} == {"distinct_types"}


def test_sequence_knows_the_codes_of_the_types_seen():
    found = sequence.suggest(SEEN, 2)
    assert [(spec.name, spec.k, spec.categories) for spec in found] == [
        ("last_type_1", 1, SEEN.types),
        ("last_type_2", 2, SEEN.types),
    ]
    assert sequence.suggest(SEEN, 0) == []
    assert sequence.suggest(NOTHING, 2) == []


def test_touches_tell_actors_apart_where_there_is_more_than_one():
    found = by_name(touches.suggest(SEEN, WINDOWS))
    assert {spec.actor for spec in found.values()} == {"lead", "sales"}
    assert found["count_7d.by_sales"].window_days == 7
    assert found["recency.by_sales"].measure == "days_since_last"
    assert touches.suggest(replace(SEEN, actors=("lead",)), WINDOWS) == []


@pytest.mark.parametrize("most_types", [0, 2, 20])
def test_names_are_unique_over_the_whole_catalog(most_types):
    specs = catalog.from_profile(SEEN, catalog.CatalogSettings(most_types=most_types))
    assert len(set(names(specs))) == len(specs)
    assert {spec.family for spec in specs} == {
        *("age", "stage", "fit", "frequency", "recency", "momentum", "decay", "breadth", "sequence", "touches")
    }


def test_each_family_proposes_under_its_own_name():
    settings = catalog.CatalogSettings()
    own = {
        "age": age.suggest(SEEN),
        "stage": stage.suggest(SEEN),
        "fit": fit.suggest(SEEN),
        "frequency": frequency.suggest(SEEN, WINDOWS, 2),
        "recency": recency.suggest(SEEN, 2),
        "momentum": momentum.suggest(WINDOWS),
        "decay": decay.suggest(SEEN, settings.half_lives_days, 2),
        "breadth": breadth.suggest(WINDOWS),
        "sequence": sequence.suggest(SEEN, 2),
        "touches": touches.suggest(SEEN, WINDOWS),
    }
    for family, specs in own.items():
        assert {spec.family for spec in specs} == {family}


def test_what_the_data_lacks_is_not_asked_for():
    specs = catalog.from_profile(
        replace(SEEN, types=(), actors=(), stages=(), timed=False), catalog.CatalogSettings(most_types=20)
    )
    assert names(specs) == ["fit.size", "fit.industry"]
    with pytest.raises(NotEnoughDataError, match="nothing to learn from"):
        catalog.from_profile(NOTHING, catalog.CatalogSettings())


def test_types_beyond_the_most_have_no_column_of_their_own():
    specs = catalog.from_profile(SEEN, catalog.CatalogSettings(most_types=1))
    assert {spec.types for spec in specs} == {(), ("mail_open",)}
