import pytest

from leadlight import parquet_file

pl = pytest.importorskip("polars")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "leads.parquet"
    pl.DataFrame({"lead_id": [f"L{number}" for number in range(100)]}).write_parquet(path)
    return path


def test_a_whole_file_is_whole(file, tmp_path):
    assert parquet_file.damage(file) is None
    empty = tmp_path / "empty.parquet"
    pl.DataFrame(schema={"lead_id": pl.String}).write_parquet(empty)
    assert parquet_file.damage(empty) is None


def test_cut_anywhere_it_is_damaged(file):
    whole = file.read_bytes()
    for kept in range(len(whole)):
        file.write_bytes(whole[:kept])
        assert parquet_file.damage(file) is not None, kept


def test_an_end_that_never_reached_the_disk_is_missing(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-200] + bytes(200))
    assert parquet_file.damage(file) == f"is cut short (its end is missing after {len(whole)} bytes)"


def test_a_footer_longer_than_the_file_is_damage(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + len(whole).to_bytes(4, "little") + whole[-4:])
    assert "its end is missing" in parquet_file.damage(file)


def test_another_file_and_none_are_told(tmp_path):
    page = tmp_path / "page.parquet"
    page.write_text("<html>", encoding="utf-8")
    assert parquet_file.damage(page) == "is damaged (6 bytes that do not begin as a Parquet file)"
    assert parquet_file.damage(tmp_path) == "cannot be read (Is a directory)"


def test_little_of_a_large_file_is_read(tmp_path):
    """It is asked before every scan: this one has 64 GiB, of which none lies on disk but its ends."""
    large = tmp_path / "large.parquet"
    size = 1 << 36
    with large.open("wb") as file:
        file.write(parquet_file.MAGIC)
        file.seek(size - 8)
        file.write((size - 12).to_bytes(8, "little")[:4] + parquet_file.MAGIC)
    assert parquet_file.damage(large) is None
