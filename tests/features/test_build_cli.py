import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features import store
from leadlight.__main__ import main
from leadlight.ingest.pipeline import ingest
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace

WHOLE = "the catalog of the room"
CATALOG = """\
- {name: visits.7d, family: frequency, measure: count, window_days: 7}
- {name: active, family: company, measure: colleagues_active, window_days: 30}
- {name: age, family: age, measure: age_days}
- {name: gap, family: rhythm, measure: gap_mean}
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A workspace with a small simulated market, and a catalog beside it."""
    folder = tmp_path_factory.mktemp("build_cli")
    write_market(folder / "market", Options(120, seed=1))
    found = Workspace.at(folder / "workspace")
    ingest(folder / "market" / "mapping.yaml", folder / "market" / "raw", found)
    (found.root / "catalog.yaml").write_text(CATALOG)
    return found


def run(capsys, room, *words, status=0):
    with pytest.raises(SystemExit) as left:
        main(["features", "build", *map(str, words), "--workspace", str(room.root)])
    said = capsys.readouterr()
    assert left.value.code == status, said.err
    return said


def build(capsys, room, *words):
    return json.loads(run(capsys, room, "--catalog", room.root / "catalog.yaml", *words, "--json").out)


def rows(folder):
    return store.scan(folder).collect().sort("lead_id", "as_of")


def test_a_table_of_the_suggested_catalog_at_the_scheduled_ages(room, capsys):
    said = run(capsys, room, "--json")
    answer = json.loads(said.out)
    table = rows(room.features_path("default"))
    assert answer["rows"] == len(table) == answer["computed"]
    assert answer["features"] == table.width - 2
    assert answer["activities"] == room.tables_info().rows["activities"]
    assert table.schema["as_of"] == pl.Datetime("us", "UTC")
    assert set(table.dtypes[2:]) == {pl.Float64}
    assert answer["set_aside"]["activities"]
    assert "set aside of activities" in said.err
    info = store.Info.read(room.features_path("default"))
    assert (info.generation, info.engine) == (room.tables_info().generation, "polars")
    assert info.counts["rows"] == len(table)


def test_snapshots_are_chosen(room, capsys, tmp_path):
    answer = build(capsys, room, "--ages", "1d,7d", "--until", "2025-01-01", "--out", tmp_path / "ages")
    assert rows(tmp_path / "ages")["as_of"].max().isoformat() < "2025-01-01"
    every = build(capsys, room, "--ages", "1d,7d", "--out", tmp_path / "ages")
    assert every["rows"] > answer["rows"] > 0
    build(capsys, room, "--as-of", "end", "--out", tmp_path / "end")
    assert rows(tmp_path / "end")["as_of"].n_unique() == 1
    build(capsys, room, "--as-of", "2025-01-01", "--out", tmp_path / "end")
    assert {at.isoformat() for at in rows(tmp_path / "end")["as_of"]} == {"2025-01-01T00:00:00+00:00"}
    build(capsys, room, "--on-activity", "--from", "2025-01-01", "--out", tmp_path / "days")
    assert {at.hour for at in rows(tmp_path / "days")["as_of"]} == {0}


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_engines_give_the_same_table(room, capsys, tmp_path, engine):
    limit = ["--memory-limit", "1GB"] if engine == "duckdb" else []
    build(capsys, room, "--ages", "7d", "--out", tmp_path / "polars")
    answer = build(capsys, room, "--ages", "7d", "--engine", engine, *limit, "--out", tmp_path / engine)
    assert answer["engine"] == engine
    assert_frame_equal(rows(tmp_path / engine), rows(tmp_path / "polars"), rel_tol=1e-9)


def test_an_update_keeps_the_catalog_that_was_suggested_before_the_same_date_only(room, capsys, tmp_path):
    def again(*words):
        return json.loads(run(capsys, room, "--ages", "7d", "--out", tmp_path / "table", *words, "--json").out)

    again("--before", "2025-01-01")
    asked = store.Info.read(tmp_path / "table")
    assert asked.before == 1_735_689_600_000_000
    for words in (["--before", "2025-01-01"], []):
        same = again("--incremental", *words)
        assert (same["update"], same["computed"], same["anew_because"]) == (True, 0, "")
        assert store.Info.read(tmp_path / "table").before == asked.before
    other = again("--incremental", "--before", "2024-09-01")
    assert (other["update"], other["anew_because"]) == (False, "the catalog is another one")
    assert store.Info.read(tmp_path / "table").specs != asked.specs


