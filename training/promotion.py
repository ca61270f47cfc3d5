"""Champion and challenger: which bundle serves. The pointer `bundles/current` is the truth; MLflow's aliases follow it.

After a training (`settle`):

a model, or a scorecard that was asked for,      serves from now on, and is champion
  that beats the rules and is not worse than
  the champion on the same newest slice
a scorecard that the ladder chose, if it is      serves from now on, and is champion
  not worse beyond noise than either
one that does not                                is challenger; what served goes on serving
  and nothing serves yet                         a bundle of kind `rules`, fitted on the same rows, serves
rules or base rate                               serve if nothing serves yet

With an unresolved leak none of them begins to serve; one that lies in the data itself (an order by outcome) stops the
rules too, and then nothing serves.

The newest slice is what neither has learnt from: it begins at the later of the two cuts (`training.versus`). Where the
champion's is the later one and too little is left, the challenger stays one.

By hand (`promote`): not worse beyond noise than the champion (than the rules where nothing serves yet) on the same
newest slice, and audited without an unresolved leak. A stated reason overrides all but a leak. `rollback` needs no
comparison.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from leadlight.bundle import Bundle
from leadlight.errors import BundleError, BundleMissingError, InputError, NotEnoughDataError, WorkspaceError
from leadlight.instants import iso
from leadlight.workspace import Workspace
from scoring import chosen
from training import history, record, track
from training.comparison import METRIC_NAMES
from training.history import served
from training.track import Followed

if TYPE_CHECKING:
    from training.pipeline import Trained
    from training.versus import Versus

# Why two bundles cannot be compared: the question or the period, the tables, too few rows.
INCOMPARABLE: Final = (InputError, WorkspaceError, NotEnoughDataError)
AGAINST_THE_EVIDENCE: Final = "say why it should serve all the same: --because TEXT"


@dataclass(frozen=True, slots=True)
class Settled:
    """What serves after a training.

    Attributes:
        current: version of the bundle that serves; None where nothing does.
        champion: whether that is the model just trained.
        why: in one sentence.
        fallback: the rules bundle that was written because the model may not serve, or None.
        versus: the model against the champion on the same test rows; None where they were not compared.
    """

    current: str | None
    champion: bool
    why: str
    fallback: Bundle | None = None
    versus: "Versus | None" = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What speaks against letting a bundle serve.

    Attributes:
        leaks: unresolved leaks, which nothing overrides.
        reasons: everything else, in sentences; a stated reason overrides them.
        versus: the comparison with the champion, or with the rules where nothing serves; None where there is none.
        note: why it was not compared with what serves, or None; that speaks against what serves and not against it.
    """

    leaks: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    versus: "Versus | None" = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion or a rollback by hand did.

    Attributes:
        version: the bundle that was asked for.
        promoted: whether it serves now.
        previous: what served before, or None.
        champion: whether it serves and is a model.
        judged: what spoke against it.
        because: the reason that overrode the evidence, or None.
        followed: what MLflow did.
    """

    version: str
    promoted: bool
    previous: str | None
    champion: bool
    judged: Judged
    because: str | None = None
    followed: Followed = field(default_factory=Followed)

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts, lists and finite numbers."""
        judged = self.judged
        return {
            "version": self.version,
            "promoted": self.promoted,
            "previous": self.previous,
            "champion": self.champion,
            "leaks": list(judged.leaks),
            "reasons": list(judged.reasons),
            "note": judged.note,
            "because": self.because,
            "comparison": None if judged.versus is None else judged.versus.to_json(),
            "mlflow": self.followed.to_json(),
        }


def settle(workspace: Workspace, trained: "Trained") -> Settled:
    """Decide what serves after a training, and set the pointer."""
    new, current = trained.bundle, served(workspace)
    if not record.is_model(new):
        return _settle_without_model(workspace, trained, current)
    refused, versus = _refused(workspace, trained, current)
    if refused is None:
        history.put(workspace, new.version, "train", expected=current)
        told = f"{_earned(new)}, so it serves from now on{_instead(workspace, current, new)}"
        return Settled(new.version, champion=True, why=told, versus=versus)
    if current is not None:
        told = f"{refused}; `{current}` goes on serving"
        return Settled(current, champion=False, why=told, versus=versus)
    from training.pipeline import rules_bundle  # noqa: PLC0415  (seconds to import; the list of models needs none of it)

    fallback, who = rules_bundle(workspace, trained), record.called(new)
    if record.unresolved(fallback, "leak"):  # it lies in the data, and not in what the model made of it
        return Settled(None, champion=False, why=f"{refused}, and nothing serves", fallback=fallback)
    history.put(workspace, fallback.version, "train", expected=None)
    told = f"{refused} and nothing served yet, so rules fitted on the same rows serve; {who} stays as a challenger"
    return Settled(fallback.version, champion=False, why=told, fallback=fallback)


