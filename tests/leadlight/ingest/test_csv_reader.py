import gzip

import pytest

from leadlight.errors import RawDataError
from leadlight.ingest import csv_reader
from leadlight.ingest.csv_reader import CsvFile
from leadlight.ingest.mapping import RawFile

RAW = RawFile.model_validate({"file": "x", "tables": [{"table": "leads", "columns": {"lead_id": "a"}}]})


def read(tmp_path, content, name="raw.csv", **described):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file = CsvFile(path, RAW.model_copy(update=described))
    columns = file.columns()
    rows, bad = [], []
    for frame, problems in file.batches(columns, "row"):
        rows += frame.rows()
        bad += problems
    return columns, rows, bad


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    text = '\ufeffa,b\n1,"x\ny"\n1\n\n4,5\n7,8,9\n"q""q",\n'
    columns, rows, bad = read(tmp_path, text)
    assert columns == ["a", "b"]
    assert rows == [(2, "1", "x\ny"), (5, "4", "5"), (7, 'q"q', "")]
    assert bad == [
        (3, "malformed row: 1 fields, the header has 2", "1"),
        (6, "malformed row: 3 fields, the header has 2", "7,8,9"),
    ]


def test_numbers_hold_over_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 64)
    lines = [f"{n},x" if n % 7 else f"{n}" for n in range(2, 500)]
    _, rows, bad = read(tmp_path, "a,b\n" + "\n".join(lines) + "\n")
    assert [row for row, *_ in rows] == [int(a) for _, a, _ in rows]
    assert [row for row, *_ in bad] == [int(text) for _, _, text in bad] == list(range(7, 500, 7))
    assert len(rows) + len(bad) == len(lines)


def test_without_header(tmp_path):
    columns, rows, bad = read(tmp_path, "1,2\n3\n4,5\n", names=["a", "b"])
    assert columns == ["a", "b"]
    assert rows == [(1, "1", "2"), (3, "4", "5")]
    assert [row for row, *_ in bad] == [2]
    with pytest.raises(RawDataError, match="has 2 columns, `names` gives 1"):
        read(tmp_path, "1,2\n", names=["a"])


@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "euc_jp"])
def test_encodings(tmp_path, encoding):
    _, rows, _ = read(tmp_path, "a,業種\n1,情報通信\n".encode(encoding), encoding=encoding)
    assert rows == [(2, "1", "情報通信")]


@pytest.mark.parametrize("name", ["raw.csv", "raw.csv.gz"])
def test_wrong_encoding_is_located(tmp_path, name):
    content = "a,b\n1,x\n2,料金表\n".encode("cp932")
    with pytest.raises(RawDataError, match=rf"{name} line 3: not utf-8; .* `encoding: cp932`"):
        read(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    with pytest.raises(RawDataError, match=r"line 1: not utf-8"):
        read(tmp_path, "業種\n".encode("cp932"))


def test_an_encoding_without_lines_is_told_all_the_same(tmp_path):
    with pytest.raises(RawDataError, match=r"raw.csv: not utf-16; .* `encoding: utf-8`"):
        read(tmp_path, b"a,b\n1,2\n", encoding="utf-16")


def test_a_malformed_row_in_another_encoding_is_no_row(tmp_path):
    with pytest.raises(RawDataError, match=r"raw.csv line 3: not utf-8"):
        read(tmp_path, b"a,b\n1,2\n3,4,\xff\n")


def test_gzip_tabs_and_quotes(tmp_path):
    assert read(tmp_path, gzip.compress(b"a\tb\n1\t2\n", mtime=0), "raw.tsv.gz")[1] == [(2, "1", "2")]
    assert read(tmp_path, 'a;b\n"1;2\n', delimiter=";", quote="none")[1] == [(2, '"1', "2")]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "raw.csv", "raw.csv is empty, without even a header"),
        (b"a,b,a\n", "raw.csv", "raw.csv line 1: column `a` appears twice"),
        (b"no gzip", "raw.csv.gz", "raw.csv.gz cannot be read"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)[:-20], "raw.csv.gz", "raw.csv.gz cannot be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, name, message):
    with pytest.raises(RawDataError, match=message):
        read(tmp_path, content, name)


def test_a_log_without_rows_is_no_error(tmp_path):
    assert read(tmp_path, "a,b\n") == (["a", "b"], [], [])


def test_marks_quotes_and_empty_names_in_headers(tmp_path):
    columns, rows, _ = read(tmp_path, '\ufeff"a","b\nb"\n1,2\n')
    assert (columns, rows) == (["a", "b\nb"], [(2, "1", "2")])
    assert read(tmp_path, "\ufeff1,2\n3,4\n", names=["a", "b"])[1] == [(1, "1", "2"), (2, "3", "4")]
    path = tmp_path / "raw.csv"
    path.write_text("a,b,,\n1,2,,\n")
    assert [frame.rows() for frame, _ in CsvFile(path, RAW).batches(["b"], "row")] == [[(2, "2")]]