def test_hygiene_can_be_left_out(room, capsys, tmp_path):
    clean = build(capsys, room, "--as-of", "end", "--out", tmp_path / "clean")
    dirty = build(capsys, room, "--as-of", "end", "--no-hygiene", "--out", tmp_path / "dirty")
    assert clean["set_aside"]["activities"]
    assert not any(dirty["set_aside"].values())
    assert not rows(tmp_path / "clean").equals(rows(tmp_path / "dirty"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "polar"], "engine `polar` does not exist; did you mean `polars`"),
        (["--memory-limit", "4GB"], "--memory-limit is for --engine duckdb"),
        (["--master", "local[1]"], "--master is for --engine pyspark"),
        (["--ages", "1d", "--on-activity"], "one of --ages, --on-activity and --as-of"),
        (["--as-of", "end", "--until", "2026-01-01"], "leave them out"),
        (["--ages", "0d"], "--ages `0d`"),
        (["--ages", "-1d"], "--ages `-1d`"),
        (["--until", "1999-01-01"], "no lead has a snapshot there"),
        (["--catalog", "nowhere.yaml"], "nowhere.yaml"),
        (["--catalog", WHOLE, "--before", "2025-01-01"], "catalog.yaml is a whole one; leave one out"),
    ],
)
def test_bad_words_are_said_in_a_line(room, capsys, tmp_path, words, message):
    words = [room.root / "catalog.yaml" if word == WHOLE else word for word in words]
    said = run(capsys, room, *words, "--out", tmp_path / "table", status=2)
    assert message in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{name: a, family: frequency, measure: count, window_days: 0}", "window_days == 0.0, must be > 0"),
        ("{name: a, family: frequency, measure: count, window_days: -7}", "window_days == -7.0, must be > 0"),
        ("{name: a, family: fit, measure: number, attribute: emploees}", "did you mean `employees`"),
    ],
)
def test_a_catalog_that_means_nothing_is_refused(room, capsys, tmp_path, entry, message):
    (tmp_path / "bad.yaml").write_text(f"- {entry}\n")
    said = run(capsys, room, "--catalog", tmp_path / "bad.yaml", "--out", tmp_path / "table", status=2)
    assert message in said.err
    assert not (tmp_path / "table").exists()


def test_a_type_that_never_occurs_is_noted(room, capsys, tmp_path):
    (tmp_path / "odd.yaml").write_text("- {name: a, family: frequency, measure: count, types: [pricing_veiw]}\n")
    said = run(capsys, room, "--catalog", tmp_path / "odd.yaml", "--as-of", "end", "--out", tmp_path / "t", "--json")
    assert "did you mean `pricing_view`" in json.loads(said.out)["warnings"][0]
    assert "note: feature `a`" in said.err


def test_an_engine_that_is_not_installed_names_its_extra(room, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "features.engines.duckdb", None)
    assert 'pip install "leadlight[train]"' in run(capsys, room, "--engine", "duckdb", status=2).err


def test_damaged_tables_are_refused_before_anything_is_read(room, capsys, tmp_path):
    copied = Workspace.at(tmp_path / "workspace")
    copied.root.mkdir()
    generation = room.tables_info().generation
    (copied.root / "tables.json").write_text((room.root / "tables.json").read_text())
    for table in ("leads", "activities", "stages", "attribute_changes"):
        path = copied.table_path(table, generation)
        path.parent.mkdir(parents=True, exist_ok=True)
        found = room.scan(table).collect()
        if table == "activities":
            found = found.with_columns(pl.col("occurred_at").dt.replace_time_zone(None))
        found.write_parquet(path)
    assert "activities.occurred_at holds times without a zone" in run(capsys, copied, status=2).err
    assert not copied.features_path("default").exists()


def test_a_folder_with_something_else_is_not_replaced(room, capsys, tmp_path):
    (tmp_path / "mine.txt").write_text("")
    assert "something else" in run(capsys, room, "--out", tmp_path, status=2).err
    assert (tmp_path / "mine.txt").exists()


def process(room, out, *words, **limits):
    command = [sys.executable, "-m", "leadlight", "features", "build", "--catalog", str(room.root / "catalog.yaml")]
    return subprocess.Popen(
        [*command, "--workspace", str(room.root), "--out", str(out), *words],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **limits,
    )  # fmt: skip


def little_room():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))


def test_a_limit_of_file_sizes_leaves_the_old_table(room, capsys, tmp_path):
    build(capsys, room, "--as-of", "end", "--out", tmp_path / "table")
    before = rows(tmp_path / "table")
    with process(room, tmp_path / "table", "--ages", "7d", preexec_fn=little_room) as running:
        said = running.communicate()[1]
    assert running.returncode == 2
    assert "File too large" in said.splitlines()[-1]
    assert "raise the limit" in said.splitlines()[-1]
    assert rows(tmp_path / "table").equals(before)
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


WAITING = """
import sys, time
from features import batch
from leadlight.__main__ import main
def wait(*words, **more):
    (words[4] / "part-00000.parquet").write_bytes(b"half")
    print("half", flush=True)
    time.sleep(60)
batch.build_to = wait
main(sys.argv[1:])
"""


def test_a_termination_leaves_nothing_half_written(room, tmp_path):
    words = ["features", "build", "--workspace", str(room.root), "--out", str(tmp_path / "table"), "--as-of", "end"]
    command = [sys.executable, "-c", WAITING, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "half\n"
        assert list(tmp_path.glob(".table*"))
        os.kill(running.pid, signal.SIGTERM)
        began = time.monotonic()
        said = running.communicate(timeout=30)[1]
    assert time.monotonic() - began < 30
    assert running.returncode == 2
    assert "error: stopped by SIGTERM" in said
    assert list(tmp_path.iterdir()) == []
