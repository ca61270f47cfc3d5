"""The scorer that serves: the workspace's current bundle, or, where it is not usable, a rule card, and why."""

import re
from dataclasses import dataclass
from typing import Self

from leadlight.bundle import Bundle
from leadlight.errors import BundleError, InputError
from leadlight.workspace import Workspace
from rules import parse
from scoring import chosen
from scoring.score import LeadScorer


@dataclass(frozen=True, slots=True)
class Current:
    """What answers, held for the life of the process.

    Attributes:
        scorer: gives the scores; shared between threads.
        bundle: what it was made from; None = the rule card answers and every score says `degraded`.
        problem: why there is no bundle, None where there is one.
    """

    scorer: LeadScorer
    bundle: Bundle | None
    problem: str | None

    @property
    def degraded(self) -> bool:
        """Whether the rule card answers instead of a bundle."""
        return self.bundle is None

    @classmethod
    def load(cls, workspace: Workspace) -> Self:
        """Verify and load the current bundle, else the workspace's rule card, else the package's standard card.

        A folder that was copied or renamed by hand holds no bundle of that name: answers would name another version
        than what `models list` and the history say serves.

        Raises:
            CardError: there is no usable bundle, and the workspace's card is wrong.
        """
        try:
            loaded = chosen.load(workspace)
            return cls(LeadScorer(loaded), loaded, None)
        except (BundleError, InputError, OSError) as unusable:
            card = parse.chosen(None, workspace.card)
            return cls(LeadScorer(None, card), None, str(unusable))


def without_folders(message: str) -> str:
    """Leave only the last name of every absolute path: probes are open to everybody.

    >>> without_folders("workspace `/srv/acme/ws` has no current bundle")
    'workspace `ws` has no current bundle'
    """
    return re.sub(r"(?<![\w.])/(?:[^\s`/]+/)+", "", message)
