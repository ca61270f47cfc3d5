"""The fast replicates against the plain metrics under the same weights, and the drawing itself."""

import doctest

import numpy as np
import pytest

from leadlight import metrics
from leadlight.errors import InputError
from training import bootstrap
from training.bootstrap import lead_bootstrap, lead_codes, replicate_metrics


def rows(seed=0, n=300, leads=120):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 5, n)
    y = (rng.random(n) < p).astype(float)
    return y, {"fine": p, "tied": np.round(p, 1), "constant": np.full(n, 0.2)}, rng.integers(0, leads, n).astype(str)


def test_every_replicate_equals_the_plain_metric_under_its_weights(monkeypatch):
    monkeypatch.setattr(bootstrap, "BLOCK_CELLS", 2_000)
    y, scores, ids = rows()
    codes, n_leads = lead_codes(ids)
    drawn = replicate_metrics(y, scores, codes, n_leads, replicates=25, seed=1)
    counts = np.concatenate(list(lead_bootstrap(n_leads, 25, 1)))
    plain = {
        "auc": metrics.auc,
        "log_loss": metrics.log_loss,
        "brier": metrics.brier,
        "lift10": metrics.top_decile_lift,
    }
    for scorer, p in scores.items():
        for metric, function in plain.items():
            expected = [function(y, p, weights=line[codes]) for line in counts]
            assert drawn[metric][scorer] == pytest.approx(expected, abs=1e-10), (metric, scorer)


def test_ece_keeps_the_bins_of_the_rows():
    y, scores, ids = rows()
    codes, n_leads = lead_codes(ids)
    drawn = replicate_metrics(y, scores, codes, n_leads, replicates=5, seed=1)["ece"]["fine"]
    bins = metrics.equal_mass_bins(scores["fine"])
    for line, value in zip(np.concatenate(list(lead_bootstrap(n_leads, 5, 1))), drawn, strict=True):
        weights = line[codes]
        gaps = np.bincount(bins, weights * (y - scores["fine"]))
        assert value == pytest.approx(np.abs(gaps).sum() / weights.sum(), abs=1e-12)


def test_leads_are_drawn_whole_and_as_many_as_there_are():
    counts = np.concatenate(list(lead_bootstrap(50, 400, 3)))
    assert counts.shape == (400, 50)
    assert np.all(counts.sum(axis=1) == 50)
    assert counts.mean() == 1
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.05)


def test_the_seed_decides_and_the_chunk_does_not(monkeypatch):
    whole = np.concatenate(list(lead_bootstrap(7, 30, 5)))
    assert not np.array_equal(whole, np.concatenate(list(lead_bootstrap(7, 30, 6))))
    monkeypatch.setattr(bootstrap, "CHUNK_CELLS", 21)
    parts = list(lead_bootstrap(7, 30, 5))
    assert len(parts) == 10
    assert np.array_equal(np.concatenate(parts), whole)


def test_every_example_in_the_docstrings_holds():
    assert doctest.testmod(bootstrap) == (0, 1)


def test_codes_follow_the_ids_and_not_the_order_of_rows():
    codes, n = lead_codes(["b", "a", "c", "a"])
    assert (codes.tolist(), n) == ([1, 0, 2, 0], 3)


def test_one_class_gives_nan_where_a_metric_does_not_exist():
    codes, n_leads = lead_codes(["a", "b", "c"])
    drawn = replicate_metrics(np.zeros(3), {"m": np.array([0.1, 0.2, 0.3])}, codes, n_leads, replicates=4, seed=0)
    assert np.isnan(drawn["auc"]["m"]).all()
    assert np.isnan(drawn["lift10"]["m"]).all()
    assert np.isfinite(drawn["log_loss"]["m"]).all()


@pytest.mark.parametrize(("leads", "replicates"), [(0, 5), (5, 0)])
def test_nothing_to_draw_is_refused(leads, replicates):
    with pytest.raises(InputError, match="both must be >= 1"):
        next(lead_bootstrap(leads, replicates, 0))
