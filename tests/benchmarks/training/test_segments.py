import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.training import bars, segments
from benchmarks.training.segments import Found
from training.rows import lead_hash


def found(covered, total=100, score="rules"):
    low, high = 0.1, 0.2
    return [
        Found(str(i // 10), score, "team", "a", 40, 0.15 if i < covered else 0.3, 0.15, low, high) for i in range(total)
    ]


@pytest.mark.parametrize(
    ("rules", "card", "passes"), [(900, 900, True), (860, 900, False), (900, 950, False), (1_000, 800, False)]
)
def test_each_common_score_must_lie_in_the_range(rules, card, passes):
    told = segments.figures([*found(rules, 1_000), *found(card, 1_000, score="scorecard")], [])
    assert told["interval_coverage"] == (rules + card) / 2_000
    assert told["interval_coverage_by_score"] == {"rules": rules / 1_000, "scorecard": card / 1_000}
    assert (bars.missed(told) == []) is passes
    json.dumps(told, allow_nan=False)


def test_fewer_than_a_thousand_market_segments_are_no_evidence():
    enough, few = (
        segments.figures([*found(total * 9 // 10, total), *found(total * 9 // 10, total, score="scorecard")], [])
        for total in (500, 490)
    )
    assert (enough["interval_segments"], few["interval_segments"]) == (1_000, 980)
    assert bars.missed(enough) == []
    assert [bar.key for bar in bars.missed(few)] == ["interval_coverage"]


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


def test_companies_share_no_lead():
    leads = np.array([f"l{i // 3}" for i in range(6_000)], dtype=object)
    dealt = list(segments.companies(lead_hash(leads, 1)))
    assert [len(set(leads[rows])) for rows in dealt] == [200, 400, 800, 200, 400]
    assert (np.sum(dealt, axis=0) == 1).all()


@pytest.mark.slow
def test_a_small_market_from_end_to_end(capsys):
    status = segments.run(["--seeds", "1", "--leads", "2400", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert status in {0, 1}
    assert told["details"]["market_segments"]["rules"] > 20
