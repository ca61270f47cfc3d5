"""The model card: one HTML page that says what a training found, for those who decide whether to use it.

It loads nothing, runs no script, is readable in light and dark and on paper, and is the same for the same input. What
is missing is said to be missing in a sentence; there is never an empty picture.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from leadlight.errors import BundleMissingError, InputError
from leadlight.workspace import write_text_atomically
from training import model_card_making as made
from training import model_card_origin as origin
from training import model_card_results as results
from training import model_card_rung as rungs
from training import model_card_use as use
from training.disjoint import Disjoint, disjoint
from training.model_card_input import CardInput
from training.model_card_parts import Markup, page

__all__ = ["CardInput", "Disjoint", "disjoint", "fingerprint", "render", "write"]

# Anchor, words in the list of sections, and what writes the section; in this order.
SECTIONS: Final[tuple[tuple[str, str, Callable[[CardInput], Markup]], ...]] = (
    ("verdict", "In short", results.headline),
    ("comparison", "Comparison", results.compared),
    ("probabilities", "Probabilities", results.probabilities),
    ("ranking", "Lift and gains", results.ranking),
    ("thresholds", "Thresholds", use.thresholds),
    ("influence", "What moves scores", use.moving),
    ("segments", "Segments", use.segments),
    ("disjoint", "New leads", use.apart),
    ("intervals", "Intervals", use.intervals),
    ("data", "Data", origin.data),
    ("split", "Split", origin.split),
    ("rung", "Ladder", rungs.rung),
    ("audit", "Leak audit", origin.audit),
    ("making", "Making", made.making),
    ("limits", "Limits", origin.limits),
    ("provenance", "Provenance", origin.provenance),
)
DONE: Final = "Written by leadlight with the training itself. This page loads nothing from anywhere."


def write(card: CardInput, path: Path) -> None:
    """Write the page, whole or not at all.

    Args:
        card: what it tells.
        path: file to write or replace, its name ending in `.html`; folders are made.

    Raises:
        InputError: rows that do not belong together, or another ending.
        WorkspaceError: the file cannot be written there.
    """
    if path.suffix != ".html":
        raise InputError(f"model card `{path.name}` must end in .html; rename it")
    write_text_atomically(path, render(card))


def render(card: CardInput) -> str:
    """Give the page as text; the same input gives the same text.

    Raises:
        InputError: rows that do not belong together.
    """
    _check(card)
    kind = {"lightgbm": "LightGBM model", "scorecard": "scorecard", "rules": "rule card"}.get(
        card.bundle.scorer.kind, "base rate"
    )
    trained = str(card.training.get("trained_at", "")).removesuffix("+00:00").replace("T", " ")
    sub = f"{kind}, bundle `{card.bundle.version}`" + (f", trained {trained} UTC" if trained else "")
    title = f"Which leads {card.reached.replace('reached', 'will reach')}?"
    links = [(name, words) for name, words, _ in SECTIONS]
    parts = [write_one(card) for _, _, write_one in SECTIONS]
    return page(title, parts, kicker="leadlight model card", sub=sub, links=links, foot=DONE)


def fingerprint(folder: Path) -> str:
    """Give the SHA-256 of a bundle's manifest, which names the hash of every other file of it.

    Raises:
        BundleMissingError: there is no bundle in the folder.
    """
    try:
        return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError) as missing:
        raise BundleMissingError(f"`{folder}` holds no bundle; see `leadlight models list`") from missing


def _check(card: CardInput) -> None:
    """Refuse rows that do not belong together."""
    n = card.test.height
    if card.X.shape != (n, len(card.specs)) or card.points.shape != (n,):
        raise InputError(
            f"model card: {n} test rows and {len(card.specs)} features, but X has shape {card.X.shape} and points have "
            f"{card.points.shape}; give the features and points of the test rows"
        )
    missing = [name for name in ("lead_id", "as_of", "age", "label", "model") if name not in card.test.columns]
    if missing:
        raise InputError(f"model card: the test rows lack the column `{missing[0]}`")
