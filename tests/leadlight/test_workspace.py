import json
import os
import stat
from pathlib import Path

import pytest

from leadlight.errors import BundleMissingError, WorkspaceError
from leadlight.workspace import (
    Attribute,
    TablesInfo,
    Workspace,
    file_atomically,
    folder_atomically,
    folder_replaced,
    write_text_atomically,
)

INFO = TablesInfo(
    generation="g1",
    observed_until=123,
    clock="time",
    attributes=(Attribute("industry", "category", "creation"),),
    rows={"leads": 2},
)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.at(tmp_path / "ws")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_constructing_touches_nothing(workspace):
    assert not workspace.root.exists()
    assert workspace.bundle_versions() == []
    assert not workspace.has_tables()


def test_text_is_written_whole_with_the_users_umask(tmp_path):
    target = tmp_path / "a" / "b.txt"
    before = os.umask(0o022)
    try:
        write_text_atomically(target, "first")
        write_text_atomically(target, "日本語")
    finally:
        os.umask(before)
    assert target.read_text(encoding="utf-8") == "日本語"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert names(target.parent) == ["b.txt"]


def test_a_failed_write_leaves_the_old_text_and_no_litter(tmp_path):
    target = tmp_path / "b.txt"
    write_text_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(target, "half \ud800")
    assert target.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["b.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "bundle"

    def fail() -> None:
        with folder_atomically(target) as folder:
            (folder / "half.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == []
    with folder_atomically(target) as folder:
        (folder / "whole.txt").write_text("whole")
        assert not target.exists()
    assert names(target) == ["whole.txt"]
    with pytest.raises(WorkspaceError, match="exists already"), folder_atomically(target):
        pass
    assert names(tmp_path) == ["bundle"]


def test_tables_info_round_trip(workspace):
    workspace.publish_tables(INFO)
    assert workspace.has_tables()
    assert workspace.tables_info() == INFO


def test_no_tables_and_damaged_tables_say_what_to_do(workspace):
    with pytest.raises(WorkspaceError, match="leadlight ingest"):
        workspace.tables_info()
    with pytest.raises(WorkspaceError, match="leadlight ingest"):
        workspace.scan("leads")
    for damage in ("{", "[]", '"x"', "{}", json.dumps({"attributes": [{"nmae": 1}]})):
        write_text_atomically(workspace.root / "tables.json", damage)
        with pytest.raises(WorkspaceError, match="damaged"):
            workspace.tables_info()


def test_scan_reads_the_current_generation(workspace):
    pl = pytest.importorskip("polars")
    workspace.publish_tables(INFO)
    with pytest.raises(WorkspaceError, match="is gone"):
        workspace.scan("leads")
    path = workspace.table_path("leads", "g1")
    path.parent.mkdir(parents=True)
    pl.DataFrame({"lead_id": ["a", "b"]}).write_parquet(path)
    assert workspace.scan("leads").collect()["lead_id"].to_list() == ["a", "b"]
    path.write_bytes(path.read_bytes()[:-20])
    mend = r"put it back from a copy, or move `.*tables\.json` away and ingest all raw files again"
    with pytest.raises(WorkspaceError, match=rf"leads\.parquet` is cut short \(.*\); {mend}"):
        workspace.scan("leads")


def test_the_pointer_names_a_bundle_on_disk(workspace):
    with pytest.raises(BundleMissingError, match="leadlight train"):
        workspace.current_version()
    for version in ("20240102T000000Z", "20240101T000000Z"):
        workspace.bundle_path(version).mkdir(parents=True)
    workspace.set_current("20240101T000000Z")
    assert workspace.current_version() == "20240101T000000Z"
    assert workspace.bundle_versions() == ["20240101T000000Z", "20240102T000000Z"]
    workspace.bundle_path("20240101T000000Z").rmdir()
    with pytest.raises(BundleMissingError, match="models promote"):
        workspace.current_version()


@pytest.mark.parametrize("version", ["", ".", "..", "../reports", "current", ".half.tmp", "nowhere"])
def test_the_pointer_never_leaves_the_bundles(workspace, version):
    (workspace.bundles / ".half.tmp").mkdir(parents=True)
    workspace.reports.mkdir()
    write_text_atomically(workspace.bundles / "current", version)
    with pytest.raises(BundleMissingError):
        workspace.set_current(version)
    with pytest.raises(BundleMissingError):
        workspace.current_version()


def test_reports_are_strict_json(workspace):
    path = workspace.write_report("curve.json", {"名": 1.5})
    assert json.loads(path.read_text(encoding="utf-8")) == {"名": 1.5}
    with pytest.raises(ValueError, match="JSON"):
        workspace.write_report("curve.json", {"x": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"名": 1.5}


def test_paths_of_the_workspace(workspace):
    assert workspace.model_card_path("v1") == workspace.root / "reports" / "model_cards" / "v1.html"
    assert workspace.mlflow_uri == f"sqlite:///{workspace.root.resolve()}/mlflow.db"
    assert {workspace.card.parent, workspace.serve_db.parent, workspace.mlflow_artifacts.parent} == {workspace.root}


def test_a_whole_file_takes_the_name(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with file_atomically(path) as temporary:
        temporary.write_bytes(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted():
        with file_atomically(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="is a folder"):
        write_text_atomically(tmp_path / "folder", "x")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_text_atomically(tmp_path / "file" / "a.txt", "x")
    assert names(tmp_path) == ["file", "folder"]


def test_a_folder_is_replaced_whole_or_stays(tmp_path):
    target = tmp_path / "deep" / "table"
    for text in ("first", "second"):
        with folder_replaced(target) as folder:
            (folder / "a").write_text(text)
    with pytest.raises(FileNotFoundError), folder_replaced(target) as folder:
        (folder / "a").rename(folder / "b")
    assert (target / "a").read_text() == "second"
    assert [path.name for path in target.parent.iterdir()] == ["table"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "table"
    target.mkdir()
    (target / "a").write_text("first")
    rename = Path.rename

    def refuse(self, to):
        if to == target and self.name.endswith(".tmp") and not (self / "a").exists():
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space left"), folder_replaced(target):
        pass
    assert (target / "a").read_text() == "first"


def test_a_pipe_or_device_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(WorkspaceError, match="is no file but a device or a pipe"):
        write_text_atomically(pipe, "x")
    with pytest.raises(WorkspaceError, match="is no folder"), folder_replaced(pipe):
        pass
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_link_is_followed(tmp_path):
    folder, text = tmp_path / "folder", tmp_path / "text"
    folder.mkdir()
    text.write_text("old", encoding="utf-8")
    for link, there in ((tmp_path / "to-folder", folder), (tmp_path / "to-text", text)):
        link.symlink_to(there)
    with folder_replaced(tmp_path / "to-folder") as fresh:
        (fresh / "new").touch()
    write_text_atomically(tmp_path / "to-text", "new")
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert text.read_text(encoding="utf-8") == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "text", "to-folder", "to-text"}
    assert (tmp_path / "to-folder").is_symlink()


def test_what_a_killed_process_left_goes_after_a_day(tmp_path):
    left, young, foreign = (tmp_path / f".a[b].{name}.tmp" for name in ("0" * 12, "1" * 12, "mine"))
    for folder in (left, young, foreign):
        folder.mkdir()
        (folder / "part").touch()
    long_ago = 1_000_000_000
    for path in (left / "part", left, foreign / "part", foreign):
        os.utime(path, (long_ago, long_ago))
    with folder_replaced(tmp_path / "a[b]"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"a[b]", young.name, foreign.name}


def test_there_is_no_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"), folder_replaced(tmp_path / "file" / "table"):
        pass
