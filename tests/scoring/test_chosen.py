import shutil

import pytest

from leadlight.errors import BundleMissingError, BundleTamperedError, CardError
from scoring.chosen import load, load_or_card


def test_the_current_bundle_or_the_one_asked_for(workspace):
    version = workspace.current_version()
    assert load(workspace).version == version
    assert load(workspace, version).version == version
    for wrong in ("nothing", "../ws", ""):
        with pytest.raises(BundleMissingError, match="models list"):
            load(workspace, wrong)


def test_a_folder_that_was_copied_or_renamed_is_no_bundle_of_that_name(workspace):
    version = workspace.current_version()
    shutil.copytree(workspace.bundle_path(version), workspace.bundle_path("20990101T000000-copy"))
    with pytest.raises(BundleTamperedError, match=f"says that it is `{version}`: its folder was copied or renamed"):
        load(workspace, "20990101T000000-copy")


def test_without_a_pointer_the_card_of_the_workspace_answers(workspace):
    (workspace.bundles / "current").unlink()
    bundle, card, problem = load_or_card(workspace)
    assert (bundle, card.name) == (None, "standard")
    assert "no current bundle" in problem
    workspace.card.write_text("name: broken\n", encoding="utf-8")
    with pytest.raises(CardError):
        load_or_card(workspace)


def test_no_key_is_an_error_and_not_a_reason_to_fall_back(workspace, monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "another key, not that one")
    with pytest.raises(BundleTamperedError):
        load_or_card(workspace)
