from datetime import timedelta

import numpy as np
import pytest

from benchmarks import plain
from benchmarks.plain import DAY
from leadlight.metrics import auc
from tests.benchmarks.made import BEGIN, micros, write_bpic2012


def bpic(folder, cut_day=40, until_day=70, horizon=10 * DAY, ages=(1, 7, 14)):
    start = micros(BEGIN)
    return plain.bpic2012(
        folder, cut=start + cut_day * DAY, until=start + until_day * DAY, horizon=horizon, test_ages=ages
    )


def test_bpic2012_tests_open_and_mature_rows_only(tmp_path):
    write_bpic2012(tmp_path)
    found = bpic(tmp_path)
    created = {str(i): micros(BEGIN + timedelta(hours=6 * i)) for i in range(240)}
    age = np.array([at - created[lead] for lead, at in zip(found.lead_id, found.as_of, strict=True)])
    # everything is decided on day 9, so nobody is open on day 14
    assert set(age // DAY) == {1, 7}
    assert found.as_of.min() >= micros(BEGIN) + 40 * DAY
    assert found.as_of.max() + 10 * DAY <= micros(BEGIN) + 70 * DAY
    for days in (1, 7):
        expected = [at for at in created.values() if 40 * DAY <= at + days * DAY - micros(BEGIN) <= 60 * DAY]
        assert np.sum(age == days * DAY) == len(expected)


def test_bpic2012_learns_what_the_events_tell(tmp_path):
    write_bpic2012(tmp_path)
    found = bpic(tmp_path)
    assert 0 < found.train_positives < found.train_rows
    assert auc(found.label, found.probability) > 0.95


def test_bpic2012_labels_look_no_further_than_the_horizon(tmp_path):
    write_bpic2012(tmp_path)
    found = bpic(tmp_path, horizon=3 * DAY)
    # on day 1 the win of day 9 is too far away, on day 7 it is within three days
    at_day_1 = np.array([(at - micros(BEGIN)) % (6 * plain.HOUR) == 0 for at in found.as_of])
    assert at_day_1.all()
    created = np.array([micros(BEGIN + timedelta(hours=6 * int(lead))) for lead in found.lead_id])
    days = (found.as_of - created) // DAY
    assert found.label[days == 1].sum() == 0
    assert found.label[days == 7].sum() > 0


def test_bpic2012_does_not_learn_from_wins_after_the_cut(tmp_path):
    write_bpic2012(tmp_path)
    early = bpic(tmp_path, cut_day=30)
    late = bpic(tmp_path, cut_day=40)
    assert early.train_positives < late.train_positives
    # a horizon of ten days: on day 30 no application younger than nine days is known to be won
    assert early.train_rows < 3 * 4 * 30


HEADER = "Prospect ID,Lead Number,Converted,TotalVisits,Lead Source,Last Activity,Tags\n"


def write_xeducation(folder, n=400):
    rng = np.random.default_rng(1)
    lines = []
    for i in range(n):
        y = int(rng.uniform() < 0.4)
        source = "Reference" if (rng.uniform() < 0.8) == bool(y) else "Select"
        lines.append(f"p{i},{i},{y},{rng.integers(0, 9)},{source},{'SMS' if y else 'Mail'},{'won' if y else 'lost'}")
    # out of order on purpose: Lead Number is what orders
    (folder / "leads.csv").write_text(HEADER + "\n".join(lines[::-1]) + "\n")


def test_xeducation_tests_the_newest_leads(tmp_path):
    write_xeducation(tmp_path)
    found = plain.xeducation(tmp_path, train_share=0.7)
    assert found.lead_id == [f"p{i}" for i in range(280, 400)]
    assert (found.train_rows, found.as_of) == (280, None)


def test_xeducation_leaves_columns_out(tmp_path):
    write_xeducation(tmp_path)
    with_last = plain.xeducation(tmp_path, train_share=0.7)
    without = plain.xeducation(tmp_path, train_share=0.7, without=["Last Activity"])
    assert auc(with_last.label, with_last.probability) == 1.0
    assert 0.6 < auc(without.label, without.probability) < 0.95  # neither the last activity nor Tags


def write_olist(folder, won):
    lines = ["mql_id,first_contact_date,landing_page_id,origin"]
    lines += [f"m{i},{(BEGIN + timedelta(days=i)).date()},page{i % 3},origin{i % 2}" for i in range(120)]
    (folder / "marketing_qualified_leads.csv").write_text("\n".join(lines) + "\n")
    deals = [f"m{i},{(BEGIN + timedelta(days=i + after)).strftime('%Y-%m-%d %H:%M:%S')},shop" for i, after in won]
    (folder / "closed_deals.csv").write_text("\n".join(["mql_id,won_date,business_type", *deals]) + "\n")


def test_olist_learns_from_what_was_known_at_the_cut_and_tests_new_contacts(tmp_path):
    write_olist(tmp_path, [(1, 5), (50, 4), (55, 30), (65, 3), (70, 40), (80, -2)])
    start = micros(BEGIN)
    found = plain.olist(tmp_path, cut=start + 60 * DAY, until=start + 120 * DAY, horizon=20 * DAY, age=1)
    # known: contacts m0 .. m39, whose 21 days had passed, and m50, won on day 54; m55 is neither
    assert (found.train_rows, found.train_positives) == (41, 2)
    assert found.lead_id == [f"m{i}" for i in range(60, 100) if i != 80]  # m80 was won before its first contact
    assert {lead for lead, y in zip(found.lead_id, found.label, strict=True) if y} == {"m65"}


@pytest.mark.parametrize("seed", [0, 1])
def test_values_that_were_not_learnt_from_are_missing(seed):
    import polars as pl

    frame = pl.DataFrame({"number": [1, None, 3], "text": ["b", "a", f"new{seed}"]})
    X, categorical = plain._coded(frame, 2)
    assert categorical == [1]
    assert np.array_equal(X, [[1, 1], [np.nan, 0], [3, np.nan]], equal_nan=True)
