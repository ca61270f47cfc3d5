"""A workspace with the made-up market, and one training on it that many tests read."""

import shutil

import pytest

from tests.training import market
from training import pipeline


@pytest.fixture(autouse=True)
def signing_key(monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)


@pytest.fixture(scope="session")
def frames():
    return market.frames()


@pytest.fixture(scope="session")
def first(frames, tmp_path_factory):
    """Train once; give (workspace, what was trained). Tests must not change this workspace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)
        room = market.publish(tmp_path_factory.mktemp("market") / "ws", frames)
        return room, pipeline.train(room, market.options())


@pytest.fixture
def trained(first, tmp_path):
    """Give a copy of the workspace with its training, to be changed at will."""
    shutil.copytree(first[0].root, tmp_path / "ws")
    return type(first[0]).at(tmp_path / "ws"), first[1]
