import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import online
from leadlight.bundle import Bundle, Linear, ScorerKind
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, Timeline
from rules import engine, ledger, parse
from scoring.scale import POINTS_PER_LOG_ODDS, logit
from scoring.score import LeadScore, LeadScorer
from tests.scoring import market

KINDS: tuple[ScorerKind, ...] = ("lightgbm", "scorecard", "rules", "base_rate")


def total_log_odds(score: LeadScore) -> float:
    return score.base_log_odds + sum(part.log_odds for part in score.contributions)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 500),
    day=st.floats(0.01, 80),
    slope=st.floats(0.1, 3),
    intercept=st.floats(-3, 3),
    extras=st.sets(st.sampled_from(sorted(market.EXTRAS))),
    pooled=st.booleans(),
)
def test_parts_add_up(*, kind, seed, day, slope, intercept, extras, pooled):
    changes = {name: market.EXTRAS[name] for name in extras}
    if pooled and kind == "lightgbm":  # a segment with a part of its own beside the trees
        changes["linear"] = Linear((market.INDUSTRY,))
    bundle = market.bundle(kind, slope=slope, intercept=intercept, **changes)
    as_of = market.START + int(day * DAY)
    score = LeadScorer(bundle).score(market.timeline(seed), as_of, explain=True)
    lead = market.timeline(seed)
    served = bundle.scorer.log_odds(
        online.row(lead, as_of, bundle.scorer.specs)[np.newaxis, :],
        engine.points(parse.builtin("standard"), market.rule_columns(lead, as_of)).total,
    )[0]
    assert score.log_odds == pytest.approx(served, abs=1e-12)
    assert total_log_odds(score) == pytest.approx(served, abs=1e-9)
    assert score.base_points + sum(part.points for part in score.contributions) == pytest.approx(
        score.raw_score, abs=1e-8
    )
    three = score.reason_1_points + score.reason_2_points + score.reason_3_points
    assert score.base_points + three + score.reason_rest_points == pytest.approx(score.raw_score, abs=1e-8)
    assert score.probability == pytest.approx(1 / (1 + np.exp(-served)))
    assert score.raw_score == pytest.approx(50 + (served - logit(0.3)) * POINTS_PER_LOG_ODDS)


def test_a_scorecard_gives_reasons_by_feature():
    scorer, lead, as_of = LeadScorer(market.bundle("scorecard")), market.timeline(4), market.START + 40 * DAY
    score = scorer.score(lead, as_of, explain=True)
    found = {part.name: part for part in score.contributions}
    values = dict(zip([spec.name for spec in market.SPECS], online.row(lead, as_of, market.SPECS), strict=True))
    assert found["pricing_view_30d"].log_odds == pytest.approx(0.9 * 0.7 * (values["pricing_view_30d"] - 1) / 2)
    assert found["industry"].log_odds == pytest.approx(0.9 * 0.6)
    assert (found["industry"].kind, found["industry"].value) == ("feature", "software")
    assert found["industry"].text == "Industry: software"
    assert found["download_7d"].log_odds == 0
    assert score.score_basis == "scorecard"


