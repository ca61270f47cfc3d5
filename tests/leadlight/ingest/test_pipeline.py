import gzip
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import workspace as workspace_module
from leadlight.errors import MappingError, RawDataError
from leadlight.ingest import pipeline
from leadlight.ingest.report import Cleared
from leadlight.schema import TABLES
from leadlight.workspace import Workspace
from tests.leadlight.ingest.conftest import EVENTS, LEADS, MAPPING, World

NO_ID = MAPPING.replace("          activity_id: id\n", "")
STAGES = """\
      - table: stages
        where: { what: [won, lost, early] }
        columns:
          lead_id: lead
          entered_at: at
          stage: { column: what, map: { won: customer, early: sql } }
"""


def counts(report, file=-1, table=0):
    part = report.files[file].tables[table]
    return part.rows, part.stored, part.updated, part.duplicates, part.quarantined


def ids(world):
    return sorted(str(row["activity_id"]) for row in world.rows("activities"))


def test_tables_have_the_columns_and_types_of_the_schema(world):
    report = world.ingest()
    kinds = {"text": pl.String, "instant": pl.Datetime("us", "UTC"), "number": pl.Float64}
    for table, columns in TABLES.items():
        schema = world.workspace.scan(table).collect_schema()
        expected = {name: kinds[kind] for name, kind in columns.items()}
        if table == "leads":
            expected |= {"size": pl.Float64, "industry": pl.String}
        assert dict(schema) == expected
    info = world.workspace.tables_info()
    assert info.rows == report.tables == {
        "leads": 2, "accounts": 0, "activities": 2, "stages": 0, "attribute_changes": 0, "quarantine": 0,
    }  # fmt: skip
    assert [(a.name, a.kind, a.known_at) for a in info.attributes] == [
        ("size", "number", "creation"),
        ("industry", "category", "creation"),
    ]


def test_naive_times_are_read_in_the_zone_and_observed_until_is_the_newest(world):
    report = world.ingest()
    lead = world.rows("leads")[0]
    assert lead["created_at"].isoformat() == "2026-01-01T00:00:00+00:00"
    newest = world.workspace.scan("activities").select(pl.col("occurred_at").max().cast(pl.Int64)).collect().item()
    assert report.observed_until == newest


def test_an_instant_in_the_future_does_not_move_observed_until(world):
    expected = world.ingest().observed_until
    assert world.ingest(leads__csv=LEADS, events__csv=EVENTS + "3,A,x,2999-01-01\n").observed_until == expected


def test_a_stated_observed_until_counts(world):
    world.mapping = MAPPING + "observed_until: 2026-02-01\n"
    assert world.ingest().observed_until == world.workspace.tables_info().observed_until == 1769871600000000


def test_activities_are_sorted(world):
    world.ingest(
        leads__csv=LEADS,
        events__csv="id,lead,what,at\n3,B,x,2026-02-01\n2,A,x,2026-02-02\n1,A,x,2026-02-02\n4,A,x,2026-01-05\n",
    )
    assert [row["activity_id"] for row in world.rows("activities")] == ["4", "1", "2", "3"]


@pytest.mark.parametrize("mapping", [MAPPING, NO_ID])
def test_ingesting_again_adds_nothing(world, mapping):
    world.mapping = mapping
    world.write(leads__csv=LEADS, events__csv=EVENTS + "3,Z,x,2026-01-01\n,,,\n4,A,x,soon\n5,A\n")
    first = world.ingest()
    before = world.tables()
    again = world.ingest()
    assert world.tables() == before
    assert first.tables == again.tables
    assert counts(first) == (4, 2, 0, 0, 2)
    assert counts(again) == (4, 0, 0, 2, 2)
    assert (again.retried.rows, again.retried.waiting) == (1, 1)
    assert first.files[1].malformed == 1


def test_leads_upsert_the_newest_file_wins(world):
    world.ingest()
    report = world.ingest(
        leads__csv="id,created,size,industry\nA,2026-01-01 09:00,99,retail\nB,2026-01-02,,Select\nC,2026-01-05,1,\n",
        events__csv=EVENTS,
    )
    assert counts(report, 0) == (3, 1, 1, 1, 0)
    assert {row["lead_id"]: row["size"] for row in world.rows("leads")} == {"A": 99.0, "B": None, "C": 1.0}


