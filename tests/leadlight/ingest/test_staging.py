import polars as pl

from leadlight.ingest.reading import find_files
from leadlight.ingest.staging import FILE, OUT, ROW, Staging
from leadlight.ingest.tables import Accounts
from leadlight.schema import TABLES


def test_rows_come_back_with_all_columns_and_their_origin(tmp_path):
    staging = Staging(tmp_path)
    staging.add(
        "stages", pl.DataFrame({ROW: [2], "lead_id": ["A"], "stage": ["sql"], "entered_at": [5]}), out=1, file=0
    )
    staging.add("stages", pl.DataFrame({ROW: [3], "lead_id": ["B"], "reason": ["x"]}), out=2, file=1)
    frame = staging.scan("stages").collect()
    assert set(frame.columns) == {OUT, FILE, ROW, *TABLES["stages"]}
    assert frame.select(OUT, FILE, ROW, "lead_id", "entered_at", "reason").rows() == [
        (1, 0, 2, "A", 5, None),
        (2, 1, 3, "B", None, "x"),
    ]
    assert list(staging.outputs("stages")) == [1, 2]


def test_nothing_staged(tmp_path):
    staging = Staging(tmp_path)
    staging.add("leads", pl.DataFrame(schema={ROW: pl.Int64}), out=0, file=0)
    assert staging.scan("leads").collect().height == 0
    assert staging.refused().collect().height == 0
    assert list(tmp_path.iterdir()) == []


def test_file_names_have_one_index_each():
    accounts = Accounts()
    assert [accounts.file(name) for name in ("a", "b", "a")] == [0, 1, 0]
    assert callable(find_files)
