"""Which scorer a command uses: a bundle by its version, else the current one, else the rule card."""

from leadlight import bundle
from leadlight.bundle import Bundle
from leadlight.errors import BundleMissingError, BundleRenamedError
from leadlight.workspace import Workspace
from rules import parse
from rules.parse import Card


def load(workspace: Workspace, version: str | None = None) -> Bundle:
    """Verify and load a bundle; None = the current one.

    Raises:
        BundleMissingError: it is not there.
        BundleTamperedError: signature, hash or content does not hold; BundleRenamedError where it is
            a bundle of another version.
    """
    if version is not None and version not in workspace.bundle_versions():
        raise BundleMissingError(f"bundle `{version}` is not in `{workspace.bundles}`; see `leadlight models list`")
    chosen = workspace.current_version() if version is None else version
    found = bundle.load(workspace.bundle_path(chosen), bundle.signing_key())
    if found.version != chosen:
        raise BundleRenamedError(
            f"bundle `{chosen}` says that it is `{found.version}`: its folder was copied or renamed; give it that name "
            "again, or remove it"
        )
    return found


def load_or_card(workspace: Workspace, version: str | None = None) -> tuple[Bundle | None, Card, str | None]:
    """Give the bundle, or where nothing was trained yet the workspace's rule card, and why.

    A bundle that is there but does not hold, and a pointer to one that is not there, is an error and not a reason to
    fall back: a table of scores must not quietly come from another scorer.

    Raises:
        BundleMissingError: the version that was asked for, or the signing key, is not there.
        BundleTamperedError: signature, hash or content of the bundle does not hold.
        CardError: the workspace's card is wrong.
    """
    card = parse.chosen(None, workspace.card)
    if version is None and not (workspace.bundles / "current").exists():
        return None, card, str(BundleMissingError.none_current(workspace.root))
    return load(workspace, version), card, None
