"""The deployable scorer: a folder of plain files, signed, and the log-odds that it stands for. No pickle.

    manifest.json    format, version and the SHA-256 of every other file; signed in `manifest.sig` (HMAC-SHA256)
    scorer.json      kind, target, horizon, reference, specs, rule link, calibrator, base, rule card; where there are
                     some: encodings, linear terms, isotonic steps, shift, interval (see `leadlight.scorer`)
    model.txt        LightGBM text model (kind `lightgbm` only)
    thresholds.json  what thresholds yielded
    metrics.json     what evaluation measured
    training.json    when and from what it was trained

Everything is verified before anything is parsed (LightGBM's text reader trusts its input: CVE-2024-43598,
CVE-2026-92786); the tree arrays and every number of the scorer are checked after that.
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from leadlight.errors import BundleError, BundleMissingError, BundleTamperedError, BundleUnsupportedError, InputError
from leadlight.scorer import BASIS, Contributions, ScoreBasis, Scorer, ScorerKind
from leadlight.steps import Isotonic, VennAbers
from leadlight.terms import Linear, Term
from leadlight.workspace import folder_atomically, room_for

__all__ = [
    "BASIS",
    "FORMAT",
    "Bundle",
    "Contributions",
    "Isotonic",
    "Linear",
    "ScoreBasis",
    "Scorer",
    "ScorerKind",
    "Term",
    "VennAbers",
    "check_trees",
    "load",
    "save",
    "signing_key",
]

FORMAT: Final = 2
MIN_KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Bundle:
    """A scorer with its version and what people want to know of it.

    `thresholds`, `metrics` and `training` are JSON objects; see `scoring.thresholds`, `training.evaluate`,
    `training.pipeline` for their keys.
    """

    version: str
    scorer: Scorer
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def score_basis(self) -> ScoreBasis:
        """What produces its scores, in the product's word."""
        return BASIS[self.scorer.kind]


def signing_key(*, create: bool = False) -> bytes:
    """Read the signing key: `LEADLIGHT_SIGNING_KEY`, else the 0600 file in the user's config folder.

    Args:
        create: make the file if neither exists (the first training does).

    Raises:
        BundleMissingError: there is no key and `create` is False.
        InputError: the key is shorter than 16 bytes, or its file can be read by others.
    """
    from_environment = os.environ.get("LEADLIGHT_SIGNING_KEY")
    if from_environment is not None:
        return _checked_key(from_environment.encode(), "LEADLIGHT_SIGNING_KEY")
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = home / "leadlight" / "signing.key"
    if create and not path.exists():
        _make_key(path)
    if not path.exists():
        raise BundleMissingError(
            f"no signing key: neither LEADLIGHT_SIGNING_KEY nor `{path}` exists; "
            "set it to the key of the machine that trained the bundle"
        )
    if path.stat().st_mode & 0o077:
        raise InputError(f"`{path}` can be read by others; run `chmod 600 {path}`")
    return _checked_key(path.read_text(encoding="utf-8").strip().encode(), str(path))


