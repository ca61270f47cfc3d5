import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import SpecError
from leadlight.schema import ACTIVITY_TYPES, DAY
from rules.engine import plan, points, prior, rule_log_odds, specs, unmet
from rules.parse import builtin
from tests.rules import made, slow


def counted(card, timelines, as_of):
    wanted = specs(card)
    columns = {spec.name: np.array([slow.value(t, spec, as_of) for t in timelines]) for spec in wanted}
    return points(card, columns, n=len(timelines))


def standard(*activities, as_of=100 * DAY, **attributes):
    return counted(builtin("standard"), [made.timeline(activities, attributes=attributes)], as_of)


@settings(max_examples=80, deadline=None)
@given(made.cards(), st.lists(made.timelines(), min_size=1, max_size=3), st.integers(0, 26))
def test_points_agree_with_plain_loops_and_add_up(card, timelines, step):
    as_of = step * made.STEP
    got = counted(card, timelines, as_of)
    expected = np.array([slow.points(card, timeline, as_of) for timeline in timelines])
    np.testing.assert_allclose(got.behaviour, expected[:, 0], atol=1e-9)
    np.testing.assert_allclose(got.fit, expected[:, 1], atol=1e-9)
    np.testing.assert_array_equal(got.total, got.behaviour + got.fit)
    np.testing.assert_allclose(np.sum(list(got.by_rule.values()), axis=0), got.total, atol=1e-9)
    assert (got.behaviour >= 0).all()
    for rule in (*card.behaviour, *card.fit):
        alone = [slow.rule_points(rule, timeline, as_of) for timeline in timelines]
        np.testing.assert_allclose(got.by_rule[rule.name], alone, atol=1e-9)


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        ("blog_view", 1),
        ("download", 10),
        ("seminar_attended", 15),
        ("case_study_view", 15),
        ("pricing_view", 20),
        ("contact_form", 30),
        ("page_view", 0),
    ],
)
def test_the_standard_card_gives_the_points_of_practice(activity, expected):
    assert standard((activity, DAY)).total[0] == expected


def test_the_standard_card_says_which_article_gives_what():
    def article(content):
        return standard({"type": "blog_view", "occurred_at": DAY, "content": content}).total[0]

    assert [article("/blog/news"), article("/blog/how-to-nurture"), article("/blog/compare-tools")] == [1, 2, 3]


def test_a_hundred_views_alone_never_reach_the_threshold():
    views = [{"type": "blog_view", "occurred_at": i, "content": "/blog/how-to-compare"} for i in range(100)]
    assert standard(*views).total[0] == 10
    views += [{"type": "page_view", "occurred_at": i} for i in range(100)]
    assert standard(*views).total[0] < builtin("standard").threshold


def test_the_simple_card_gives_the_points_of_practice():
    activities = [("mail_open", 0), ("download", 0), ("seminar_attended", 0)]
    assert counted(builtin("simple"), [made.timeline(activities)], DAY).total[0] == 35


def test_silence_takes_points_once_and_never_below_zero():
    mails = [("mail_sent", day * DAY) for day in range(0, 100, 7)]
    got = standard(*mails, ("download", DAY))
    assert (got.by_rule["silent"][0], got.total[0]) == (-10, 0)
    got = standard(*mails)
    assert (got.by_rule["silent"][0], got.by_rule["behaviour:floor"][0], got.behaviour[0]) == (-10, 10, 0)
    assert standard(*mails, ("download", DAY), ("mail_open", 99 * DAY)).total[0] == 10  # returns with the next open


def test_the_floor_of_behaviour_leaves_fit_alone():
    card = made.card(
        behaviour=[{"activity": "a", "points": -5}], fit=[{"when": {"attribute": "x", "known": True}, "points": 3}]
    )
    got = counted(card, [made.timeline([("a", 0)], attributes={"x": "p"})], DAY)
    assert (got.behaviour[0], got.fit[0], got.total[0]) == (0, 3, 3)


def test_an_attribute_that_the_data_does_not_have_gives_no_points():
    card = builtin("standard")
    wanted = specs(card, {"target_company": "category", "employees": "category"})
    assert {spec.attribute for spec in wanted if spec.attribute} == {"target_company"}
    assert unmet(card, {"target_company": "category", "employees": "category"}) == (
        "job_title",
        "role",
        "employees",
        "company_size",
    )
    columns = {spec.name: np.zeros(2) for spec in wanted}
    got = points(card, columns)
    assert got.fit.tolist() == [10, 10]


