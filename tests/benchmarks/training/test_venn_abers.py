import numpy as np
import pytest

from benchmarks.training import venn_abers


def test_a_band_counts_the_snapshots_whose_own_true_probability_lies_inside():
    p = np.linspace(0.01, 0.5, 50)
    truth = p + np.where(np.arange(50) % 5 == 0, 0.2, 0.0)
    y = (np.arange(50) % 2).astype(float)
    found = venn_abers.bands(p, truth, y, (p - 0.01, p + 0.01), 1_000)
    assert len(found) == venn_abers.BANDS
    assert [band.rows for band in found] == [10] * 5
    assert all(band.inside == 0.8 for band in found)
    first, last = found[0], found[-1]
    assert first.probability == pytest.approx(p[:10].mean())
    assert first.true_rate == pytest.approx(truth[:10].mean())
    assert first.observed == 0.5
    assert last.high - last.low == pytest.approx(0.02)
    assert first.sampling == pytest.approx(np.sqrt(first.true_rate * (1 - first.true_rate) / 200))


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--leads", "many"]])
def test_what_means_nothing_is_refused(words):
    with pytest.raises(SystemExit) as left:
        venn_abers.run(words)
    assert left.value.code == 2
