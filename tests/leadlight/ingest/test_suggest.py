import pytest

from leadlight.errors import RawDataError
from leadlight.ingest.check import MappingFile
from leadlight.ingest.suggest import suggest_mapping
from tests.leadlight.ingest.conftest import EVENTS, LEADS, World


def test_a_suggestion_loads_says_todo_and_ingests(world):
    world.write(leads__csv=LEADS, events__csv=EVENTS.replace("what", "event"))
    text = suggest_mapping(world.data)
    guesses = [line for line in text.splitlines() if line.lstrip().startswith(("lead_id:", "occurred_at:", "zone:"))]
    assert len(guesses) == 4
    assert all("# TODO" in line for line in guesses)
    world.mapping = text
    report = world.ingest()
    assert report.tables["leads"] == 2
    assert report.tables["activities"] == 2
    assert {row["type"] for row in world.rows("activities")} == {"page_view", "download"}
    assert {attribute.name: attribute.kind for attribute in world.workspace.tables_info().attributes} == {
        "size": "number",
        "industry": "category",
    }


def test_encoding_delimiter_and_formats_are_guessed(tmp_path):
    world = World(tmp_path)
    world.write(
        leads__csv="リードID;登録日時;業種\nA;2026/01/02 10:00;情報通信\nB;2026/01/03 11:00;小売\n".encode("cp932"),
        log__jsonl='{"lead_id": "A", "timestamp": 1767312000, "event": "call"}\n' * 3,
    )
    world.mapping = suggest_mapping(world.data)
    assert "encoding: cp932 # TODO" in world.mapping
    assert 'delimiter: ";" # TODO' in world.mapping
    assert 'time: "%Y/%m/%d %H:%M" } # TODO' in world.mapping
    assert "time: epoch_s } # TODO" in world.mapping
    report = world.ingest()
    assert (report.tables["leads"], report.tables["activities"], report.quarantined) == (2, 3, 0)


def test_a_wide_table_without_times_gets_an_order(tmp_path):
    world = World(tmp_path)
    world.write(wide__csv="Lead Number,Converted,Visits\n12,1,3\n15,0,3\n19,0,1\n")
    world.mapping = suggest_mapping(world.data)
    assert "clock: order(Lead Number) # TODO" in world.mapping
    report = world.ingest()
    assert (report.tables["leads"], report.tables["stages"]) == (3, 1)


@pytest.mark.parametrize("name", ["yes", "a: b", "#x", 'say "x"', "1", "-", "列\\名", "a, b", "{c}"])
def test_any_column_name_survives_the_yaml(tmp_path, name):
    world = World(tmp_path)
    header = '"' + name.replace('"', '""') + '"'
    world.write(leads__csv=f"{header},created_at\nA,2026-01-01\nB,2026-01-02\n", events__csv=EVENTS)
    path = tmp_path / "mapping.yaml"
    path.write_text(suggest_mapping(world.data), encoding="utf-8")
    mapping = MappingFile.read(path).mapping
    assert mapping.files[1].tables[0].columns["lead_id"].column == name


def test_no_files(tmp_path):
    (tmp_path / "notes.md").write_text(LEADS)
    with pytest.raises(RawDataError, match="holds no CSV, Parquet or NDJSON file"):
        suggest_mapping(tmp_path)
    with pytest.raises(RawDataError, match="holds no CSV, Parquet or NDJSON file"):
        suggest_mapping(tmp_path / "nowhere")
