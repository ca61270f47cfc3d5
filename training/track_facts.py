"""What a run says: parameters, figures, tags and pictures, read from the bundle and from the training that made it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.instants import iso
from training import record

if TYPE_CHECKING:
    from training.options import Options
    from training.pipeline import Trained

# Tags of a run. `bundle` is what a run is known by: one bundle has one run.
BUNDLE_TAG: Final = "bundle"
RUN_TAGS: Final = (BUNDLE_TAG, "kind", "rung", "target", "better_than_rules", "audit", "workspace")
# MLflow cuts longer values off, or refuses them.
LONGEST_PARAMETER: Final = 6000


def parameters(bundle: Bundle) -> dict[str, str | int | float]:
    """Give what a run is told apart by: the question, the split, the seed, the card and the recipe."""
    scorer, known = bundle.scorer, bundle.training
    timed = scorer.horizon_us is not None
    return {
        "target": scorer.target,
        "horizon_days": "ever" if scorer.horizon_us is None else scorer.horizon_us / durations.UNITS["d"],
        **{name: iso(known[name]) if timed else known[name] for name in ("test_from", "until") if name in known},
        "ages": _ages(known.get("ages_us"), timed=timed),
        "train_ages": _ages(known.get("train_ages_us"), timed=timed),
        "kind": scorer.kind,
        "rung": record.rung(bundle) or "unknown",
        "card": str(scorer.card.get("name", "unknown")),
        "reference": scorer.reference,
        "seed": known.get("seed", "unknown"),
        "allowed": ",".join(known.get("allowed", ())) or "none",
        "features": len(scorer.specs),
        **{f"recipe.{name}": value for name, value in known.get("recipe", {}).items()},
    }


def asked(options: "Options") -> dict[str, str | int | float]:
    """Give the parameters of a training that its bundle does not record."""
    return {"trials": options.trials, "seconds": "no limit" if options.seconds is None else options.seconds}


def figures(bundle: Bundle) -> dict[str, float]:
    """Give the figures of a bundle as flat names: `model.auc`, `rules.log_loss.low`, `difference.rules.auc`."""
    measured, known = bundle.metrics, bundle.training
    found: dict[str, float | None] = {
        **{f"train.{name}": known.get("train", {}).get(name) for name in ("rows", "positives")},
        **{f"test.{name}": measured.get(name) for name in ("rows", "leads", "positives")},
        **dict(_estimates(measured)),
        **dict(_differences(measured)),
        **dict(_calibration(measured)),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def timings(trained: "Trained") -> dict[str, float]:
    """Give the figures of a training that its bundle does not record: seconds per step, and how well reasons add up."""
    found = {f"seconds.{name}": seconds for name, seconds in trained.seconds.items()}
    if trained.reasons_max_error is not None:
        found["reasons_max_error"] = trained.reasons_max_error
    return found


def tags(bundle: Bundle) -> dict[str, str]:
    """Give the tags of a run, without that of the workspace."""
    return {
        BUNDLE_TAG: bundle.version,
        "kind": bundle.scorer.kind,
        "rung": record.rung(bundle) or "unknown",
        "target": bundle.scorer.target,
        "better_than_rules": str(record.beats_rules(bundle)).lower(),
        "audit": record.audit_state(bundle),
    }


def draw(trained: "Trained", folder: Path) -> None:
    """Draw ROC and gains of all scorers over all test rows, and reliability of model and rules per age, as PNG."""
    if not len(trained.test):
        return
    from training import plots  # noqa: PLC0415  (matplotlib)

    test = trained.test
    scorers = [name for name in trained.comparison.metrics["auc"] if name in test.columns]
    y, columns = test["label"].to_numpy(), {name: test[name].to_numpy() for name in scorers}
    plots.save(plots.roc_figure(y, columns), folder / "roc.png")
    plots.save(plots.gains_figure(y, columns), folder / "gains.png")
    for (age,), part in sorted(test.partition_by("age", as_dict=True).items()):
        shown: Mapping[str, Any] = {name: part[name].to_numpy() for name in ("model", "rules")}
        told = durations.write(age)
        title = f"Reliability at age {told}" if trained.split.horizon_us is not None else "Reliability"
        name = f"reliability_{told}.png" if trained.split.horizon_us is not None else "reliability.png"
        plots.save(plots.reliability_figure(part["label"].to_numpy(), shown, title), folder / name)


def _ages(ages_us: list[int] | None, *, timed: bool) -> str:
    if ages_us is None:
        return "unknown"
    return ",".join(durations.write(age) for age in ages_us) if timed else "once"


def _estimates(measured: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for metric, scorers in measured.get("metrics", {}).items():
        for scorer, estimate in scorers.items():
            if estimate is not None:
                yield f"{scorer}.{metric}", estimate["value"]
                yield f"{scorer}.{metric}.low", estimate["low"]
                yield f"{scorer}.{metric}.high", estimate["high"]


def _differences(measured: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for metric, others in measured.get("differences", {}).items():
        for other, difference in others.items():
            if difference is not None:
                yield f"difference.{other}.{metric}", difference["value"]


def _calibration(measured: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Give the model's ECE and its bar at every age."""
    from training.split import age_named  # noqa: PLC0415  (polars)

    for part in measured.get("by_age", ()):
        error = part["metrics"]["ece"]["model"]
        age = age_named(part["age_us"])
        yield f"model.ece.{age}", None if error is None else error["value"]
        yield f"model.ece_bar.{age}", part["ece_bar"]["model"]
