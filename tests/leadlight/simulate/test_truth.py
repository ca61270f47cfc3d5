import json

import numpy as np
import pytest

import leadlight.simulate
from leadlight.errors import InputError, UnknownLeadError, WorkspaceError
from leadlight.schema import DAY, STAGES
from leadlight.simulate.record import Options, run
from leadlight.simulate.truth import lead_name, true_probability, write_truth
from tests.leadlight.simulate.conftest import first_entries

BEYOND = {"sql": [2, 3, 4], "opportunity": [3, 4], "customer": [4]}


def snapshots(record, target, age_days, horizon_days):
    """Give rows, as_of and label of the mature snapshots at one age that are open for the target."""
    as_of = record.created_us + int(age_days * DAY)
    first = first_entries(record, BEYOND[target])
    stage = np.zeros(len(as_of), dtype=int)
    before = record.move_at_us < as_of[record.move_lead]
    stage[record.move_lead[before]] = record.move_stage[before]  # ordered by time: the last one stays
    end = as_of + int(horizon_days * DAY)
    keep = (end <= record.options.observed_until_us) & (first >= as_of) & (stage != STAGES.index("lost"))
    rows = np.flatnonzero(keep)
    return rows, as_of[rows], first[rows] <= end[rows]


def ask(folder, rows, as_of, target, horizon_days):
    return true_probability(folder, [lead_name(row) for row in rows], as_of, target, int(horizon_days * DAY))


@pytest.mark.parametrize(
    ("target", "age", "horizon"), [("sql", 1, 60), ("sql", 14, 60), ("opportunity", 30, 90), ("customer", 60, 180)]
)
def test_the_truth_of_each_decile_is_its_frequency(truth, record, target, age, horizon):
    """One snapshot a lead, so outcomes are independent and the sum of squared deviations is about chi-square.

    Deciles of too few expected outcomes for that are joined with the next.
    """
    rows, as_of, label = snapshots(record, target, age, horizon)
    p = ask(truth, rows, as_of, target, horizon)
    assert ((p >= 0) & (p <= 1)).all()
    squares, expected, seen, variance = [], 0.0, 0, 0.0
    for decile in np.array_split(np.argsort(p), 10):
        expected, seen, variance = (
            expected + p[decile].sum(),
            seen + label[decile].sum(),
            variance + (p[decile] * (1 - p[decile])).sum(),
        )
        if expected >= 5:
            squares.append((seen - expected) ** 2 / variance)
            expected, seen, variance = 0.0, 0, 0.0
    assert len(squares) >= 3
    assert sum(squares) < 29.6  # 99.9 % quantile with 10 degrees of freedom


def test_the_market_can_be_told_apart_but_not_perfectly(truth, record):
    """Pooled over the scheduled ages, as the market's documentation says."""
    parts = [snapshots(record, "sql", age, 60) for age in (1, 3, 7, 14, 30, 60)]
    rows, as_of, label = (np.concatenate(column) for column in zip(*parts, strict=True))
    p = ask(truth, rows, as_of, "sql", 60)
    rank = np.empty(len(p))
    rank[np.argsort(p)] = np.arange(1, len(p) + 1)
    wins = label.sum()
    auc = (rank[label].sum() - wins * (wins + 1) / 2) / (wins * (len(p) - wins))
    assert 0.80 < auc < 0.90
    cut = record.options.observed_until_us - 152 * DAY
    assert label[as_of >= cut].sum() >= 500


def test_answers_come_in_the_order_of_the_question(truth, record):
    rows, as_of, _ = snapshots(record, "sql", 30, 60)
    rows, as_of = np.repeat(rows[:40], 2), np.stack([as_of[:40], as_of[:40] - 20 * DAY], axis=1).ravel()
    p = ask(truth, rows, as_of, "sql", 60)
    mixed = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(ask(truth, rows[mixed], as_of[mixed], "sql", 60), p[mixed], atol=1e-12)
    np.testing.assert_allclose(ask(truth, rows[:1], as_of[:1], "sql", 60), p[:1], atol=1e-12)


