"""The bundles of a workspace as a list, one line each; a bundle that cannot be trusted is listed as such."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from leadlight import bundle as bundles
from leadlight.bundle import Bundle
from leadlight.errors import BundleError, BundleRenamedError, BundleTamperedError
from leadlight.workspace import Workspace
from scoring import chosen
from training import record, track_queue
from training.history import served
from training.track_queue import Sent
from training.track_store import Store

State = Literal["ok", "tampered", "renamed or copied", "unreadable"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A bundle on disk.

    Attributes:
        version: name of its folder.
        current: whether it serves.
        state: `tampered` if signature, hash or content does not hold, `renamed or copied` if it is whole but says that
            it is another version, `unreadable` for any other reason.
        problem: why its state is not `ok`, or None.
        champion: whether it serves and is a model; where rules or a base rate serve there is no champion.
        kind: what produces its scores; None where it cannot be read, as all below.
        rung: the rung of the ladder that was chosen; None also where the bundle does not say.
        target: the stage it predicts.
        horizon_us: within which time; None also for `ever`.
        trained_at: ISO instant.
        test_rows: snapshots it was tested on.
        positives: positive ones among them.
        log_loss: by scorer (`model`, `rules`), None where not defined.
        auc: likewise.
        better_than_rules: None where there is no model.
        shift: log-odds by which its probabilities are corrected for a changed base rate.
        audit: how its audit ended.
        run_id: its MLflow run at the address that is tracked to now; None where it has none there.
        model_version: number of its registered version there, or None.
    """

    version: str
    current: bool
    state: State
    problem: str | None = None
    champion: bool = False
    kind: str | None = None
    rung: str | None = None
    target: str | None = None
    horizon_us: int | None = None
    trained_at: str | None = None
    test_rows: int | None = None
    positives: int | None = None
    log_loss: dict[str, float | None] | None = None
    auc: dict[str, float | None] | None = None
    better_than_rules: bool | None = None
    shift: float | None = None
    audit: record.AuditState | None = None
    run_id: str | None = None
    model_version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the line as JSON."""
        return asdict(self)


def listed(workspace: Workspace) -> list[Listed]:
    """List the bundles, newest first.

    Raises:
        BundleMissingError: there are bundles but no signing key to verify them with.
    """
    versions = workspace.bundle_versions()
    if not versions:
        return []
    current = served(workspace)
    bundles.signing_key()
    runs = track_queue.runs(workspace, Store.chosen(workspace).address)
    return [_line(workspace, version, runs, current=version == current) for version in reversed(versions)]


def _line(workspace: Workspace, version: str, runs: Mapping[str, Sent], *, current: bool) -> Listed:
    try:
        found = chosen.load(workspace, version)
    except BundleRenamedError as problem:
        return Listed(version, current, "renamed or copied", str(problem))
    except BundleTamperedError as problem:
        return Listed(version, current, "tampered", str(problem))
    except BundleError as problem:
        return Listed(version, current, "unreadable", str(problem))
    sent = runs.get(version)
    return Listed(
        version=version,
        current=current,
        state="ok",
        champion=current and record.is_model(found),
        kind=found.scorer.kind,
        rung=record.rung(found),
        target=found.scorer.target,
        horizon_us=found.scorer.horizon_us,
        trained_at=found.training.get("trained_at"),
        test_rows=found.metrics.get("rows"),
        positives=found.metrics.get("positives"),
        log_loss=_figures(found, "log_loss"),
        auc=_figures(found, "auc"),
        better_than_rules=record.beats_rules(found),
        shift=found.scorer.shift,
        audit=record.audit_state(found),
        run_id=None if sent is None else sent.run_id,
        model_version=None if sent is None else sent.model_version,
    )


def _figures(bundle: Bundle, metric: str) -> dict[str, float | None]:
    estimates = bundle.metrics.get("metrics", {}).get(metric, {})
    return {name: (estimates.get(name) or {}).get("value") for name in ("model", "rules")}
