import hashlib
import hmac
import json
import re
from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from leadlight import bundle as bundles
from leadlight.bundle import Bundle, Scorer
from leadlight.errors import BundleError, BundleMissingError, BundleTamperedError, BundleUnsupportedError, InputError
from leadlight.spec import FeatureSpec
from leadlight.steps import Isotonic, VennAbers
from leadlight.terms import Linear, Term

KEY = b"a key of at least sixteen bytes"
ROWS = 400
SPECS = (
    FeatureSpec("views_7d", "frequency", "count", types=("page_view",), window_days=7),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail", "mining")),
    FeatureSpec("size", "fit", "number", attribute="size"),
)
PLAIN = Scorer(
    kind="rules", target="sql", horizon_us=None, reference=0.3, rule_a=-2.0, rule_b=0.05, card={"name": "standard"}
)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(3)
    X = np.column_stack([random.poisson(3, ROWS), random.integers(0, 4, ROWS), random.normal(size=ROWS)]).astype(float)
    X[::7, 2] = np.nan
    points = random.integers(0, 60, ROWS).astype(float)
    return X, points


@pytest.fixture(scope="module")
def scorer(rows):
    X, points = rows
    y = (X[:, 0] + 3 * (X[:, 1] == 2) + points / 20 + np.random.default_rng(4).normal(size=ROWS) > 5).astype(float)
    data = lightgbm.Dataset(X, y, init_score=-2.0 + 0.05 * points, categorical_feature=[1], params={"verbosity": -1})
    settings = {"objective": "binary", "num_leaves": 6, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train({**settings, "min_data_per_group": 5, "cat_smooth": 1.0}, data, num_boost_round=20)
    expected = float(booster.predict(X[:1], pred_contrib=True)[0, -1])
    return Scorer(
        kind="lightgbm",
        target="opportunity",
        horizon_us=5,
        reference=0.15,
        rule_a=-2.0,
        rule_b=0.05,
        card={"name": "standard"},
        specs=SPECS,
        slope=0.8,
        intercept=-0.1,
        expected_value=expected,
        booster=booster,
    )


@pytest.fixture
def folder(tmp_path, scorer):
    path = tmp_path / "v1"
    bundles.save(Bundle("v1", scorer, {"default": 50}, {"auc": 0.7}, {"leads": ROWS}), path, KEY)
    return path


def sign_again(folder):
    """Make hashes and signature fit what lies in the folder, as someone with the key could."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sig").write_bytes(hmac.new(KEY, text, hashlib.sha256).hexdigest().encode())


@pytest.mark.parametrize("n", [0, 1, ROWS])
def test_contributions_add_up_to_the_log_odds(scorer, rows, n):
    X, points = rows[0][:n], rows[1][:n]
    for one in (scorer, PLAIN):
        X_one = X if one is scorer else X[:, :0]
        parts = one.contributions(X_one)
        total = parts.base + parts.rule_scale * points + parts.features.sum(axis=1)
        assert parts.features.shape == (n, len(one.specs))
        assert np.abs(total - one.log_odds(X_one, points)).max(initial=0) <= 1e-9


def test_what_was_saved_scores_the_same(folder, scorer, rows):
    loaded = bundles.load(folder, KEY)
    assert loaded.version == "v1"
    assert loaded.score_basis == "model"
    assert loaded.scorer.specs == SPECS
    assert (loaded.thresholds, loaded.metrics, loaded.training) == ({"default": 50}, {"auc": 0.7}, {"leads": ROWS})
    assert np.array_equal(loaded.scorer.log_odds(*rows), scorer.log_odds(*rows))


def test_a_bundle_without_a_booster_holds_no_model(tmp_path):
    bundles.save(Bundle("v2", PLAIN), tmp_path / "v2", KEY)
    assert not (tmp_path / "v2" / "model.txt").exists()
    loaded = bundles.load(tmp_path / "v2", KEY)
    assert loaded.score_basis == "rules"
    assert loaded.scorer == PLAIN


def test_a_changed_byte_in_any_file_is_noticed_before_parsing(folder, monkeypatch):
    monkeypatch.setattr(bundles, "_scorer_from_json", lambda *_: pytest.fail("parsed before it was verified"))
    for path in sorted(folder.iterdir()):
        before = path.read_bytes()
        path.write_bytes(before[:-2] + bytes([before[-2] ^ 1]) + before[-1:])
        with pytest.raises(BundleTamperedError):
            bundles.load(folder, KEY)
        path.write_bytes(before)


def test_another_key_a_lost_file_and_no_bundle(folder, tmp_path):
    with pytest.raises(BundleTamperedError, match="another key"):
        bundles.load(folder, KEY + b"!")
    with pytest.raises(BundleMissingError, match="holds no bundle"):
        bundles.load(tmp_path / "nowhere", KEY)
    with pytest.raises(BundleMissingError, match="holds no bundle"):
        bundles.load(folder / "model.txt", KEY)
    (folder / "metrics.json").unlink()
    with pytest.raises(BundleTamperedError, match=r"`metrics.json` is gone"):
        bundles.load(folder, KEY)
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()
    with pytest.raises(BundleError, match=r"cannot be read \(Is a directory: `.*manifest.json`\)"):
        bundles.load(folder, KEY)


@pytest.mark.parametrize("number", [1, 99])
def test_another_format_is_unsupported(folder, number):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": number}), encoding="utf-8")
    sign_again(folder)
    with pytest.raises(BundleUnsupportedError, match=f"has format {number}, this version reads 2; train again"):
        bundles.load(folder, KEY)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"max_feature_idx=2", "max_feature_idx=7"),
        (r"split_feature=\d+", "split_feature=9"),
        (r"split_feature=\d+", "split_feature=-1"),
        (r"left_child=\S+", "left_child=0"),
        (r"left_child=\S+", "left_child=99"),
        (r"right_child=\S+", "right_child=-99"),
        (r"leaf_value=\S+ ", "leaf_value="),
        (r"num_leaves=\d+", "num_leaves=900"),
        (r"num_leaves=\d+", "num_leaves=many"),
        (r"cat_boundaries=0", "cat_boundaries=-4"),
        (r"cat_boundaries=0 1", "cat_boundaries=0 90"),
        (r"num_cat=[1-9]", "num_cat=0"),
        (r"objective=binary sigmoid:1", "objective=nonsense"),
    ],
)
def test_a_crafted_model_is_refused_even_when_signed(folder, pattern, replacement):
    text = (folder / "model.txt").read_text(encoding="utf-8")
    crafted, count = re.subn(pattern, replacement, text, count=1)
    assert count == 1
    (folder / "model.txt").write_text(crafted, encoding="utf-8")
    sign_again(folder)
    with pytest.raises(BundleTamperedError):
        bundles.load(folder, KEY)


def test_kind_and_model_must_fit(folder):
    data = json.loads((folder / "scorer.json").read_text(encoding="utf-8"))
    (folder / "scorer.json").write_text(json.dumps({**data, "kind": "rules"}), encoding="utf-8")
    sign_again(folder)
    with pytest.raises(BundleTamperedError, match="kind `rules`"):
        bundles.load(folder, KEY)


@pytest.fixture
def full(tmp_path, scorer):
    """Save a bundle whose scorer has every part."""
    terms = (Term(0, 0.2, 3.0, 2.0, missing=-0.1, high=9.0), Term(1, levels=(0.1, -0.2, 0.3, 0.0), missing=0.05))
    made = replace(
        scorer,
        encodings={1: (0.0, 1.0, 2.0, 3.0)},
        linear=Linear(terms),
        isotonic=Isotonic((-1.0, 0.5), (-1.5, -0.2, 0.9)),
        shift=0.4,
        interval=VennAbers((-0.5, 0.7), (0.1, 0.3, 0.6), (0.2, 0.35, 0.9)),
    )
    path = tmp_path / "v3"
    bundles.save(Bundle("v3", made), path, KEY)
    return path, made


def test_every_part_is_saved_and_scores_the_same(full, rows):
    loaded = bundles.load(full[0], KEY).scorer
    for name in ("encodings", "linear", "isotonic", "shift", "interval"):
        assert getattr(loaded, name) == getattr(full[1], name)
    served, parts = loaded.explained(*rows)
    assert np.array_equal(served, full[1].log_odds(*rows))
    total = parts.base + parts.rule_scale * rows[1] + parts.features.sum(axis=1) + parts.extra
    assert np.abs(total - served).max() <= 1e-9
    assert np.array_equal(loaded.interval_of(served), full[1].interval_of(served))


def changed(data, path, value):
    """Put a value at a path of a JSON object; DROP takes what stands there away."""
    *parents, last = path
    for part in parents:
        data = data[part]
    if value is DROP:
        del data[last]
    else:
        data[last] = value


DROP = object()
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["shift"], NAN),
        (["shift"], "0.4"),
        (["shift"], 1e6),
        (["shift"], DROP),
        (["intercept"], 10**400),
        (["slope"], INF),
        (["rule_b"], -1.0),
        (["reference"], 0),
        (["kind"], "scorecard"),
        (["kind"], "guess"),
        (["encodings"], DROP),
        (["encodings"], [1]),
        (["encodings", "1"], [0.0, 1.0, 2.0]),
        (["encodings", "1"], [0.0, 1.0, 2.0, NAN]),
        (["encodings", "1"], "0123"),
        (["encodings", "1"], 3),
        (["encodings", "0"], [0.0, 1.0]),
        (["encodings", "7"], [0.0, 1.0, 2.0, 3.0]),
        (["encodings", "-1"], [0.0, 1.0, 2.0, 3.0]),
        (["encodings", "one"], [0.0, 1.0, 2.0, 3.0]),
        (["linear"], DROP),
        (["linear"], {}),
        (["linear", "terms"], 3),
        (["linear", "terms", 0, "place"], 3),
        (["linear", "terms", 0, "place"], -1),
        (["linear", "terms", 0, "place"], 0.5),
        (["linear", "terms", 0, "place"], 10**400),
        (["linear", "terms", 0, "place"], DROP),
        (["linear", "terms", 0, "weight"], NAN),
        (["linear", "terms", 0, "weight"], None),
        (["linear", "terms", 0, "scale"], 0.0),
        (["linear", "terms", 0, "center"], INF),
        (["linear", "terms", 0, "missing"], NAN),
        (["linear", "terms", 0, "high"], NAN),
        (["linear", "terms", 0, "surprise"], 1.0),
        (["linear", "terms", 1, "levels"], [0.1, 0.2, 0.3]),
        (["linear", "terms", 1, "levels"], [0.1, 0.2, 0.3, INF]),
        (["linear", "terms", 1, "levels"], [0.1, 0.2, 0.3, "4"]),
        (["linear", "terms", 1, "place"], 2),
        (["isotonic"], DROP),
        (["isotonic", "knots"], [0.5, -1.0]),
        (["isotonic", "knots"], [0.5, 0.5]),
        (["isotonic", "knots"], [0.5]),
        (["isotonic", "knots", 0], -INF),
        (["isotonic", "values"], [1.0, 0.0, 2.0]),
        (["isotonic", "values", 2], INF),
        (["isotonic", "values", 2], [0.9]),
        (["isotonic", "surprise"], [1.0]),
        (["interval"], DROP),
        (["interval", "knots"], [1.0, 0.0]),
        (["interval", "knots", 1], NAN),
        (["interval", "lower"], [0.1, 0.3]),
        (["interval", "lower", 0], 0.21),
        (["interval", "lower", 0], -0.1),
        (["interval", "upper", 2], 1.1),
        (["interval", "upper", 2], NAN),
        (["interval", "upper"], DROP),
        (["interval"], 3),
        (["specs"], 3),
        (["specs", 1, "categories"], ["it"]),
    ],
)
def test_a_crafted_number_is_refused_even_when_signed(full, path, value):
    data = json.loads((full[0] / "scorer.json").read_text(encoding="utf-8"))
    changed(data, path, value)
    (full[0] / "scorer.json").write_text(json.dumps(data), encoding="utf-8")
    sign_again(full[0])
    with pytest.raises(BundleTamperedError, match="train again") as refused:
        bundles.load(full[0], KEY)
    assert "\n" not in str(refused.value)


def test_a_bundle_that_could_not_be_read_is_not_written(tmp_path, scorer):
    with pytest.raises(InputError, match="does not fit the model file"):
        bundles.save(Bundle("v4", replace(scorer, kind="rules")), tmp_path / "v4", KEY)
    assert not (tmp_path / "v4").exists()


def test_the_signing_key(tmp_path, monkeypatch):
    monkeypatch.delenv("LEADLIGHT_SIGNING_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(BundleMissingError, match="no signing key"):
        bundles.signing_key()
    made = bundles.signing_key(create=True)
    path = tmp_path / "leadlight" / "signing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert made == bundles.signing_key() == bundles.signing_key(create=True)
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        bundles.signing_key()
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "short")
    with pytest.raises(InputError, match="at least 16"):
        bundles.signing_key()
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "long enough to be a key")
    assert bundles.signing_key() == b"long enough to be a key"
