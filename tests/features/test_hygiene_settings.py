import pytest

from features import hygiene_settings
from features.hygiene_settings import SCANNER_AGENTS, DomainSettings, HygieneSettings
from leadlight.errors import InputError
from leadlight.workspace import TablesInfo, Workspace


def written(tmp_path, text):
    path = tmp_path / "hygiene.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_adjusts_what_it_names(tmp_path):
    text = "duplicate_seconds: null\nscanner_agents: [OurGate]\ndomains:\n  attribute: mail\n  internal: ['@Own.JP']\n"
    found = hygiene_settings.load(written(tmp_path, text))
    assert found.duplicate_seconds is None
    assert found.scanner_agents == ("ourgate",)
    assert found.domains == DomainSettings(attribute="mail", internal=("own.jp",))
    assert found.burst_contents == HygieneSettings().burst_contents
    assert hygiene_settings.load(written(tmp_path, "# nothing\n")) == HygieneSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("future: true\nduplicate_second: 1\n", r"line 2: unknown key `duplicate_second`; did you mean `duplicate_sec"),
        ("duplicate_seconds: -1\n", "line 1: `duplicate_seconds`"),
        ("burst_contents: 1\n", "line 1: `burst_contents`"),
        ("scanner_agents: [a]\n", "at least 3 letters"),
        ("domains: {attribute: mail, internal: [taro@own.jp]}\n", "is not a domain"),
        ("domains: {internal: [own.jp]}\n", "`attribute` is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        hygiene_settings.load(written(tmp_path, text))


def test_without_a_clock_nothing_compares_times(tmp_path):
    room = Workspace.at(tmp_path)
    room.publish_tables(TablesInfo("g", 0, "order", (), {}))
    found = hygiene_settings.of_workspace(room)
    assert (found.duplicate_seconds, found.burst_seconds, found.too_early_days) == (None, None, None)
    assert found.scanner_agents == SCANNER_AGENTS


def test_a_bundle_tells_its_settings_and_an_old_one_none():
    settings = HygieneSettings(burst_seconds=9)
    assert hygiene_settings.recorded({"hygiene": {"settings": settings.to_json(), "set_aside": {}}}) == settings
    assert hygiene_settings.recorded({"hygiene": None}) is None
    assert hygiene_settings.recorded({}) is None