def promote(workspace: Workspace, version: str, *, because: str | None = None) -> Promoted:
    """Let a bundle serve if nothing speaks against it, or nothing but what a stated reason overrides.

    Args:
        workspace: its pointer is moved, MLflow's aliases follow.
        version: of the bundle.
        because: why it should serve against the evidence; written into the history.

    Raises:
        BundleMissingError: there is no such bundle.
        BundleTamperedError: its signature, a hash or its content does not hold; nothing is changed.
        InputError: an empty reason.
        WorkspaceError: another command changed what serves meanwhile.
    """
    if because is not None and not because.strip():
        raise InputError(f"--because: the reason is empty; {AGAINST_THE_EVIDENCE}")
    bundle, previous = chosen.load(workspace, version), served(workspace)
    champion = record.is_model(bundle)
    if previous == version:  # nothing to compare it with; a leak is told
        leaks = record.unresolved(bundle, "leak")
        return Promoted(version, True, previous, champion, Judged(leaks), followed=track.follow(workspace))
    judged = judge(workspace, bundle, previous)
    if judged.leaks or (judged.reasons and because is None):
        followed = track.follow(workspace)
        return Promoted(version, False, previous, False, judged, followed=followed)
    reason = because if judged.reasons else None
    history.put(workspace, version, "promote", expected=previous, because=reason)
    return Promoted(version, True, previous, champion, judged, reason, track.follow(workspace))


def rollback(workspace: Workspace) -> Promoted:
    """Let the previous bundle serve again, in one step; repeated, the one before that.

    Raises:
        BundleMissingError: nothing serves, nothing served before or the history does not know what, or that is gone.
        BundleTamperedError: signature, hash or content of the previous bundle does not hold; nothing is changed.
    """
    current = workspace.current_version()
    version = history.before(workspace, current)
    if version is None and history.is_first(workspace, current):
        raise BundleMissingError(f"nothing served before `{current}`, so there is nothing to go back to")
    if version is None:
        raise BundleMissingError(
            f"the history does not know what served before `{current}`; choose by `leadlight models promote VERSION`"
        )
    bundle = chosen.load(workspace, version)
    leaks = record.unresolved(bundle, "leak")
    if leaks:
        return Promoted(version, False, current, False, Judged(leaks), followed=track.follow(workspace))
    history.put(workspace, version, "rollback", expected=current)
    return Promoted(version, True, current, record.is_model(bundle), Judged(), followed=track.follow(workspace))


def judge(workspace: Workspace, bundle: Bundle, current: str | None) -> Judged:
    """Collect what speaks against letting a bundle serve instead of what serves now (None = nothing does)."""
    leaks, suspects = record.unresolved(bundle, "leak"), record.unresolved(bundle, "suspect")
    reasons = []
    if record.is_model(bundle) and record.audit_state(bundle) == "not audited":
        reasons.append("its columns were never audited for leaks (train again)")
    reasons += [f"the audit found it suspect, and that is not resolved: {one}" for one in suspects]
    champion, note = (None, None) if current is None else _read(workspace, current)
    if champion is None and not record.is_model(bundle):
        return Judged(leaks, tuple(reasons), note=note)
    try:
        versus = _versus(workspace, bundle, champion)
    except INCOMPARABLE as problem:
        return Judged(leaks, (*reasons, f"it cannot be compared: {problem}"), note=note)
    return Judged(leaks, (*reasons, *_against(versus)), versus, note)


def _versus(workspace: Workspace, bundle: Bundle, champion: Bundle | None) -> "Versus":
    from training import versus  # noqa: PLC0415  (polars, the feature engines)

    return versus.compare(workspace, bundle, champion)


def _against(versus: "Versus") -> tuple[str, ...]:
    """Say what a comparison holds against the first bundle."""
    rows, positives = versus.comparison.rows, versus.comparison.positives
    if not versus.told():
        return (f"nothing can be said of the newest slice: {rows:,} snapshots, {positives:,} of them positive",)
    worse = versus.worse_in()
    if not worse:
        return ()
    other = "the rules" if versus.b is None else f"the champion `{versus.b.version}`"
    return (f"it is worse than {other} in {' and '.join(worse)} on the same {rows:,} newest snapshots",)


def _settle_without_model(workspace: Workspace, trained: "Trained", current: str | None) -> Settled:
    if current is not None:
        return Settled(current, champion=False, why=f"{trained.why}; `{current}` goes on serving")
    leaks = record.unresolved(trained.bundle, "leak")
    if leaks:
        return Settled(None, champion=False, why=f"{_leaking(leaks)}, so nothing serves")
    history.put(workspace, trained.bundle.version, "train", expected=None)
    told = f"{trained.why}; nothing served yet, so this bundle serves"
    return Settled(trained.bundle.version, champion=False, why=told)


