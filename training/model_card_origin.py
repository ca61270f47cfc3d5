"""What a model card says of the origin: data and dates, the split, the audit, limits, provenance."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import polars as pl

from leadlight import durations
from leadlight.instants import iso
from leadlight.phrases import counted
from training import audit_card, audit_use
from training import model_card_plots as plots
from training.audit import Kind
from training.audit_gate import JUDGED
from training.model_card_input import CardInput
from training.model_card_parts import (
    DASH,
    Markup,
    Tone,
    absent,
    bullets,
    capital,
    code,
    figure,
    joined,
    legend,
    note,
    paragraph,
    pill,
    records,
    section,
    sentence,
    shown,
    side_by_side,
    table,
)

MOST_FINDINGS: Final = 40
MOST_EVIDENCE: Final = 6
AUDIT_TONES: Final[dict[str, Tone]] = {"ok": "good", "suspect": "warn", "leak": "bad"}
HORIZONS: Final = {
    "champion": "The horizon was not asked for: it is that of the bundle that served, so that the two can be compared.",
    "dwell": "The horizon was not asked for: four of five that had reached the target by the cut took no longer.",
    "usual": "The horizon was not asked for, and nobody had reached the target by the cut: it is the usual one.",
}
OF_YOUNGER: Final = (
    "of younger ones little but successes is known, and trees would take what tells new from old for a cause"
)
# By the way of `training.settled`; a bundle from before does not tell it.
SETTLED: Final[dict[str | None, str]] = {
    "ended": f", those whose horizon had ended, unweighted: {OF_YOUNGER}.",
    "without_new_values": (
        ", weighted: too few successes are among those whose horizon had ended, so younger ones were learnt from too, "
        "but for those that hold a new value (a team or campaign that had just begun). Of these little but quick "
        "successes is known. Failures weigh less in turn, so that the share of successes stays that of all."
    ),
    None: f", and not from some or all of those whose horizon had not ended: {OF_YOUNGER}.",
}
LIBRARIES: Final = ("leadlight", "lightgbm", "numpy", "polars", "scikit-learn", "optuna")
CAUSES: Final = {
    "duplicate_id": "the same activity again",
    "duplicate": "duplicates",
    "future": "in the future",
    "too_early": "long before their lead",
    "scanner_agent": "mail scanners by their name",
    "click_before_open": "clicks before any open",
    "many_links": "many links at once",
    "merged_lead": "leads that are one with another",
    "merged_change": "changes of merged leads",
    "internal_domain": "leads of the own company",
    "competitor_domain": "leads of competitors",
}


def data(card: CardInput) -> Markup:
    """Say what it was made from, and when."""
    training, split = card.training, card.split
    rows = [["predicted", f"{capital(card.reached)}"], ["trained at", _at(training)]]
    if card.timed:
        rows.append(["learnt from", f"what was known on {iso(split.cut)}"])
        rows.append(["tested on", f"{iso(split.cut)} to {iso(split.until)}"])
        rows.append(["ages learnt from", ", ".join(durations.write(age) for age in split.train_ages_us)])
        rows.append(["ages tested on", ", ".join(durations.write(age) for age in split.ages_us)])
    else:
        rows.append(["split", "by the order of the rows: this data has no clock"])
    return section(
        "data",
        "Data and dates",
        table("The question and the dates (UTC).", ["", "value"], rows, texts=(1,)),
        _side_table(training),
        side_by_side(_table_rows(card), _hygiene(training)),
        _attributes(card),
    )


def _at(training: Mapping[str, Any]) -> str:
    return str(training.get("trained_at", DASH))


def _side_table(training: Mapping[str, Any]) -> Markup:
    rows = []
    for name, told in (("train", "learnt from"), ("test", "tested on")):
        side = training.get(name)
        if side:
            share = f"{side['positives'] / side['rows']:.1%}" if side["rows"] else DASH
            rows.append([told, f"{side['rows']:,}", f"{side['leads']:,}", f"{side['positives']:,}", share])
    if not rows:
        return absent("How many snapshots it was made from is not recorded.")
    return table("Snapshots: a lead at one age.", ["side", "snapshots", "leads", "positives", "share"], rows)


def _table_rows(card: CardInput) -> Markup:
    if card.tables is None or not card.tables.rows:
        return absent("The sizes of the tables are not at hand.")
    rows = [[name.replace("_", " "), f"{count:,}"] for name, count in card.tables.rows.items()]
    return table(f"Tables of generation {card.tables.generation}.", ["table", "rows"], rows)


def _hygiene(training: Mapping[str, Any]) -> Markup:
    found = training.get("hygiene")
    if not found:
        return absent("Nothing was set aside before: hygiene was off.")
    aside = {cause: count for cause, count in (found.get("set_aside") or {}).items() if count}
    if not aside:
        return paragraph("Hygiene found nothing to set aside.")
    rows = [[CAUSES.get(cause, cause.replace("_", " ")), f"{count:,}"] for cause, count in aside.items()]
    return table("Set aside by hygiene first; scoring does the same.", ["cause", "rows"], rows)


def _attributes(card: CardInput) -> Markup:
    said, training = [], card.training
    allowed = training.get("allowed") or ()
    if isinstance(allowed, Mapping):
        said += [_allowed(card, str(name), str(why)) for name, why in allowed.items()]
    elif allowed:
        said.append(joined("Attributes of unknown time that were allowed by name: ", _names(allowed), "."))
    unmet = training.get("unmet_attributes") or ()
    if unmet:
        said.append(joined("Attributes that the rule card asks for and the data lacks: ", _names(unmet), "."))
    return bullets(said)


def _allowed(card: CardInput, name: str, why: str) -> Markup:
    """Say that a suspect was allowed, and whether anything reads it: only then it is used."""
    found = [audit_use.use(card.bundle, card.specs, kind, name) for kind in _suspected(card, name)]
    read = [one for one in found if one in audit_use.READ]
    if not read:
        return joined("Allowed although suspect: ", code(name), f", because {why}; {audit_use.WORDS[found[0]]}.")
    by = "Used" if "features" in read else "Used by rules of the card"
    return joined(f"{by} although suspect: ", code(name), f", because {why}.")


def _suspected(card: CardInput, name: str) -> list[Kind]:
    """Give what the audit suspects by that name: an attribute, an activity type, or one of each."""
    report = card.training.get("audit")
    found = report.get("findings", ()) if isinstance(report, Mapping) else ()
    suspects = {(one.get("kind"), one.get("name")) for one in found if one.get("verdict") == "suspect"}
    kinds: tuple[Kind, ...] = ("attribute", "type")
    return [kind for kind in kinds if (kind, name) in suspects] or ["attribute"]


def _names(found: Sequence[Any]) -> Markup:
    return Markup(", ".join(code(str(name)) for name in found))


def split(card: CardInput) -> Markup:
    """Draw the split as a line of time."""
    title = "The split"
    known = None if card.known is None else _instants(card.known)
    told = (
        "Bars count snapshots, the green part of them succeeded. In the shaded stretch before the cut only outcomes "
        "that came quickly were known; in the one at the end the horizon is not over, so nothing is tested there."
        if card.timed
        else "Bars count leads in the order of the data, the green part of them succeeded."
    )
    key = legend(("train", "learnt from"), ("test", "tested on"), ("reached", card.reached))
    drawn = figure(told, [("", plots.timeline(known, _instants(card.test), card.split))], key, one=True)
    return section("split", title, drawn, *_censoring(card))


def _instants(rows: pl.DataFrame) -> tuple[Any, Any]:
    return rows["as_of"].to_numpy(), rows["label"].to_numpy()


def _censoring(card: CardInput) -> list[Markup]:
    """Say how outcomes that were not known yet are made up for."""
    if not card.timed:
        return []
    ground = (
        "Learnt from are open snapshots before the cut whose outcome was known at it; tested on is every one from the "
        "cut on whose horizon ended within the record. No test row is dropped or weighted."
    )
    told = [ground]
    if card.split.horizon_source != "asked":
        told.append(HORIZONS[card.split.horizon_source])
    if card.known is not None and "weight" in card.known.columns and card.known.height:
        weight = card.known["weight"].to_numpy()
        told.append(
            f"Quick outcomes are known earlier than slow ones. To make up for it a learnt snapshot counts "
            f"{weight.mean():.2f} times on average, at most {weight.max():.2f} times (weights against censoring)."
        )
        told += _settled(card.training.get("settled"), card.known.height)
    final = card.training.get("losses_are_final")
    if final is not None:
        told.append(
            "A loss counted as a known failure: lost leads practically never came back."
            if final
            else "A loss alone did not count as a failure: too many lost leads come back, or too few losses are known."
        )
    return [bullets(told)]


def _settled(found: Mapping[str, Any] | None, learnt: int) -> list[str]:
    """Say from which of the snapshots trees learnt, where it is not from all; a bundle from before may not say how."""
    if not found or found["rows"] >= learnt:
        return []
    return [f"Trees learnt from {found['rows']:,} of these {learnt:,} snapshots{SETTLED[found.get('how')]}"]


def audit(card: CardInput) -> Markup:
    """Show what the leak audit found."""
    title = "Leak audit"
    report = card.training.get("audit")
    if not report:
        return section("audit", title, absent("No leak audit is recorded: columns were not checked for hindsight."))
    found = list(report.get("findings", ())) if isinstance(report, Mapping) else list(report)
    if not all(isinstance(one, Mapping) and "verdict" in one for one in found):
        return section("audit", title, records("What the audit recorded.", found))
    about = report if isinstance(report, Mapping) else {}
    allowed = about.get("allowed") or {}
    counts = {verdict: sum(one["verdict"] == verdict for one in found) for verdict in AUDIT_TONES}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    parts = [paragraph(f"Of {len(found)} columns, activity types and checks: {told}."), *_unresolved(card)]
    shown_ones = sorted(found, key=lambda one: list(AUDIT_TONES).index(one["verdict"]), reverse=True)[:MOST_FINDINGS]
    rows = [_finding_row(card, one, allowed) for one in shown_ones]
    more = f" The {MOST_FINDINGS} gravest of {len(found)} are shown." if len(found) > MOST_FINDINGS else ""
    headings = ["column or type", "kind", "verdict", "used", "why", "evidence"]
    parts.append(table(f"Findings, the gravest first.{more}", headings, rows, texts=(1, 2, 3, 4, 5)))
    parts += _card_rules(card)
    return section("audit", title, *parts)


def _card_rules(card: CardInput) -> list[Markup]:
    """Say which rules of the card were left out, and what "the rules" are on this page then."""
    said = audit_card.told(card.bundle)
    if not said:
        return []
    meant = (
        "Rule points, the rules as a baseline and the points that serving shows are those of the card without them; "
        "the file of the card is as it was."
    )
    return [bullets([sentence(one) for one in said]), paragraph(meant)]


def _unresolved(card: CardInput) -> list[Markup]:
    if not card.unresolved:
        return []
    return [note("bad", joined("Not resolved, so this training must not be promoted: ", _names(card.unresolved), "."))]


def _finding_row(card: CardInput, one: Mapping[str, Any], allowed: Mapping[str, Any]) -> list[str]:
    name = str(one.get("name") or one.get("column") or "")
    evidence = {key: value for key, value in (one.get("evidence") or {}).items() if value is not None}
    told = shown(dict(list(evidence.items())[:MOST_EVIDENCE])) or DASH
    why, verdict = str(one.get("why") or one.get("sentence") or ""), str(one["verdict"])
    marked = pill(verdict, AUDIT_TONES[verdict])
    return [code(name), str(one.get("kind", "")), marked, _used(card, one, name, allowed), why, told]


def _used(card: CardInput, one: Mapping[str, Any], name: str, allowed: Mapping[str, Any]) -> str:
    """Say whether what answers reads a column or type that was judged."""
    kind: Any = one.get("kind") or "attribute"
    verdict = one["verdict"]
    if kind not in JUDGED:
        return DASH
    if verdict != "ok" and not (verdict == "suspect" and name in allowed):
        return "left out"
    found = audit_use.use(card.bundle, card.specs, kind, name)
    if verdict == "ok":
        return audit_use.WORDS[found]
    return f"allowed because: {allowed[name]}" + ("" if found == "features" else f"; {audit_use.WORDS[found]}")


def limits(card: CardInput) -> Markup:
    """Say how to read it, and what it does not say."""
    said = [
        "A probability holds for leads like those of the test period; `leadlight evaluate` measures it on later ones.",
        "What moves a score is no advice: making leads open more mails does not make them better leads.",
        "A lead is told apart from others by what was recorded. Who is missing in the record is missing here.",
        "Intervals are about chance in the leads of this record, not about what the next quarter brings.",
        "“Better” means that a 95 % interval excludes zero; of twenty such claims one may be chance.",
        *_own_limits(card),
    ]
    return section("limits", "How to read it, and its limits", bullets(said))


def _own_limits(card: CardInput) -> list[str]:
    said = []
    if 0 < card.comparison.positives < 100:
        told = counted(card.comparison.positives, "test snapshot")
        said.append(f"Only {told} of {counted(card.won_leads, 'lead')} {card.reached}: figures may move a lot.")
    if card.timed:
        said.append(
            f"Leads were learnt from and tested up to an age of {card.oldest}; leads older than that are scored as if "
            "what was learnt of younger ones held for them, which was not tested. `--ages` with older ages learns and "
            "tests them."
        )
    else:
        said.append("The data has no clock: nothing here is a promise about later leads.")
    caution = (card.training.get("ladder") or {}).get("caution")
    if caution:
        said.append(sentence(caution))
    proposed = card.training.get("proposed_reference")
    if proposed is not None:
        said.append(f"Most training snapshots score 0 or 100; `--reference {proposed:g}` would spread them.")
    if "oracle" in card.test.columns:
        said.append("The market is simulated: its true probabilities are known, which they never are in use.")
    return said


def provenance(card: CardInput) -> Markup:
    """Say what exactly this is and how it was made."""
    training, scorer = card.training, card.bundle.scorer
    rows: list[list[str]] = [
        ["bundle", code(card.bundle.version)],
        ["fingerprint (SHA-256 of its manifest)", DASH if card.fingerprint is None else code(card.fingerprint)],
        ["kind of scorer", scorer.kind],
        ["tables", code(str(training.get("generation", DASH)))],
        ["seed", str(training.get("seed", DASH))],
        ["rule card", code(str(scorer.card.get("name", DASH)))],
        ["features", f"{len(scorer.specs):,}"],
        ["reference probability (score 50)", f"{scorer.reference:g}"],
        ["calibration", f"slope {scorer.slope:.4f}, intercept {scorer.intercept:+.4f}, shift {scorer.shift:+.4f}"],
        ["Python", platform.python_version()],
        *([name, _installed(name)] for name in LIBRARIES),
    ]
    return section("provenance", "Provenance", table("How to find and repeat it.", ["", "value"], rows, texts=(1,)))


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
