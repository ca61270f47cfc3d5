import polars as pl

from leadlight.ingest import order_clock
from tests.leadlight.ingest.conftest import World

MAPPING = """\
clock: order(Number)
missing: [Select]
files:
  - file: "*.csv"
    tables:
      - table: leads
        columns: { lead_id: id }
        attributes: { visits: { kind: number, known_at: creation } }
      - table: stages
        where: { converted: "1" }
        columns: { lead_id: id, stage: { constant: customer } }
"""
MINUTE = 60_000_000


def test_instants_are_ranks_in_minutes():
    instants = pl.DataFrame({"o": [30.0, 10.0, 20.0, 10.0]}).select(order_clock.created_at(pl.col("o")))
    first = order_clock.EPOCH
    assert instants.to_series().to_list() == [first + 2 * MINUTE, first, first + MINUTE, first]


def world(tmp_path):
    return World(tmp_path, MAPPING)


def instants(made):
    leads = made.workspace.scan("leads").select("lead_id", pl.col("created_at").cast(pl.Int64)).collect()
    stages = made.workspace.scan("stages").select("lead_id", pl.col("entered_at").cast(pl.Int64)).collect()
    return dict(leads.rows()), dict(stages.rows())


def test_an_outcome_follows_its_lead_and_precedes_the_next(tmp_path):
    made = world(tmp_path)
    report = made.ingest(a__csv="id,Number,visits,converted\nA,101,3,1\nB,99,Select,0\nC,250,1,1\n")
    created, entered = instants(made)
    assert sorted(created, key=created.__getitem__) == ["B", "A", "C"]
    assert set(entered) == {"A", "C"}
    assert all(created[lead] < instant < created[lead] + MINUTE for lead, instant in entered.items())
    assert report.observed_until == max(created.values()) + MINUTE
    info = made.workspace.tables_info()
    assert (info.clock, info.observed_until) == ("order", report.observed_until)
    assert {row["lead_id"]: row["visits"] for row in made.rows("leads")} == {"A": 3.0, "B": None, "C": 1.0}


def test_a_lead_that_comes_later_moves_the_others_and_their_outcomes(tmp_path):
    made = world(tmp_path)
    head = "id,Number,visits,converted\n"
    made.ingest(a__csv=head + "A,101,3,1\nC,250,1,1\n")
    made.ingest(b__csv=head + "B,150,2,1\n")
    step_by_step = instants(made)
    at_once = world(tmp_path / "other")
    (tmp_path / "other").mkdir()
    at_once.ingest(a__csv=head + "A,101,3,1\nC,250,1,1\nB,150,2,1\n")
    assert step_by_step == instants(at_once)
    assert made.ingest().total("duplicates") == 2


def test_a_lead_without_order_is_refused(tmp_path):
    made = world(tmp_path)
    report = made.ingest(a__csv="id,Number,visits,converted\nA,,3,0\nB,x,3,0\nC,inf,3,0\nD,1,2,0\n")
    assert report.files[0].tables[0].causes == {
        "Number: missing": 1,
        "Number: not a finite number": 2,
    }
