"""What a model card is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.bundle import Bundle
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import STAGES_EN
from leadlight.workspace import TablesInfo
from training import record
from training.comparison import SCORER_NAMES, Comparison
from training.disjoint import Disjoint
from training.split import Split

Floats = NDArray[np.float64]
Standing = Literal["better", "partly", "same", "worse", "no model", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInput:
    """One training, as its card tells it.

    Attributes:
        bundle: the scorer, its thresholds, and what `training` records (`ladder` and `audit` among it, where they ran).
        comparison: every scorer on the test rows.
        split: the instants used.
        test: test rows: lead_id, as_of, age, stage, label, and a column of probabilities per scorer (`model` first).
        X: features of the test rows, shape (n, len(specs)), NaN = null.
        points: rule points of the test rows, shape (n,).
        specs: one per column of X; the scorer's own are among them.
        known: training rows: lead_id, as_of, label, weight; None where they are not at hand.
        disjoint: the comparison on leads of which nothing was learnt; empty where it was not made.
        tables: what is known of the tables; None where it is not at hand.
        fingerprint: of the bundle (see `training.model_card.fingerprint`); None where it is not on disk.
    """

    bundle: Bundle
    comparison: Comparison
    split: Split
    test: pl.DataFrame
    X: Floats
    points: Floats
    specs: tuple[FeatureSpec, ...]
    known: pl.DataFrame | None = None
    disjoint: tuple[Disjoint, ...] = ()
    tables: TablesInfo | None = None
    fingerprint: str | None = None

    @property
    def training(self) -> Mapping[str, Any]:
        """What the bundle records of its training."""
        return self.bundle.training

    @property
    def seed(self) -> int:
        """Of everything that draws."""
        return int(self.training.get("seed", 0))

    @property
    def learnt(self) -> bool:
        """Whether a model or a scorecard answers, and not rules or base rate."""
        return record.is_model(self.bundle)

    @property
    def who(self) -> str:
        """What the reference scorer is called."""
        return record.called(self.bundle)

    @property
    def one_class(self) -> bool:
        """Whether the test rows hold one outcome only, or there are none."""
        return self.comparison.positives in {0, self.comparison.rows}

    @property
    def won_leads(self) -> int:
        """Number of leads with a test snapshot that succeeded; a lead may have one at every age."""
        return self.test.filter(pl.col("label") == 1)["lead_id"].n_unique()

    @property
    def timed(self) -> bool:
        """Whether the data has a clock."""
        return self.split.horizon_us is not None

    @property
    def oldest(self) -> str:
        """The oldest age that was learnt and tested: `60 days`; of use only where the data has a clock."""
        days = max(self.split.ages_us) / DAY
        return f"{days:g} day{'' if days == 1 else 's'}"

    @property
    def target(self) -> str:
        """The stage that is predicted, in words."""
        return STAGES_EN[self.split.target]

    @property
    def reached(self) -> str:
        """What a positive is: `reached SQL within 60 days`."""
        horizon = self.split.horizon_us
        return f"reached {self.target}" + ("" if horizon is None else f" within {horizon / DAY:g} days")

    @property
    def standing(self) -> Standing:
        """How what answers stands against the rules, on the test rows."""
        if self.one_class:
            return "nothing"
        if not self.learnt:
            return "no model"
        if self.comparison.better_than("rules"):
            return "better"
        verdicts = {self.comparison.verdict(metric, "rules") for metric in ("log_loss", "auc")}
        if "worse" in verdicts:
            return "worse"
        return "partly" if "better" in verdicts else "same"

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Leaks that the audit found and that leaving columns out does not mend."""
        audit = self.training.get("audit")
        return tuple(str(name) for name in audit.get("unresolved") or ()) if isinstance(audit, Mapping) else ()

    def scores(self, *names: str) -> dict[str, Floats]:
        """Give the probabilities of scorers that exist here, in the order asked for (all of them by default)."""
        wanted = names or tuple(SCORER_NAMES)
        return {name: self.test[name].to_numpy() for name in wanted if name in self.test.columns}

    @property
    def y(self) -> Floats:
        """Outcomes of the test rows, shape (n,)."""
        return self.test["label"].to_numpy()
