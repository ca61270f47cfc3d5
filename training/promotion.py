"""Promotion: which bundle serves. The pointer `bundles/current` is the truth; MLflow's aliases follow it.

a model that beats the rules         serves from now on, and is champion
a model that does not                is challenger; what served goes on serving
  and nothing serves yet             a bundle of kind `rules`, fitted on the same rows, serves
rules or base rate                   serve if nothing serves yet
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadlight import bundle as bundles
from leadlight.bundle import Bundle
from leadlight.errors import BundleError, BundleMissingError, TrackingError
from leadlight.workspace import Workspace
from training import track
from training.comparison import DECISIVE

if TYPE_CHECKING:
    from training.pipeline import Trained


@dataclass(frozen=True, slots=True)
class Settled:
    """What serves after a training.

    Attributes:
        current: version of the bundle that serves.
        champion: whether that is the model just trained, which beats the rules.
        why: in one sentence.
        fallback: the rules bundle that was written because the model does not beat the rules, or None.
    """

    current: str
    champion: bool
    why: str
    fallback: Bundle | None = None


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion by hand did.

    Attributes:
        version: of the bundle that serves now.
        previous: what served before, or None.
        champion: whether the bundle beats the rules, and so bears MLflow's alias.
        model_version: number of its registered version; None where MLflow could not follow.
        problem: why MLflow could not follow, or None.
    """

    version: str
    previous: str | None
    champion: bool
    model_version: str | None
    problem: str | None


def settle(workspace: Workspace, trained: "Trained") -> Settled:
    """Decide what serves after a training, and set the pointer."""
    new, before = trained.bundle, served(workspace)
    if trained.better_than_rules:
        workspace.set_current(new.version)
        told = "the model beats the rules in log loss and AUC, so it serves from now on"
        return Settled(new.version, champion=True, why=told + _instead(workspace, before, new))
    is_model = new.scorer.kind == "lightgbm"
    what = "the model does not beat the rules in both log loss and AUC" if is_model else trained.why
    if before is not None:
        return Settled(before, champion=False, why=f"{what}; `{before}` goes on serving")
    if not is_model:
        workspace.set_current(new.version)
        return Settled(new.version, champion=False, why=f"{what}; nothing served yet, so this bundle serves")
    from training.pipeline import rules_bundle  # noqa: PLC0415  (seconds to import; the list of models needs none of it)

    fallback = rules_bundle(workspace, trained)
    workspace.set_current(fallback.version)
    told = f"{what} and nothing served yet, so rules fitted on the same rows serve; the model stays as a challenger"
    return Settled(fallback.version, champion=False, why=told, fallback=fallback)


def promote(workspace: Workspace, version: str) -> Promoted:
    """Let a bundle serve, whatever the comparison said, once its signature has been verified.

    Raises:
        BundleMissingError: there is no such bundle.
        BundleTamperedError: its signature, a hash or its content does not hold; nothing is changed.
    """
    if version not in workspace.bundle_versions():
        raise BundleMissingError(f"bundle `{version}` is not in `{workspace.bundles}`; see `leadlight models list`")
    chosen = bundles.load(workspace.bundle_path(version), bundles.signing_key())
    previous = served(workspace)
    champion = beats_rules(chosen) is True
    workspace.set_current(version)
    try:
        return Promoted(version, previous, champion, track.crown(workspace, chosen, champion=champion), None)
    except TrackingError as problem:
        return Promoted(version, previous, champion, None, str(problem))


def served(workspace: Workspace) -> str | None:
    """Give the version that serves, or None where nothing does."""
    try:
        return workspace.current_version()
    except BundleMissingError:
        return None


def beats_rules(bundle: Bundle) -> bool | None:
    """Read from a bundle's own test figures whether its model beats the rules; None where there is no model.

    So a model without a mature test row, of which nothing is known, does not beat them.
    """
    if bundle.scorer.kind != "lightgbm":
        return None
    differences = bundle.metrics.get("differences", {})
    found = [differences.get(metric, {}).get("rules") for metric in DECISIVE]
    return all(difference is not None and difference["verdict"] == "better" for difference in found)


def _instead(workspace: Workspace, before: str | None, new: Bundle) -> str:
    """Tell what stops serving, loudly where it answered another question."""
    if before is None:
        return ""
    try:
        old = bundles.load(workspace.bundle_path(before), bundles.signing_key()).scorer
    except BundleError as problem:
        return f" instead of `{before}` (which could not be read: {problem})"
    if (old.target, old.horizon_us) == (new.scorer.target, new.scorer.horizon_us):
        return f" instead of `{before}`"
    question = f"`{old.target}`" if old.target != new.scorer.target else "another horizon"
    return f" instead of `{before}`; NOTE that this one predicted {question}: probabilities change their meaning"