def test_within_one_ingest_the_later_file_wins(world):
    world.mapping = MAPPING.replace("leads.csv", "leads*.csv")
    head = "id,created,size,industry\n"
    world.ingest(leads2__csv=head + "A,2026-01-01,2,x\n", leads1__csv=head + "A,2026-01-01,1,x\n", events__csv=EVENTS)
    assert world.rows("leads")[0]["size"] == 2.0


def test_rows_of_unknown_leads_wait_and_are_tried_again(world):
    world.mapping = MAPPING + STAGES
    log = "id,lead,what,at\n11,C,page_view,2026-01-06\n12,C,won,2026-01-07\n"
    report = world.ingest(leads__csv=LEADS, events__csv=log)
    assert report.files[1].tables[0].causes == {"unknown lead (waits for it)": 2}
    waiting = world.rows("quarantine")
    assert [(row["file"], row["row"], row["table"], row["waiting"]) for row in waiting] == [
        ("events.csv", 2, "activities", True),
        ("events.csv", 3, "activities", True),
        ("events.csv", 3, "stages", True),
    ]
    later = world.ingest(leads__csv=LEADS + "C,2026-01-05,5,x\n", events2__csv=EVENTS)
    assert (later.retried.rows, later.retried.stored, later.retried.waiting) == (3, 3, 0)
    assert world.rows("quarantine") == []
    assert [row["stage"] for row in world.rows("stages")] == ["customer"]
    assert ids(world) == ["1", "11", "12", "2"]


def test_two_versions_of_a_waiting_row_are_both_kept(world):
    world.ingest(leads__csv=LEADS, events__csv="id,lead,what,at\n1,C,page_view,2026-01-06\n")
    world.ingest(leads__csv=LEADS, events__csv="id,lead,what,at\n2,C,page_view,2026-01-07\n")
    assert len(world.rows("quarantine")) == 2
    report = world.ingest(leads__csv=LEADS + "C,2026-01-05,5,x\n", events__csv=EVENTS)
    assert report.retried.stored == 2


def test_refused_rows_are_kept_until_their_file_is_read_again(world):
    world.ingest(leads__csv=LEADS, events1__csv="id,lead,what,at\n1,A,x,soon\n2,A,x,2026-01-05\n")
    report = world.ingest(leads__csv=LEADS, events2__csv=EVENTS)
    refused = world.rows("quarantine")
    assert [(row["file"], row["row"], row["cause"], row["waiting"]) for row in refused] == [
        ("events1.csv", 2, "occurred_at: not a time in the format iso", False)
    ]
    assert json.loads(str(refused[0]["content"])) == {"id": "1", "lead": "A", "what": "x", "at": "soon"}
    assert report.quarantined == 0
    world.ingest(leads__csv=LEADS, events1__csv="id,lead,what,at\n1,A,x,2026-01-04\n")
    assert world.rows("quarantine") == []


def test_a_stage_before_its_lead_waits_for_a_correction(world):
    world.mapping = MAPPING + STAGES
    log = "id,lead,what,at\n1,A,won,2025-12-01\n2,B,early,2026-01-04\n"
    report = world.ingest(leads__csv=LEADS, events__csv=log)
    assert counts(report, table=1) == (2, 1, 0, 0, 1)
    corrected = LEADS.replace("A,2026-01-01", "A,2025-11-01").replace("B,2026-01-02", "B,2026-01-06")
    later = world.ingest(leads__csv=corrected, events2__csv=EVENTS)
    assert (later.retried.stored, later.retried.waiting) == (1, 0)
    assert [(row["lead_id"], row["stage"]) for row in world.rows("stages")] == [("A", "customer")]
    waiting = world.rows("quarantine")  # B's correction made its stored stage too early
    assert [(row["file"], row["row"], row["table"], row["waiting"]) for row in waiting] == [
        ("(tables)", 0, "stages", True)
    ]
    world.ingest(leads__csv=LEADS.replace("A,2026-01-01", "A,2025-11-01"), events2__csv=EVENTS)
    assert {row["lead_id"] for row in world.rows("stages")} == {"A", "B"}


def test_a_stage_may_be_entered_again(world):
    world.mapping = MAPPING + STAGES
    log = "id,lead,what,at\n1,A,won,2026-01-05\n2,A,won,2026-01-06\n3,A,won,2026-01-06\n"
    assert counts(world.ingest(leads__csv=LEADS, events__csv=log), table=1) == (3, 2, 0, 1, 0)