def test_nothing_at_or_after_as_of_counts(market, record, truth, tmp_path):
    """Cut the record of a lead at as_of: the answer stays."""
    rows, as_of, _ = snapshots(record, "sql", 30, 60)
    before = ask(truth, rows, as_of, "sql", 60)
    (tmp_path / "market.json").write_bytes((truth / "market.json").read_bytes())
    data = dict(np.load(truth / "record.npz"))
    limit = np.full(len(record.created_us), np.iinfo(np.int64).max)
    limit[rows] = as_of
    for lead, at, others in (("lead", "at", ["kind"]), ("move_lead", "move_at", ["move_stage"])):
        keep = data[at] < limit[data[lead]]
        data |= {name: data[name][keep] for name in (lead, at, *others)}
    np.savez(tmp_path / "record.npz", **data)
    np.testing.assert_array_equal(ask(tmp_path, rows, as_of, "sql", 60), before)


def test_the_package_gives_the_function_and_nothing_else():
    assert leadlight.simulate.true_probability is true_probability
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = leadlight.simulate.nothing_such


def test_questions_without_an_answer_are_refused(truth, record):
    created = record.created_us[:1]
    with pytest.raises(UnknownLeadError, match="nobody"):
        true_probability(truth, ["nobody"], created + DAY, "sql", DAY)
    with pytest.raises(InputError, match="not between its creation"):
        true_probability(truth, [lead_name(0)], created, "sql", DAY)
    with pytest.raises(InputError, match="not between its creation"):
        true_probability(truth, [lead_name(0)], np.array([record.options.observed_until_us + 1]), "sql", DAY)
    with pytest.raises(InputError, match="horizon_us == 0"):
        true_probability(truth, [lead_name(0)], created + DAY, "sql", 0)
    with pytest.raises(InputError, match="one for each"):
        true_probability(truth, [lead_name(0), lead_name(1)], created + DAY, "sql", DAY)
    won = np.flatnonzero(record.move_stage == STAGES.index("customer"))[:1]
    lead, after = record.move_lead[won], record.move_at_us[won] + 1
    if after[0] <= record.options.observed_until_us:
        with pytest.raises(InputError, match="is `customer` at its as_of and so not open for `sql`"):
            true_probability(truth, [lead_name(lead[0])], after, "sql", DAY)


def test_no_snapshots_no_probabilities(truth):
    assert true_probability(truth, [], np.zeros(0, dtype=np.int64), "sql", DAY).shape == (0,)


@pytest.mark.parametrize("changed", [{"drift": 0.5}, {"base_rate_shift": 2.0}])
def test_a_changing_market_has_no_stated_truth(market, tmp_path, changed):
    write_truth(tmp_path, market, run(market, Options(leads=20, seed=1, **changed)))
    with pytest.raises(InputError, match="change over time"):
        true_probability(tmp_path, [lead_name(0)], np.array([0]), "sql", DAY)


def test_a_folder_without_truth_is_named(tmp_path):
    with pytest.raises(WorkspaceError, match="holds no truth"):
        true_probability(tmp_path, [], np.zeros(0, dtype=np.int64), "sql", DAY)


def test_another_format_is_refused(truth, tmp_path):
    about = json.loads((truth / "market.json").read_text()) | {"format": 99}
    (tmp_path / "market.json").write_text(json.dumps(about))
    (tmp_path / "record.npz").write_bytes((truth / "record.npz").read_bytes())
    with pytest.raises(WorkspaceError, match="truth format 99"):
        true_probability(tmp_path, [], np.zeros(0, dtype=np.int64), "sql", DAY)


def test_the_truth_needs_no_pickle(truth):
    with np.load(truth / "record.npz", allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "iu" for name in file.files)
