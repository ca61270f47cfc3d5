import json
import shutil

import pytest

from leadlight.errors import CardError
from leadlight.workspace import Workspace
from serving.current import Current, without_folders
from tests.serving import market

COPY = "20990101T000000-copy"
CARD = """
name: ours
label: {en: Ours, ja: 自社}
temperature: {hot: 50, warm: 20}
fit_grades: {A: 30, B: 20, C: 10}
engagement_levels: {"2": 10, "3": 20, "4": 30}
behaviour:
  - {name: pricing, label: {en: viewed prices, ja: 料金}, points: 20, activity: [pricing_view]}
"""


def test_a_good_bundle_is_loaded(workspace):
    current = Current.load(workspace)
    assert (current.problem, current.degraded) == (None, False)
    assert current.scorer.model_version == market.VERSION


def missing(workspace, _monkeypatch):
    (workspace.bundles / "current").unlink()


def tampered(workspace, _monkeypatch):
    path = workspace.bundle_path(market.VERSION) / "scorer.json"
    path.write_text(path.read_text().replace('"reference": 0.3', '"reference": 0.9'))


def foreign_key(_workspace, monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "another key of another machine")


def short_key(_workspace, monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "short")


def no_key(workspace, monkeypatch):
    monkeypatch.delenv("LEADLIGHT_SIGNING_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(workspace.root / "nowhere"))


def unsupported(workspace, _monkeypatch):
    import hashlib
    import hmac

    folder = workspace.bundle_path(market.VERSION)
    manifest = json.loads((folder / "manifest.json").read_text()) | {"format": 99}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    signature = hmac.new(market.KEY, (folder / "manifest.json").read_bytes(), hashlib.sha256).hexdigest()
    (folder / "manifest.sig").write_text(signature)


def copied(workspace, _monkeypatch):
    """By hand: the folder is one of the versions, and its manifest says that it is another."""
    shutil.copytree(workspace.bundle_path(market.VERSION), workspace.bundle_path(COPY))
    workspace.set_current(COPY)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (missing, "leadlight train"),
        (tampered, "was changed"),
        (foreign_key, "signature"),
        (short_key, "signing key"),
        (no_key, "no signing key"),
        (unsupported, "format 99"),
        (copied, f"says that it is `{market.VERSION}`: its folder was copied or renamed"),
    ],
)
def test_without_a_usable_bundle_a_card_answers_and_says_why(workspace, monkeypatch, damage, reason):
    damage(workspace, monkeypatch)
    current = Current.load(workspace)
    assert current.degraded
    assert current.scorer.model_version == "rules:standard"
    assert reason in (current.problem or "")


def test_the_workspace_s_own_card_comes_first(tmp_path):
    (tmp_path / "card.yaml").write_text(CARD, encoding="utf-8")
    current = Current.load(Workspace.at(tmp_path))
    assert current.scorer.model_version == "rules:ours"


def test_a_wrong_card_is_an_error_and_never_silently_replaced(tmp_path):
    (tmp_path / "card.yaml").write_text(CARD.replace("points: 20", "points: many"), encoding="utf-8")
    with pytest.raises(CardError, match="points"):
        Current.load(Workspace.at(tmp_path))


def test_probes_show_no_folders():
    shown = without_folders("no key: `/a/b/signing.key` and /srv/x/ws/bundles, see `docs/api.md`")
    assert shown == "no key: `signing.key` and bundles, see `docs/api.md`"
