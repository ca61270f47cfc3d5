from benchmarks.training import market as markets
from leadlight.schema import DAY


def test_a_simulated_market_has_rows_on_both_sides_of_its_cut():
    told = []
    found = markets.simulated(400, 3, told.append)
    assert found.known.frame["known_at"].max() < found.split.cut <= found.test.frame["as_of"].min()
    assert found.known.X.shape[1] == found.test.X.shape[1] == len(found.specs)
    assert set(found.test.frame["age"].unique()) <= {DAY, 7 * DAY, 30 * DAY}
    assert told == ["simulating 400 leads, seed 3"]
