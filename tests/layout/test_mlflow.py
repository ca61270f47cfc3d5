"""The folder of the tracking server: pinned images, no credentials, and the names that the code uses."""

import re
import subprocess
from typing import get_args

import pytest
from ruamel.yaml import YAML

from leadlight.schema import Target
from tests.layout.repository import ROOT, project
from training import track_facts, track_queue, track_store, track_upload

FOLDER = ROOT / "mlflow"
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


@pytest.fixture(scope="module")
def compose():
    return YAML(typ="safe").load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def test_it_starts_a_database_and_the_server_with_a_place_for_artefacts(compose):
    services = compose["services"]
    assert set(services) == {"database", "server"}
    assert services["server"]["depends_on"]["database"]["condition"] == "service_healthy"
    server = services["server"]["environment"]
    assert server["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql+psycopg2://mlflow@database:5432/")
    assert "artifacts:/artifacts" in services["server"]["volumes"]
    named = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert named == set(compose["volumes"])
    assert {network for service in services.values() for network in service["networks"]} == set(compose["networks"])


def test_nothing_is_open_to_the_world_by_default(compose):
    assert "ports" not in compose["services"]["database"]
    assert compose["networks"]["inside"]["internal"] is True
    (port,) = compose["services"]["server"]["ports"]
    assert port.startswith("${MLFLOW_BIND:-127.0.0.1}:")


def test_images_are_pinned_and_mlflow_is_the_tested_release(compose):
    dockerfile = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    images = [service["image"] for service in compose["services"].values()] + re.findall(
        r"(?m)^FROM (\S+)$", dockerfile
    )
    assert len(images) == 3
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image), image
    (pinned,) = [need for need in project()["project"]["optional-dependencies"]["train"] if need.startswith("mlflow")]
    assert pinned in dockerfile
    assert compose["services"]["server"]["image"].endswith(pinned.partition("==")[2])
    install = re.search(r"pip install (.*?) \\", dockerfile)[1].split()
    assert all("==" in word for word in install if not word.startswith("-"))


def test_credentials_come_from_a_file_that_git_ignores(compose):
    values = {name: value for service in compose["services"].values() for name, value in service["environment"].items()}
    secrets = {name: value for name, value in values.items() if SECRET.search(name) or "PGPASS" in name}
    assert {"POSTGRES_PASSWORD", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY"} <= set(secrets)
    for value in secrets.values():
        found = VARIABLE.fullmatch(value)
        assert found
        assert found[2] == ":?" or found[3] == ""
    ignored = subprocess.run(["git", "check-ignore", "-q", "mlflow/.env"], cwd=ROOT, check=False).returncode
    assert ignored in {0, 128}  # 128: not a git checkout


def test_the_example_names_every_variable_and_fills_in_no_secret():
    used = {found[1] for found in VARIABLE.finditer((FOLDER / "compose.yaml").read_text(encoding="utf-8"))}
    lines = (FOLDER / ".env.example").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(told) == used
    assert {name: value for name, value in told.items() if SECRET.search(name) and value} == {}


def test_the_readme_says_the_names_that_the_code_uses(readme):
    names = {
        track_store.DEFAULT_NAME,
        *(track_store.model_name(target) for target in get_args(Target)),
        track_upload.CHAMPION,
        track_upload.CHALLENGER,
        *track_facts.RUN_TAGS,
        *track_upload.VERSION_TAGS,
        track_queue.BUNDLE_FOLDER,
        track_queue.PLOTS_FOLDER,
        track_queue.REPORT_FOLDER,
        track_upload.MODEL_FOLDER,
        track_store.ADDRESS_VARIABLE,
        track_store.NAME_VARIABLE,
        *track_store.SILENT,
        *track_store.IMPATIENT,
    }
    assert {name for name in names if not re.search(rf"`{re.escape(name)}[` ]", readme)} == set()
    said = re.search(r"defaults are (\d+) s and (\d+)", readme)
    assert said.groups() == tuple(track_store.IMPATIENT.values())


def test_the_readme_names_no_model_alias_or_tag_that_is_not(readme):
    rows = {row[1]: row[2] for row in re.finditer(r"(?m)^\| ([\w ]+?)(?: `\w+`[^|]*)? \| ([^|]+) \|", readme)}
    assert set(re.findall(r"`([^`]+)`", rows["run tags"])) == set(track_facts.RUN_TAGS)
    assert set(re.findall(r"`([^`]+)`", rows["version tags"])) == set(track_upload.VERSION_TAGS)
    models = {track_store.model_name(target) for target in get_args(Target)}
    assert set(re.findall(r"`([^`]+)`", rows["registered models"])) == models
    assert set(re.findall(r"alias `(\w+)`", readme)) <= {track_upload.CHAMPION, track_upload.CHALLENGER}