def _refused(workspace: Workspace, trained: "Trained", current: str | None) -> "tuple[str | None, Versus | None]":
    """Say why a model just trained may not serve (None = it may), and how it did against the champion."""
    new, who = trained.bundle, record.called(trained.bundle)
    leaks = record.unresolved(new, "leak")
    if leaks:
        return _leaking(leaks), None
    found = record.against_rules(new)
    if None in found.values():
        return f"{who} could not be compared with the rules on the test side", None
    worse = [METRIC_NAMES[metric] for metric, verdict in found.items() if verdict == "worse"]
    if worse:
        return f"{who} is worse than the rules in {' and '.join(worse)}", None
    if not _by_the_ladder(new) and not trained.better_than_rules:
        told = f"{who} does not beat the rules in both log loss and AUC"
        asked = "; it was asked for by --rung: one that the ladder chose would only have to be no worse"
        return told + (asked if new.scorer.kind == "scorecard" else ""), None
    champion = None if current is None else _read(workspace, current)[0]
    if champion is None:
        return None, None
    return _refused_by_champion(workspace, trained, champion)


def _leaking(leaks: tuple[str, ...]) -> str:
    return f"the audit found a leak that is not resolved ({'; '.join(leaks)})"


def _refused_by_champion(
    workspace: Workspace, trained: "Trained", champion: Bundle
) -> "tuple[str | None, Versus | None]":
    from training import versus  # noqa: PLC0415  (polars, the feature engines)

    if not versus.same_question(trained.bundle, champion):
        return None, None  # told loudly by `_instead`
    split, refused = trained.split, f"{record.called(trained.bundle)} may not replace what serves"
    try:
        found = versus.compare(
            workspace,
            trained.bundle,
            champion,
            end=split.until - (split.horizon_us or 0) + 1,
            scored=trained.test.select("lead_id", "as_of", "age", "label", "rules", a="model"),
            seed=trained.bundle.training["seed"],
        )
    except INCOMPARABLE as problem:
        return f"{refused}: it cannot be compared with the champion `{champion.version}`: {problem}", None
    reasons = (*_against(found), *_too_few(found, trained))
    return (f"{refused}: {reasons[0]}" if reasons else None), found


def _too_few(versus: "Versus", trained: "Trained") -> tuple[str, ...]:
    """Say where the champion has learnt from so much of the test side that the rest cannot tell the two apart.

    The champion has then seen newer outcomes, so nothing speaks for the challenger but what can be measured.
    """
    if versus.chosen.start <= trained.split.cut or versus.measured():
        return ()
    rows, positives = versus.comparison.rows, versus.comparison.positives
    left = f"{rows:,} test snapshots after that, {positives:,} of them positive, are too few to compare the two"
    return (f"the champion learnt from what lies before {iso(versus.chosen.start)}, and {left}",)


def _read(workspace: Workspace, version: str) -> tuple[Bundle | None, str | None]:
    """Load what serves; None and why where it cannot be trusted, and so is nothing to compare with."""
    try:
        return chosen.load(workspace, version), None
    except BundleError as problem:
        return None, f"not compared with what serves, which cannot be read: {problem}"


def _by_the_ladder(bundle: Bundle) -> bool:
    """Whether it is a scorecard that the ladder chose, which has been held against the rules on earlier outcomes."""
    return bundle.scorer.kind == "scorecard" and not record.asked_for(bundle)


def _earned(bundle: Bundle) -> str:
    """Say why a model or a scorecard may serve."""
    who = record.called(bundle)
    if record.beats_rules(bundle):
        return f"{who} beats the rules in log loss and AUC"
    return f"the ladder chose {who}, and it is not worse than the rules beyond noise"


def _instead(workspace: Workspace, current: str | None, new: Bundle) -> str:
    """Tell what stops serving, loudly where it answered another question."""
    if current is None:
        return ""
    try:
        old = chosen.load(workspace, current).scorer
    except BundleError as problem:
        return f" instead of `{current}` (which could not be read: {problem})"
    if (old.target, old.horizon_us) == (new.scorer.target, new.scorer.horizon_us):
        return f" instead of `{current}`"
    question = f"`{old.target}`" if old.target != new.scorer.target else "ANOTHER HORIZON"
    told = f"THIS ONE PREDICTED {question}, SO THE TWO WERE NOT COMPARED: PROBABILITIES CHANGE THEIR MEANING"
    return f" instead of `{current}`; NOTE: {told}"