def test_one_file_feeds_several_tables_and_what_none_asks_for_is_counted(world):
    activities = "      - table: activities\n        where: { what: { not_in: [won, noise] } }\n"
    world.mapping = MAPPING.replace("      - table: activities\n", activities) + STAGES
    log = EVENTS + "3,A,won,2026-01-06\n4,A,noise,2026-01-06\n"
    report = world.ingest(leads__csv=LEADS, events__csv=log)
    assert (counts(report), counts(report, table=1)) == ((2, 2, 0, 0, 0), (1, 1, 0, 0, 0))
    assert (report.files[1].rows, report.files[1].left_out) == (4, 1)


def test_without_ids_identical_rows_of_one_file_stay_apart(world):
    world.mapping = NO_ID
    row = "x,A,page_view,2026-01-03 10:00\n"
    head = "id,lead,what,at\n"
    assert counts(world.ingest(leads__csv=LEADS, events__csv=head + row * 2)) == (2, 2, 0, 0, 0)
    first = ids(world)
    assert len(first) == 2
    assert {name.rpartition(".")[2] for name in first} == {"0", "1"}
    # an overlapping export: what it has in common is known, the third is new
    assert counts(world.ingest(leads__csv=LEADS, events2__csv=head + row * 3)) == (3, 1, 0, 2, 0)
    # two files at once: the ordinal counts within each
    assert ids(world)[:2] == first
    world.ingest(leads__csv=LEADS, events3__csv=head + row, events4__csv=head + row * 3)
    assert len(ids(world)) == 3


def test_ordinals_count_over_batches(world, monkeypatch):
    monkeypatch.setattr("leadlight.ingest.csv_reader._BLOCK_BYTES", 256)
    world.mapping = NO_ID
    world.ingest(leads__csv=LEADS, events__csv="id,lead,what,at\n" + "x,A,page_view,2026-01-03 10:00\n" * 100)
    assert {int(name.rpartition(".")[2]) for name in ids(world)} == set(range(100))


def test_a_lead_without_activities(world):
    assert world.ingest(leads__csv=LEADS, events__csv="id,lead,what,at\n").tables["leads"] == 2
    assert world.rows("activities") == []


def test_attributes_have_a_column_even_without_leads(world):
    world.ingest(leads__csv="id,created,size,industry\n", events__csv="id,lead,what,at\n")
    schema = world.workspace.scan("leads").collect_schema()
    assert (schema["size"], schema["industry"]) == (pl.Float64, pl.String)


