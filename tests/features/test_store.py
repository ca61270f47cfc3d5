import os
import subprocess
import sys

import polars as pl
import pytest

from features import store
from leadlight.errors import InputError, WorkspaceError
from leadlight.spec import FeatureSpec

SPECS = (FeatureSpec("a.count", "frequency", "count"), FeatureSpec("age", "age", "age_days"))
INFO = store.Info(SPECS, "g1", 5, "polars", {"which": "ages"}, {"settings": {}}, {"rows": 2})


def part(folder, name, *rows):
    folder.mkdir(exist_ok=True)
    pl.DataFrame(rows, schema=store.schema(SPECS), orient="row").write_parquet(folder / name)


@pytest.fixture
def table(tmp_path):
    folder = tmp_path / "table"
    part(folder, "part-00000.parquet", ("l", 1, 1.0, None), ("m", 1, 2.0, 2.0))
    part(folder, "part-00001.parquet", ("n", 1, 3.0, 0.0))
    INFO.write(folder)
    return folder


def rows(folder):
    found = store.scan(folder).sort("lead_id", "as_of").collect()
    return [tuple(row) for row in found.cast({"as_of": pl.Int64}).iter_rows()]


def test_what_is_known_of_a_table_is_read_as_written(table):
    assert store.Info.read(table) == INFO


def test_a_table_is_all_its_parts(table):
    assert rows(table) == [("l", 1, 1.0, None), ("m", 1, 2.0, 2.0), ("n", 1, 3.0, 0.0)]
    assert store.keys(table).sort("lead_id").rows() == [("l", 1), ("m", 1), ("n", 1)]
    assert store.height(table) == 3


def test_a_table_without_parts_is_empty_and_has_its_columns(tmp_path):
    INFO.write(tmp_path)
    assert store.scan(tmp_path).collect().schema == store.schema(SPECS)


def test_superseded_rows_are_left_out_again_and_again(table, tmp_path):
    gone = pl.DataFrame([("m", 1), ("n", 1)], schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    for name, fresh in (("second", ("m", 1, 7.0, 7.0)), ("third", ("n", 2, 8.0, 8.0))):
        new = tmp_path / name
        new.mkdir()
        store.carry(table, new, gone.filter(lead_id="m") if name == "second" else gone)
        part(new / store.CHANGES, "part-00000.parquet", fresh)
        INFO.write(new)
        table = new
        if name == "second":
            assert rows(table) == [("l", 1, 1.0, None), ("m", 1, 7.0, 7.0), ("n", 1, 3.0, 0.0)]
    assert rows(table) == [("l", 1, 1.0, None), ("n", 2, 8.0, 8.0)]
    store.compact(table)
    assert rows(table) == [("l", 1, 1.0, None), ("n", 2, 8.0, 8.0)]
    assert sorted(path.name for path in table.iterdir()) == [store.INFO, "part-00000.parquet"]


def test_parts_are_copied_where_they_cannot_be_linked(table, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(95, "Operation not supported")))
    (tmp_path / "new").mkdir()
    store.carry(table, tmp_path / "new", store.keys(table).head(0))
    INFO.write(tmp_path / "new")
    assert rows(tmp_path / "new") == rows(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": 99}', "another version"),
        ('{"format": 1, "specs": [{"name": "x"}]}', "is damaged"),
    ],
)
def test_a_damaged_table_is_said(table, text, message):
    (table / store.INFO).write_text(text)
    with pytest.raises(WorkspaceError, match=message):
        store.scan(table)


def test_a_folder_that_is_no_table_is_said_and_not_replaced(tmp_path):
    with pytest.raises(WorkspaceError, match="no table of features"):
        store.scan(tmp_path)
    (tmp_path / "mine.txt").write_text("")
    for target in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(InputError, match="something else"), store.replaced(target):
            pass
    assert (tmp_path / "mine.txt").exists()


def test_a_table_is_replaced_whole(table):
    before = rows(table)
    with pytest.raises(ZeroDivisionError), store.replaced(table):
        1 / 0  # noqa: B018
    assert rows(table) == before
    with store.replaced(table) as folder:
        part(folder, "part-00000.parquet", ("z", 1, 1.0, 1.0))
        INFO.write(folder)
    assert rows(table) == [("z", 1, 1.0, 1.0)]
    assert [path.name for path in table.parent.iterdir()] == ["table"]


LIMITED = """
import resource, sys
from pathlib import Path
import duckdb, polars as pl
from features import store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
values = pl.select(a=pl.int_range(100_000).hash())
try:
    with store.replaced(Path(sys.argv[1])) as folder:
        if sys.argv[2] == "polars":
            values.write_parquet(folder / "part-00000.parquet")
        elif sys.argv[2] == "duckdb":
            duckdb.from_arrow(values.to_arrow()).write_parquet(str(folder / "part-00000.parquet"))
        else:
            (folder / "part-00000.parquet").write_bytes(bytes(200_000))
except store.WorkspaceError as error:
    print(error)
"""


@pytest.mark.parametrize("writer", ["polars", "duckdb", "plain"])
def test_a_limit_of_file_sizes_is_said_and_leaves_the_old_table(table, writer):
    before = rows(table)
    command = [sys.executable, "-c", LIMITED, str(table), writer]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "was not written" in said
    assert "File too large" in said
    assert "raise the limit" in said
    assert rows(table) == before
    assert [path.name for path in table.parent.iterdir()] == ["table"]