def test_known_reads_an_attribute_of_either_kind():
    card = made.card(fit=[{"when": {"attribute": "x", "known": True}, "points": 3}])
    assert [specs(card, {"x": kind})[0].measure for kind in ("number", "category")] == ["number", "category"]
    assert specs(card, {"x": "number"})[0].name == specs(card)[0].name


def test_a_missing_column_of_activities_is_an_error():
    with pytest.raises(SpecError, match="rule_count_mail_open"):
        points(builtin("simple"), {}, n=1)


def test_specs_are_of_family_rule_and_shared_between_equal_questions():
    card = made.card(
        behaviour=[{"activity": ["a", "b"], "points": 1}, {"activity": ["b", "a"], "points": 2, "once": True}],
        hot_when=[{"when": {"activity": ["a", "b"], "at_least": 3}}],
    )
    (spec,) = specs(card)
    assert (spec.family, spec.types) == ("rule", ("a", "b"))
    for name in ("standard", "simple"):
        names = [spec.name for spec in specs(builtin(name))]
        assert len(set(names)) == len(names)


def test_grades_and_levels_begin_at_their_cut_offs():
    card = made.card(
        behaviour=[{"activity": "a", "points": 1}],
        fit=[{"when": {"attribute": "x", "at_least": least}, "points": 5} for least in (0, 10, 20)]
        + [{"when": {"attribute": "x", "at_most": -1}, "points": -5}],
    )
    leads = [made.timeline([("a", 0)] * n, attributes={"x": x}) for n, x in ((9, -1), (10, None), (25, 0), (50, 20))]
    got = counted(card, leads, DAY)
    assert got.fit_grade.tolist() == ["D", "C", "B", "A"]
    assert got.engagement_level.tolist() == [1, 2, 3, 4]


def test_ready_conditions_make_hot_and_exclusions_win():
    card = made.card(
        behaviour=[{"activity": "a", "points": 60}],
        fit=[{"when": {"attribute": "x", "known": True}, "points": 20}],
        hot_when=[{"when": {"activity": "b"}}],
        exclude=[{"when": {"attribute": "x", "one_of": ["competitor"]}}],
    )
    leads = [
        made.timeline([("b", 0)]),
        made.timeline([("a", 0)]),
        made.timeline([("b", 0)], attributes={"x": "competitor"}),
    ]
    got = counted(card, leads, DAY)
    assert got.hot.tolist() == [True, False, False]
    assert got.excluded.tolist() == [False, False, True]
    assert (got.total[2], got.fit_grade[2], got.engagement_level[2]) == (0, "D", 1)


def test_the_standard_cards_ready_conditions():
    pricing = [("pricing_view", day * DAY) for day in range(3)]
    webinar = {"type": "seminar_attended", "occurred_at": DAY, "content": "case-study-webinar"}
    assert standard(*pricing, webinar).hot[0]
    assert not standard(*pricing[:2], webinar).hot[0]
    assert standard(("download", DAY), target_company="yes").hot[0]
    assert not standard(("download", DAY), target_company="no").hot[0]


def test_the_prior_states_the_probability_at_the_threshold():
    card = builtin("standard")
    intercept, slope = prior(card)
    odds = np.exp(rule_log_odds(np.array([50.0, 70.0]), intercept, slope))
    assert odds[0] == pytest.approx(0.3 / 0.7)
    assert odds[1] == pytest.approx(2 * odds[0])
    assert prior(made.card(behaviour=[{"activity": "a", "points": 1}])) is None
    with pytest.raises(ValueError, match="slope"):
        rule_log_odds(np.zeros(1), 0.0, -1.0)


def test_no_leads_give_no_points():
    card = builtin("standard")
    got = points(card, {spec.name: np.empty(0) for spec in specs(card)})
    assert got.total.shape == (0,)


def test_cards_of_the_package_use_the_products_own_types():
    for name in ("standard", "simple"):
        assert {kind for spec in plan(builtin(name)).specs for kind in spec.types} <= set(ACTIVITY_TYPES)


def test_a_decayed_count_halves():
    card = made.card(behaviour=[{"activity": "a", "points": 8, "half_life": "2d"}])
    assert math.isclose(counted(card, [made.timeline([("a", 0)])], 4 * DAY).total[0], 2)


def test_a_cap_limits_a_deduction_too():
    card = made.card(behaviour=[{"activity": "a", "points": -2, "cap": 5}, {"activity": "b", "points": 50}])
    assert counted(card, [made.timeline([("a", 0)] * 4 + [("b", 0)])], DAY).total[0] == 45