def _make_key(path: Path) -> None:
    """Write a new key whole or not at all; where another process was faster, its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with room_for(path), _private(temporary) as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def _checked_key(key: bytes, where: str) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise InputError(f"signing key in {where} has {len(key)} bytes, must be at least {MIN_KEY_BYTES}")
    return key


def save(bundle: Bundle, folder: Path, key: bytes) -> None:
    """Write a bundle whole or not at all.

    Raises:
        InputError: the scorer lacks what its kind needs.
        WorkspaceError: the folder exists already.
    """
    scorer = bundle.scorer
    scorer.check_kind()
    files = {
        "scorer.json": _json(scorer.to_json()),
        "thresholds.json": _json(bundle.thresholds),
        "metrics.json": _json(bundle.metrics),
        "training.json": _json(bundle.training),
    }
    if scorer.booster is not None:
        files["model.txt"] = scorer.booster.model_to_string().encode()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = _json({"format": FORMAT, "version": bundle.version, "files": hashes})
    files["manifest.json"] = manifest
    files["manifest.sig"] = hmac.new(key, manifest, hashlib.sha256).hexdigest().encode()
    with folder_atomically(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)


def load(folder: Path, key: bytes) -> Bundle:
    """Verify a bundle, then read it.

    Raises:
        BundleMissingError: there is no bundle in the folder.
        BundleTamperedError: signature, hash or content does not hold.
        BundleUnsupportedError: written by another version of the format.
    """
    files = _verified(folder, key)
    try:
        manifest = json.loads(files["manifest.json"])
        if manifest["format"] != FORMAT:
            raise BundleUnsupportedError(
                f"bundle `{folder.name}` has format {manifest['format']}, this version reads {FORMAT}; train again"
            )
        scorer = _scorer_from_json(json.loads(files["scorer.json"]), files.get("model.txt"))
        parts = {name: json.loads(files[f"{name}.json"]) for name in ("thresholds", "metrics", "training")}
        return Bundle(version=manifest["version"], scorer=scorer, **parts)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as broken:
        what = f"{broken} is missing" if isinstance(broken, KeyError) else str(broken)
        raise BundleTamperedError(f"bundle `{folder.name}` is signed but broken ({what}); train again") from broken


def _verified(folder: Path, key: bytes) -> dict[str, bytes]:
    try:
        manifest = (folder / "manifest.json").read_bytes()
        signature = (folder / "manifest.sig").read_bytes()
    except (FileNotFoundError, NotADirectoryError) as missing:
        raise BundleMissingError(f"`{folder}` holds no bundle; see `leadlight models list`") from missing
    except OSError as refused:
        raise BundleError(
            f"bundle `{folder.name}` cannot be read ({refused.strerror}: `{refused.filename}`); make it readable"
        ) from refused
    expected = hmac.new(key, manifest, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(signature, expected):
        raise BundleTamperedError(
            f"bundle `{folder.name}`: the signature does not hold; it was changed, or signed with another key"
        )
    files = {"manifest.json": manifest}
    for name, digest in json.loads(manifest)["files"].items():
        try:
            content = (folder / Path(name).name).read_bytes()
        except OSError as gone:
            raise BundleTamperedError(f"bundle `{folder.name}`: `{name}` is gone; restore it or train again") from gone
        if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), digest):
            raise BundleTamperedError(f"bundle `{folder.name}`: `{name}` was changed; restore it or train again")
        files[name] = content
    return files


def _scorer_from_json(data: dict[str, Any], model: bytes | None) -> Scorer:
    return Scorer.from_json(data, None if model is None else _booster(model.decode(), len(data["specs"])))


def _booster(text: str, n_features: int) -> Any:
    check_trees(text, n_features)
    import lightgbm  # noqa: PLC0415  (only kinds with a booster need it)

    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as refused:
        raise BundleTamperedError(f"LightGBM cannot read the model ({refused}); train again") from refused


def check_trees(text: str, n_features: int) -> None:
    """Check that every tree of a LightGBM text model refers only to features and nodes that exist.

    Raises:
        BundleTamperedError: an index is out of range or an array has the wrong length.
    """
    header = re.search(r"^max_feature_idx=(-?\d+)$", text, flags=re.MULTILINE)
    if header is None or int(header[1]) + 1 != n_features:
        raise BundleTamperedError(f"the model is not one of {n_features} features; train again")
    for number, block in enumerate(text.split("\nTree=")[1:]):
        values = dict(line.split("=", 1) for line in block.split("\nend of trees")[0].splitlines() if "=" in line)
        problem = _tree_problem(values, n_features)
        if problem:
            raise BundleTamperedError(f"tree {number} of the model: {problem}; train again")


def _tree_problem(values: Mapping[str, str], n_features: int) -> str | None:
    leaves = int(values["num_leaves"])
    if leaves < 1:
        return f"{leaves} leaves"
    nodes = leaves - 1
    lengths = {"leaf_value": leaves, "leaf_count": leaves if nodes else 0}
    lengths |= dict.fromkeys(("split_feature", "left_child", "right_child", "threshold", "decision_type"), nodes)
    arrays = {name: values.get(name, "").split() for name in lengths}
    for name, length in lengths.items():
        if len(arrays[name]) != length and not (name == "leaf_count" and not arrays[name]):
            return f"`{name}` has {len(arrays[name])} values instead of {length}"
    if any(not 0 <= int(index) < n_features for index in arrays["split_feature"]):
        return "a split on a feature that does not exist"
    children = [int(child) for name in ("left_child", "right_child") for child in arrays[name]]
    inner = sorted(child for child in children if child >= 0)
    ends = sorted(~child for child in children if child < 0)
    if nodes and (inner != list(range(1, nodes)) or ends != list(range(leaves))):
        return "its nodes do not form a tree"
    return _category_problem(values, arrays)


def _category_problem(values: Mapping[str, str], arrays: Mapping[str, list[str]]) -> str | None:
    count = int(values.get("num_cat", "0"))
    boundaries = [int(bound) for bound in values.get("cat_boundaries", "0").split()]
    words = values.get("cat_threshold", "").split()
    if count and (len(boundaries) != count + 1 or boundaries != sorted(boundaries)):
        return "its category sets are out of order"
    if count and (boundaries[0] != 0 or boundaries[-1] != len(words)):
        return "its category sets are out of range"
    splits = zip(arrays["decision_type"], arrays["threshold"], strict=True)
    if any(int(kind) & 1 and not 0 <= float(at) < count for kind, at in splits):
        return "a split on a category set that does not exist"
    return None


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
