"""requirements.lock pins everything that pyproject.toml names, with hashes and without addresses."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.layout.repository import ROOT, project

LOCKED_EXTRAS = ("train", "dev")


def locked() -> dict[str, tuple[str, str]]:
    """Give name -> (version, the whole entry)."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        found = re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", entry)
        assert found, f"not a pinned requirement: {entry.splitlines()[0]}"
        entries.setdefault(canonicalize_name(found[1]), (found[2], entry))
    return entries


def direct() -> list[str]:
    table = project()["project"]
    return table["dependencies"] + [name for extra in LOCKED_EXTRAS for name in table["optional-dependencies"][extra]]


@pytest.mark.parametrize("text", direct())
def test_every_direct_dependency_is_pinned_as_asked(text):
    requirement = Requirement(text)
    pins = locked()
    assert canonicalize_name(requirement.name) in pins, "run `make lock`"
    version, _ = pins[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True), f"{version} is locked; run `make lock`"


def test_every_pin_has_a_hash_and_no_address():
    pins = locked()
    assert len(pins) > 50
    assert [name for name, (_, entry) in pins.items() if "--hash=sha256:" not in entry] == []
    assert [name for name, (_, entry) in pins.items() if "://" in entry or "file:" in entry] == []


def test_the_build_back_end_is_pinned_too():
    wanted = [Requirement(text) for text in project()["build-system"]["requires"]]
    assert all(one.specifier.contains(locked()[one.name][0]) for one in wanted)
