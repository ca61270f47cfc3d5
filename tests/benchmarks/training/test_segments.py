import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.training import bars, segments
from benchmarks.training.segments import Found
from scoring.scale import probabilities
from tests.training import made


def found(covered, total=100, score="rules", spread=0.2):
    low, high = 0.1, 0.2
    return [
        Found(str(i // 10), score, "team", f"t{i % 10}", 40, 0.15 if i < covered else 0.3, 0.15, low, high, spread)
        for i in range(total)
    ]


@pytest.mark.parametrize(
    ("rules", "card", "model", "passes"),
    [
        (900, 900, 900, True),
        (860, 900, 900, False),
        (900, 950, 900, False),
        (900, 900, 860, False),
        (1_000, 800, 900, False),
    ],
)
def test_each_common_score_must_lie_in_the_range(rules, card, model, passes):
    by_score = {"rules": rules, "scorecard": card, "model": model}
    told = segments.figures([one for score, count in by_score.items() for one in found(count, 1_000, score)], [])
    assert told["interval_coverage"] == pytest.approx((rules + card + model) / 3_000)
    assert told["interval_coverage_by_score"] == {score: count / 1_000 for score, count in by_score.items()}
    assert (bars.missed(told) == []) is passes
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(("total", "passes"), [(1_000, True), (990, False)])
def test_a_segment_counts_once_for_the_thousand_that_are_evidence(total, passes):
    told = segments.figures(
        [one for score in segments.SCORES for one in found(total * 9 // 10, total, score)],
        [],
    )
    assert told["interval_segments"] == total
    assert told["details"]["market_segments"] == dict.fromkeys(segments.SCORES, total)
    assert [bar.key for bar in bars.missed(told)] == ([] if passes else ["interval_coverage"])


def test_coverage_is_told_by_how_much_segments_truly_differ():
    told = segments.figures([*found(90, spread=0.05), *found(80, spread=0.1), *found(70, spread=0.4)], [])
    by_spread = told["details"]["coverage_by_spread"]
    assert {name: one["coverage"] for name, one in by_spread.items()} == {
        "under 0.1": 0.9,
        "0.1 to 0.3": 0.8,
        "0.3 and more": 0.7,
    }
    assert by_spread["under 0.1"]["intervals"] == 100


def test_the_true_spread_is_that_of_what_the_common_score_lacks():
    z = np.tile([-3.0, -1.0], 300)
    codes = np.repeat([0, 1, 2], 200)
    truth = probabilities(z + 0.5 + np.array([-0.4, 0.0, 0.4])[codes])
    assert segments.true_spread(z, truth, codes) == pytest.approx(0.4 * np.sqrt(2 / 3))
    assert segments.true_spread(z, probabilities(z), codes) == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(segments.true_spread(z, np.zeros(600), codes))


def test_tails_are_told_apart():
    low = [replace(one, true=0.05) for one in found(100)[:20]]
    told = segments.figures([*found(70, 80), *low], [])
    assert (told["interval_true_below"], told["interval_true_above"]) == (0.2, 0.1)
    tails = told["details"]["tails"]
    assert (tails["rules"]["below"]["share"], tails["rules"]["above"]["share"]) == (0.2, 0.1)
    assert tails["rules"]["below"]["standard_error"] > 0
    assert tails["scorecard"]["below"] == {"share": None, "standard_error": None}


def test_no_segment_is_no_coverage():
    told = segments.figures([], [])
    assert told["interval_coverage"] is None
    assert [bar.found for bar in bars.missed(told)] == ["not defined"]


def test_the_ways_are_averaged_over_markets():
    losses = [{"pooled": 0.1, "single": 0.2, "separate": 0.3}, {"pooled": 0.3, "single": 0.2, "separate": 0.5}]
    told = segments.figures(found(90), losses)["details"]
    assert told["log_loss"] == {"pooled": 0.2, "single": 0.2, "separate": 0.4}
    assert told["compared_companies"] == 2
    assert told["pooled_minus"]["separate"]["mean"] == pytest.approx(-0.2)
    assert told["pooled_minus"]["single"] == {"mean": pytest.approx(0.0), "standard_error": pytest.approx(0.1)}


def test_companies_share_no_lead_and_a_second_deal_is_another_one():
    rows = made.rows(6_000)
    dealt = dict(segments.companies(rows, (200, 400, 800), 1))
    leads = [set(part.lead_ids) for part in dealt.values()]
    everybody = len(set(rows.lead_ids))
    assert [len(one) for one in leads][:4] == [200, 400, 800, 200]
    assert len(set.union(*leads)) == sum(map(len, leads)) <= everybody
    again = dict(segments.companies(rows, (200,), 1 + segments.AGAIN))
    assert not set(dealt) & set(again)
    assert set(next(iter(again.values())).lead_ids) != leads[0]


@pytest.mark.slow
def test_a_small_market_from_end_to_end(capsys):
    status = segments.run(["--seeds", "1", "--leads", "2400", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert status in {0, 1}
    assert told["details"]["market_segments"]["rules"] > 20