def test_accounts_changes_and_other_formats(tmp_path):
    world = World(tmp_path)
    world.mapping = """\
files:
  - file: companies.parquet
    tables:
      - table: accounts
        columns: { account_id: id }
        attributes: { staff: { kind: number } }
  - file: crm.jsonl.gz
    tables:
      - table: leads
        where: { kind: lead }
        columns: { lead_id: lead, created_at: { column: ms, time: epoch_ms }, account_id: company.id }
      - table: attribute_changes
        where: { kind: change }
        columns: { lead_id: lead, changed_at: { column: ms, time: epoch_ms }, field: field, old_value: old, value: new }
"""
    world.write()
    pl.DataFrame({"id": [7, 8], "staff": [100, None]}).write_parquet(world.data / "companies.parquet")
    lines = [
        {"kind": "lead", "lead": "A", "ms": 1_767_225_600_000, "company": {"id": 7}},
        {"kind": "change", "lead": "A", "ms": 1_767_312_000_000, "field": "title", "old": None, "new": "CTO"},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (world.data / "crm.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    world.ingest()
    assert world.rows("accounts") == [{"account_id": "7", "staff": 100.0}, {"account_id": "8", "staff": None}]
    assert world.rows("leads")[0]["account_id"] == "7"
    assert world.rows("attribute_changes")[0]["value"] == "CTO"
    world.mapping = world.mapping.replace("old_value: old", "old_value: odl")
    with pytest.raises(MappingError, match=r"line 14: column `odl` is not in crm.jsonl.gz; did you mean `old`\?"):
        world.ingest()
    world.mapping = world.mapping.replace("odl", "old").replace("company.id ", "company.key ")
    with pytest.raises(MappingError, match=r"line 11: column `company.key` is not in crm.jsonl.gz; did you mean `comp"):
        world.ingest()


CHANGES = """\
  - file: changes.csv
    tables:
      - table: attribute_changes
        columns:
          { lead_id: lead, field: field, changed_at: at, old_value: old, value: { column: new, missing: [none] } }
"""


def test_a_change_to_nothing_clears_the_attribute_and_is_counted(world):
    world.mapping = MAPPING + CHANGES
    lines = ["A,industry,2026-01-02,retail,", "A,size,2026-01-02,10,none", "A,,2026-01-02,10,", "B,size,2026-01-03,,5"]
    files = {"leads__csv": LEADS, "events__csv": EVENTS, "changes__csv": "\n".join(["lead,field,at,old,new", *lines])}
    report = world.ingest(**files)
    found = report.files[-1].tables[0]
    assert (counts(report), found.causes, found.cleared) == ((4, 3, 0, 0, 1), {"field: missing": 1}, Cleared(2, 3))
    assert (report.unreadable, found.unreadable["value of size"].of) == (0, 1)
    stored = {(row["field"], row["old_value"], row["value"]) for row in world.rows("attribute_changes")}
    assert stored == {("industry", "retail", None), ("size", "10", None), ("size", None, "5")}
    assert counts(world.ingest()) == (4, 0, 0, 3, 1)


def test_a_cleared_attribute_of_a_lead_that_is_not_known_yet_waits(world):
    world.mapping = MAPPING + CHANGES
    changes = "lead,field,at,old,new\nC,industry,2026-01-06,retail,\n"
    world.ingest(leads__csv=LEADS, events__csv=EVENTS, changes__csv=changes)
    report = world.ingest(leads__csv=LEADS + "C,2026-01-05,5,x\n", events__csv=EVENTS, changes__csv=changes)
    assert (report.retried.stored, counts(report)) == (1, (1, 0, 0, 1, 0))
    assert [(row["lead_id"], row["value"]) for row in world.rows("attribute_changes")] == [("C", None)]


def test_a_missing_file_is_located(world):
    world.mapping = MAPPING.replace("leads.csv", "leades.csv")
    with pytest.raises(MappingError, match=r"line 4: file `leades.csv` is not in .*; did you mean `leads.csv`\?"):
        world.ingest()
    with pytest.raises(MappingError, match=r"line 4: .* is --data right\?"):
        pipeline.ingest(world.root / "mapping.yaml", world.root / "nowhere", world.workspace)


def test_another_clock_or_kind_is_refused(world):
    world.ingest()
    world.mapping = MAPPING.replace("kind: number", "kind: category")
    with pytest.raises(
        MappingError, match="line 11: attribute `size` is a number in the workspace and a category here"
    ):
        world.ingest()
    wide = "clock: order(n)\nfiles:\n  - file: w.csv\n    tables: [{ table: leads, columns: { lead_id: id } }]\n"
    world.mapping = wide
    with pytest.raises(MappingError, match="line 1: the workspace's clock is `time`, this one `order`"):
        world.ingest(w__csv="id,n\nA,1\n")


def test_a_workspace_without_leads_starts_anew(world):
    world.ingest(leads__csv="id,created,size,industry\n", events__csv="id,lead,what,at\n")
    world.mapping = MAPPING.replace("kind: number", "kind: category")
    assert world.ingest(leads__csv=LEADS, events__csv=EVENTS).tables["leads"] == 2


def leftovers(world):
    return [path.name for path in (world.workspace.root / "tables").iterdir() if path.name.startswith(".")]


def crash(*_args, **_kwargs):
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["next_tables", "check_balance", "write", "_observed_until"])
def test_a_crash_before_publishing_changes_nothing(world, monkeypatch, moment):
    world.ingest()
    before, generation = world.tables(), world.workspace.tables_info().generation
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, moment, crash)
        with pytest.raises(KeyboardInterrupt):
            world.ingest(leads__csv=LEADS + "C,2026-01-05,1,x\n", events__csv=EVENTS)
    assert world.workspace.tables_info().generation == generation
    assert world.tables() == before
    assert leftovers(world) == [".lock"]
    assert world.ingest().tables["leads"] == 3


