import shutil
import subprocess

import pytest

from benchmarks import commit as commits
from benchmarks.commit import Commit, commit


@pytest.fixture
def tree(tmp_path):
    """Make a repository with one commit; gives its folder and the hash."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    (tmp_path / "module.py").write_text("1\n", encoding="utf-8")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (["init", "-q"], ["add", "module.py"], [*who, "commit", "-q", "--no-verify", "-m", "one"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    return tmp_path, told.stdout.strip()


def test_a_tree_is_known_by_its_commit_and_by_whether_it_was_changed(tree):
    folder, full = tree
    clean = commit(folder)
    assert full.startswith(clean.hash)
    assert 4 <= len(clean.hash) < len(full)
    assert clean.dirty is False
    (folder / "module.py").write_text("2\n", encoding="utf-8")
    assert commit(folder) == Commit(clean.hash, dirty=True)


def test_a_folder_inside_another_repository_has_no_commit_of_its_own(tree):
    folder, _ = tree
    inside = folder / "site-packages"
    inside.mkdir()
    assert commit(inside) is None


def test_without_git_there_is_no_commit(tree, monkeypatch):
    monkeypatch.setattr(commits.shutil, "which", lambda _: None)
    assert commit(tree[0]) is None
