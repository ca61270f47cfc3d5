"""The files written by hand give the table of the slow reference of one lead after the other: they are a fair bar."""

import polars as pl
import pytest

from benchmarks.features import question, work
from benchmarks.features.compare import compare
from benchmarks.features.market import Size, make


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    workspace = make(Size(15_000, chunk=70), folder / "workspace")
    snapshots = question.write_snapshots(workspace, question.ONE_AGE, folder / "snapshots.parquet")
    out = folder / "online"
    work.run("online", workspace, snapshots, out)
    return workspace, snapshots, out


@pytest.mark.parametrize("name", ["handwritten_polars", "handwritten_sql", "polars"])
def test_a_table_equals_that_of_the_online_path(name, asked, tmp_path, monkeypatch):
    workspace, snapshots, online = asked
    monkeypatch.setattr("benchmarks.features.handwritten_polars.CHUNK", 2_000)  # more than one
    work.run(name, workspace, snapshots, tmp_path / name)
    compared = compare(tmp_path / name, online, question.specs())
    assert compared.by_feature == {}
    assert compared.cells == 300 * 64


def test_the_handwritten_polars_refuses_a_company_of_which_it_would_have_to_choose(asked, tmp_path):
    workspace, snapshots, _ = asked
    folder = tmp_path / "tables"
    folder.mkdir()
    source = workspace.table_path("leads", workspace.tables_info().generation).parent
    for path in source.glob("*.parquet"):
        frame = pl.read_parquet(path)
        if path.name == "leads.parquet":
            frame = frame.with_columns(account_id=pl.lit("A"))
        frame.write_parquet(folder / path.name)
    with pytest.raises(ValueError, match="more than 51 leads"):
        work.handwritten_polars.build(folder, snapshots, tmp_path / "out.parquet", work.titles())


def test_the_catalog_is_frozen_as_it_was_suggested(tmp_path):
    """Not the codes: which categories are frequent depends on the size of the log."""
    workspace = make(Size(200_000), tmp_path)
    assert question.suggested_names(workspace) == [spec.name for spec in question.specs()]