def test_a_crash_while_publishing_leaves_the_old_generation(world, monkeypatch):
    world.ingest()
    before = world.tables()
    with monkeypatch.context() as patched:
        patched.setattr(workspace_module, "write_text_atomically", crash)
        with pytest.raises(KeyboardInterrupt):
            world.ingest(leads__csv=LEADS + "C,2026-01-05,1,x\n", events__csv=EVENTS)
    assert world.tables() == before
    assert world.ingest().tables["leads"] == 3


def test_a_file_that_breaks_off_changes_nothing(world):
    world.ingest()
    before = world.tables()
    world.mapping = MAPPING.replace("events*.csv", "events.csv.gz")
    with pytest.raises(RawDataError, match=r"events\.csv\.gz cannot be read"):
        world.ingest(leads__csv=LEADS, events__csv__gz=gzip.compress(EVENTS.encode() * 100)[:-9])
    assert world.tables() == before
    world.mapping = MAPPING
    with pytest.raises(RawDataError, match=r"events.csv line 3: not utf-8"):
        world.ingest(leads__csv=LEADS, events__csv=(EVENTS.replace("download", "資料")).encode("cp932"))
    assert world.tables() == before


def test_progress_is_told(world):
    (world.root / "mapping.yaml").write_text(MAPPING)
    told = []
    pipeline.ingest(
        world.root / "mapping.yaml", world.data, world.workspace, lambda file, rows: told.append((file, rows))
    )
    assert told == [("leads.csv", 2), ("events.csv", 2)]


ACTIVITY = st.tuples(st.integers(0, 30), st.integers(0, 5), st.sampled_from(["x", "y"]), st.integers(1, 28))
LOG = st.lists(ACTIVITY, max_size=30, unique_by=lambda row: row[0])
HEAD = "id,lead,what,at\n"


def line(row):
    number, lead, what, day = row
    return f"{number},L{lead},{what},2026-02-{day:02d}\n"


@settings(max_examples=12, deadline=None)
@given(data=st.data(), log=LOG)
def test_split_order_and_duplicates_of_rows_change_nothing(tmp_path_factory, data, log):
    leads = "id,created,size,industry\n" + "".join(f"L{n},2026-01-01,{n},x\n" for n in range(4))
    at_once = World(tmp_path_factory.mktemp("once"))
    at_once.ingest(leads__csv=leads, events__csv=HEAD + "".join(line(row) for row in log))
    pieces = data.draw(st.lists(st.lists(st.sampled_from(log), max_size=20), max_size=3)) if log else []
    pieces.append(data.draw(st.permutations(log)))
    cut = data.draw(st.integers(0, len(pieces)))
    split = World(tmp_path_factory.mktemp("split"))
    for part in (pieces[:cut], pieces[cut:]):
        files = {f"events{n}__csv": HEAD + "".join(map(line, piece)) for n, piece in enumerate(part)}
        if files:
            report = split.ingest(leads__csv=leads, **files)
            for file in report.files:
                for table in file.tables:
                    assert table.rows == table.stored + table.updated + table.duplicates + table.quarantined
    assert split.tables()["activities"] == at_once.tables()["activities"]
    content = [row["content"] for row in at_once.rows("quarantine")]
    assert {row["content"] for row in split.rows("quarantine")} == set(content)


RAW_TEXT = st.text(st.sampled_from('A1,"\n\r x:-/2026é\t\x00;'), max_size=60)


@settings(max_examples=40, deadline=None)
@given(body=RAW_TEXT | st.binary(max_size=40))
def test_any_bytes_are_refused_cleanly_or_accounted_for(tmp_path_factory, body):
    world = World(tmp_path_factory.mktemp("fuzz"))
    content = HEAD.encode() + (body if isinstance(body, bytes) else body.encode())
    try:
        report = world.ingest(leads__csv=LEADS, events__csv=content)
    except RawDataError:
        assert not world.workspace.has_tables()
        return
    log = report.files[1]
    assert log.rows == log.malformed + log.left_out + log.tables[0].rows
    assert len(world.rows("quarantine")) == report.quarantined
    assert len(world.rows("activities")) == log.tables[0].stored


def test_the_workspace_is_a_plain_folder(world):
    world.ingest()
    assert isinstance(world.workspace, Workspace)
    assert (world.workspace.root / "tables.json").is_file()
