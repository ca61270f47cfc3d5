"""What the tests of serving share: a workspace, and a running application in this process."""

import shutil
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from leadlight.workspace import Workspace
from serving import importer
from serving.app import create_app
from serving.current import Current
from serving.deps import Runtime
from serving.settings import Settings
from serving.store.database import open_store
from tests.serving import market


@pytest.fixture(autouse=True)
def signing_key(monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY.decode())
    monkeypatch.delenv("LEADLIGHT_DATABASE_URL", raising=False)
    monkeypatch.delenv("LEADLIGHT_WORKSPACE", raising=False)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Make the workspace once; tests take copies."""
    return market.make_workspace(tmp_path_factory.mktemp("template") / "workspace").root


@pytest.fixture(scope="session")
def imported(template, tmp_path_factory):
    """Import its tables once."""
    path = tmp_path_factory.mktemp("imported") / "serve.db"
    store = open_store(path)
    importer.import_tables(store, Workspace.at(template), lambda _name, _rows: None)
    store.close()
    return path


@pytest.fixture
def workspace(template, tmp_path):
    """Give a workspace of its own, from which nothing was imported yet."""
    shutil.copytree(template, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture
def store(workspace, imported):
    """Give the workspace's store with everything imported."""
    shutil.copy(imported, workspace.serve_db)
    opened = open_store(workspace.serve_db)
    yield opened
    opened.close()


@pytest.fixture
def runtime(workspace, store):
    return Runtime(workspace, store, Current.load(workspace), Settings(everybody=True))


@pytest.fixture
def client(runtime):
    """Give a client of a service that is open to this machine."""
    with TestClient(create_app(runtime), base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.fixture
def locked_client(runtime):
    """Give a client of a service that asks for keys."""
    guarded = replace(runtime, settings=Settings())
    with TestClient(create_app(guarded), base_url="http://service.example") as opened:
        yield opened
