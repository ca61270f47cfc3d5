"""What the tests of serving share: a workspace, and a running application in this process."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

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


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Make the workspace once; tests take copies."""
    import os

    os.environ["LEADLIGHT_SIGNING_KEY"] = market.KEY.decode()
    return market.make_workspace(tmp_path_factory.mktemp("template") / "workspace").root


@pytest.fixture
def workspace(template, tmp_path):
    import shutil

    from leadlight.workspace import Workspace

    shutil.copytree(template, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture
def store(workspace):
    opened = open_store(workspace.serve_db)
    importer.import_tables(opened, workspace, lambda _name, _rows: None)
    yield opened
    opened.close()


@pytest.fixture
def runtime(workspace, store):
    settings = Settings(everybody=True)
    return Runtime(workspace, store, Current.load(workspace), settings)


@pytest.fixture
def client(runtime):
    with TestClient(create_app(runtime), base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.fixture
def locked_client(runtime):
    """Give a client of a service that asks for keys."""
    guarded = replace(runtime, settings=Settings())
    with TestClient(create_app(guarded), base_url="http://service.example") as opened:
        yield opened