def test_trees_and_a_pooled_segment_are_one_reason():
    lead, as_of = market.timeline(4), market.START + 40 * DAY
    alone, pooled = (
        {part.name: part for part in LeadScorer(bundle).score(lead, as_of, explain=True).contributions}
        for bundle in (market.bundle(), market.bundle(linear=Linear((market.INDUSTRY,))))
    )
    assert alone.keys() == pooled.keys()
    assert pooled["industry"].log_odds - alone["industry"].log_odds == pytest.approx(0.9 * 0.6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lang", "word"), [("en", "calibration"), ("ja", "補正")])
def test_the_step_of_calibration_has_its_own_name(kind, lang, word):
    lead, as_of = market.timeline(4), market.START + 40 * DAY
    score = LeadScorer(market.bundle(kind, **market.EXTRAS)).score(lead, as_of, explain=True, lang=lang)
    [step] = [part for part in score.contributions if part.kind == "calibration"]
    assert (step.name, step.value) == ("calibration", None)
    assert word in step.text
    plain = LeadScorer(market.bundle(kind)).score(lead, as_of, explain=True)
    assert not [part for part in plain.contributions if part.kind == "calibration"]
    assert score.log_odds == pytest.approx(plain.log_odds + step.log_odds + 0.6)
    assert score.base_log_odds == pytest.approx(plain.base_log_odds + 0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_holds_the_probability(kind):
    as_of = market.START + 40 * DAY
    plain = LeadScorer(market.bundle(kind)).score(market.timeline(4), as_of)
    assert (plain.interval_low, plain.interval_high) == (None, None)
    bundle = market.bundle(kind, interval=market.EXTRAS["interval"])
    scorer, wide = LeadScorer(bundle), 0
    for seed in range(20):
        score = scorer.score(market.timeline(seed), as_of)
        low, high = (float(end[0]) for end in bundle.scorer.interval_of(np.array([score.log_odds])))
        assert score.interval_low == min(low, score.probability)
        assert score.interval_high == max(high, score.probability)
        wide += low < score.probability < high
    assert wide


def test_a_corrected_base_rate_is_told():
    lead, as_of = market.timeline(4), market.START + 40 * DAY
    bundle = market.bundle(shift=0.6)
    told = replace(bundle, training={"shift": {"before": 0.05, "after": 0.2}})
    said = [LeadScorer(one).score(lead, as_of, lang="en").base_note for one in (market.bundle(), bundle, told)]
    assert said == [None, "the base rate was corrected", "the base rate was corrected from 5 % to 20 %"]
    assert "5 %から20 %" in LeadScorer(told).score(lead, as_of, lang="ja").base_note


def shap_values(X: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shap itself: its plots, and the change of its own output
        import shap

        return shap.TreeExplainer(market.booster()).shap_values(X)


def test_booster_part_is_tree_shap():
    scorer, as_of = LeadScorer(market.bundle()), market.START + 30 * DAY
    leads = [market.timeline(seed) for seed in range(20)]
    expected = shap_values(np.array([online.row(lead, as_of, market.SPECS) for lead in leads]))
    for lead, row in zip(leads, expected, strict=True):
        score = scorer.score(lead, as_of, explain=True)
        found = {part.name: part.log_odds for part in score.contributions if part.kind == "feature"}
        names = [spec.name for spec in market.SPECS]
        assert found == pytest.approx(dict(zip(names, 0.9 * row, strict=True)), abs=1e-9)


def test_rule_part_is_the_ledger():
    lead, as_of, card = market.timeline(3), market.START + 40 * DAY, parse.builtin("standard")
    score = LeadScorer(market.bundle()).score(lead, as_of, explain=True)
    found = {part.name: part.log_odds for part in score.contributions if part.kind == "rule"}
    by_rule = dict.fromkeys(found, 0.0)
    for entry in ledger.ledger(card, lead, as_of):
        by_rule[entry.rule] += entry.points
    assert found == pytest.approx({name: 0.9 * 0.03 * points for name, points in by_rule.items()}, abs=1e-9)
    assert score.rule_points == pytest.approx(sum(by_rule.values()))


def test_without_a_bundle_the_card_answers():
    lead, as_of = market.timeline(3), market.START + 40 * DAY
    score = LeadScorer(None).score(lead, as_of, explain=True)
    assert score.degraded
    assert score.score_basis == "rules"
    assert score.probability is None
    assert score.log_odds is None
    assert score.base_points == 0
    assert score.score == min(max(score.rule_points, 0.0), 100.0)
    assert sum(part.points for part in score.contributions) == pytest.approx(score.rule_points)
    assert score.model_version == "rules:standard"


def test_nothing_at_or_after_as_of_counts():
    lead, as_of = market.timeline(9), market.START + 20 * DAY
    kept = lead.activities.occurred_at < as_of
    cut = Activities(*(getattr(lead.activities, name)[kept] for name in Activities.__slots__ if name != "memo"))
    past = Timeline(lead.lead_id, lead.created_at, lead.attributes, cut, lead.stages)
    scorer = LeadScorer(market.bundle())
    assert scorer.score(lead, as_of, explain=True, scored_at=0) == scorer.score(past, as_of, explain=True, scored_at=0)


def test_an_empty_lead_scores_in_both_languages():
    empty = Timeline("nobody", market.START, {}, Activities.from_rows([]))
    for bundle in (None, market.bundle(), market.bundle("base_rate")):
        for lang in ("en", "ja"):
            score = LeadScorer(bundle).score(empty, market.START + DAY, lang=lang, explain=True)
            assert 0 <= score.score <= 100
            assert all(part.text for part in score.contributions)
    assert LeadScorer(market.bundle("base_rate")).score(empty, market.START + DAY).reason_1 is None


def test_reasons_are_the_largest_parts():
    score = LeadScorer(market.bundle()).score(market.timeline(3), market.START + 40 * DAY, explain=True)
    sizes = [abs(part.points) for part in score.contributions]
    assert sizes == sorted(sizes, reverse=True)
    assert [score.reason_1_points, score.reason_2_points, score.reason_3_points] == [
        part.points for part in score.contributions[:3]
    ]
    assert score.reason_1.startswith(score.contributions[0].text)


def test_temperature_keeps_with_the_previous_one():
    scorer = LeadScorer(market.bundle())
    lead, as_of = market.timeline(3), market.START + 40 * DAY
    raw = scorer.score(lead, as_of).raw_score
    levels = {"hot": raw + 1, "warm": raw - 10, "margin": 2}
    bundle = market.bundle()
    scorer = LeadScorer(type(bundle)(bundle.version, bundle.scorer, thresholds={"temperature": levels}))
    assert scorer.score(lead, as_of).temperature == "warm"
    assert scorer.score(lead, as_of, previous_temperature="hot").temperature == "hot"


def test_shared_between_threads():
    scorer, as_of = LeadScorer(market.bundle()), market.START + 40 * DAY
    leads = [market.timeline(seed) for seed in range(30)]
    alone = [scorer.score(lead, as_of, scored_at=0) for lead in leads]
    found: dict[int, list[LeadScore]] = {}

    def work(number: int) -> None:
        found[number] = [scorer.score(lead, as_of, scored_at=0) for lead in leads]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(4)] == [alone] * 4


def test_a_score_with_reasons_takes_milliseconds():
    scorer, lead = LeadScorer(market.bundle()), market.timeline(3)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        scorer.score(lead, market.START + 40 * DAY)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


def test_the_hot_path_stays_small():
    heavy = "{'pandas', 'sklearn', 'polars', 'narwhals', 'pyarrow', 'lightgbm', 'matplotlib'}"
    program = f"import sys, scoring.score; sys.exit(' '.join({heavy} & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


COMPANY = (
    FeatureSpec("colleagues", "company", "colleagues"),
    FeatureSpec("most", "company", "most_active_colleague", window_days=30),
    FeatureSpec("industries", "company", "roles", attribute="industry"),
)


def company_bundle() -> Bundle:
    """Give a bundle whose booster reads the company alone, in the place of the first columns of the made-up one."""
    random = np.random.default_rng(3)
    X = random.uniform(0, 6, (400, len(COMPANY)))
    y = (random.random(400) < 1 / (1 + np.exp(3 - X.sum(axis=1) / 3))).astype(int)
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "boost_from_average": False, "seed": 1}
    model = lightgbm.train(parameters, lightgbm.Dataset(X, y), num_boost_round=40)
    base = float(model.predict(X[:1], pred_contrib=True)[0, -1])
    return market.bundle(specs=COMPANY, booster=model, expected_value=base)


def test_colleagues_count_where_the_booster_reads_them():
    scorer, as_of = LeadScorer(company_bundle()), market.START + 30 * DAY
    lead, others = market.timeline(1), [market.timeline(seed) for seed in (2, 3, 6, 7)]
    alone, together = (
        scorer.score(lead, as_of, explain=True),
        scorer.score(lead, as_of, colleagues=others, explain=True),
    )
    assert scorer.plan.needs_colleagues
    values = {part.name: part.value for part in together.contributions}
    assert values["colleagues"] == 4
    assert values["industries"] == len({one.attributes["industry"] for one in [lead, *others]} - {None})
    assert together.log_odds != pytest.approx(alone.log_odds, abs=1e-3)
    assert total_log_odds(together) == pytest.approx(together.log_odds, abs=1e-9)


def test_no_colleagues_are_asked_for_where_nobody_reads_them():
    scorer = LeadScorer(market.bundle())
    assert not scorer.plan.needs_colleagues
    others = [market.timeline(2)]
    lead, as_of = market.timeline(1), market.START + 30 * DAY
    assert scorer.score(lead, as_of, colleagues=others, scored_at=0) == scorer.score(lead, as_of, scored_at=0)
