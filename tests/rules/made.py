"""Cards and timelines for tests: small ones by hand, and random ones on a coarse grid so that instants often meet."""

from hypothesis import strategies as st

from leadlight.schema import HOUR
from leadlight.timeline import Activities, AttributeChange, StageEntry, Timeline
from rules.parse import Card, from_json

STEP = 6 * HOUR  # every instant of a random timeline is a multiple; so are the windows of random cards
WINDOWS = ("6h", "12h", "1d", "2d")
LABEL = {"en": "text", "ja": "文"}
FRAME = {
    "name": "made",
    "label": LABEL,
    "threshold": 50,
    "temperature": {"hot": 50, "warm": 20},
    "fit_grades": {"A": 15, "B": 5, "C": 0},
    "engagement_levels": {"2": 10, "3": 25, "4": 50},
}


def card(**parts) -> Card:
    """A card with default labels and names."""
    data = {**FRAME, **parts}
    for part in ("behaviour", "fit", "hot_when", "exclude"):
        entries = data.get(part, [])
        data[part] = [
            {"name": f"{part}-{i}".replace("_", "-"), "label": LABEL, **entry} for i, entry in enumerate(entries)
        ]
    data["groups"] = {name: {"label": LABEL, "cap": cap} for name, cap in parts.get("groups", {}).items()}
    return from_json(data)


def timeline(activities=(), created_at=0, attributes=None, stages=(), changes=()) -> Timeline:
    """A timeline; an activity is (type, occurred_at) or a dict of columns."""
    rows = []
    for i, activity in enumerate(activities):
        row = activity if isinstance(activity, dict) else {"type": activity[0], "occurred_at": activity[1]}
        rows.append({"activity_id": f"a{i:03d}", "actor": "lead", **row})
    return Timeline(
        lead_id="L1",
        created_at=created_at,
        attributes=attributes or {},
        activities=Activities.from_rows(rows),
        stages=tuple(StageEntry(stage, at) for stage, at in sorted(stages, key=lambda s: s[1])),
        changes=tuple(AttributeChange(*change) for change in sorted(changes, key=lambda c: c[1])),
    )


moments = st.integers(-4, 24).map(lambda step: step * STEP)
types = st.sampled_from(["a", "b"])
contents = st.none() | st.sampled_from(["/blog/x", "/blog/how-to", "/p"])
actors = st.sampled_from(["lead", "marketing"])
windows = st.sampled_from(WINDOWS)
whole = st.integers(1, 30).map(float)


@st.composite
def activity_rows(draw):
    occurred = draw(moments)
    late = draw(st.none() | st.integers(0, 8))
    return {
        "type": draw(types),
        "occurred_at": occurred,
        "received_at": None if late is None else occurred + late * STEP,
        "actor": draw(actors),
        "channel": draw(st.none() | st.just("web")),
        "content": draw(contents),
    }


@st.composite
def timelines(draw):
    return timeline(
        activities=draw(st.lists(activity_rows(), max_size=12)),
        created_at=draw(st.integers(-2, 4)) * STEP,
        attributes={
            "size": draw(st.none() | st.integers(0, 5).map(float)),
            "kind": draw(st.none() | st.sampled_from("xyz")),
        },
        stages=draw(st.lists(st.tuples(st.sampled_from(["mql", "lost"]), moments), max_size=3)),
        changes=draw(
            st.lists(
                st.tuples(
                    st.just("kind"), moments, st.none() | st.sampled_from("xy"), st.none() | st.sampled_from("xyz")
                ),
                max_size=3,
            )
        ),
    )


def _bounds(low, high):
    return st.one_of(
        st.integers(low, high).map(lambda n: {"at_least": n}),
        st.integers(low - 1, high).map(lambda n: {"at_most": n}),
        st.tuples(st.integers(low, high), st.integers(0, 3)).map(lambda p: {"at_least": p[0], "at_most": p[0] + p[1]}),
    )


def _optional(key, values):
    return st.one_of(st.just({}), st.just({}), values.map(lambda value: {key: value}))


def _merged(*parts):
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


choices = _merged(
    (st.just(["*"]) | st.lists(types, min_size=1, max_size=2, unique=True)).map(lambda found: {"activity": found}),
    _optional("actor", actors),
    _optional("channel", st.just("web")),
    _optional("content", st.sampled_from(["/blog/*", "*how?to", "/p"])),
    _optional("within", windows),
)
attribute_questions = st.one_of(
    _bounds(1, 4).map(lambda bounds: {"attribute": "size", **bounds}),
    st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True).map(
        lambda values: {"attribute": "kind", "one_of": values}
    ),
    st.booleans().map(lambda known: {"attribute": "kind", "known": known}),
)
history_questions = st.one_of(
    _merged(choices, st.one_of(st.just({}), _bounds(1, 3))),
    _merged(st.sampled_from(["mql", "lost"]).map(lambda stage: {"stage": stage}), _optional("within", windows)),
    windows.map(lambda window: {"older_than": window}),
)


def _conditions(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=4,
    )


conditions = _conditions(history_questions | attribute_questions)
signed = st.one_of(whole, whole.map(lambda amount: -amount))


@st.composite
def activity_rules(draw):
    rule = {**draw(choices), "points": draw(signed)}
    mode = draw(st.sampled_from(["plain", "once", "cap", "decay", "cap and decay"]))
    if mode == "once":
        rule["once"] = True
    if "cap" in mode:
        rule["cap"] = abs(rule["points"]) * draw(st.sampled_from([1.0, 1.5, 3.0]))
    if "decay" in mode:
        rule["half_life"] = draw(windows)
    return rule


def _condition_rules(questions):
    return st.tuples(questions, signed).map(lambda pair: {"when": pair[0], "points": pair[1]})


@st.composite
def cards(draw):
    behaviour = draw(st.lists(activity_rules() | _condition_rules(conditions), min_size=1, max_size=5))
    fit = draw(st.lists(_condition_rules(_conditions(attribute_questions)), max_size=3))
    groups = {}
    for name, side in (("g", behaviour), ("h", fit)):
        members = [rule for rule in side if draw(st.booleans())]
        for rule in members:
            rule["group"] = name
        if members:
            groups[name] = max(30.0, *(rule["points"] for rule in members)) if draw(st.booleans()) else 45.0
    exclude = [{"when": draw(conditions)}] if draw(st.integers(0, 4)) == 0 else []
    return card(behaviour=behaviour, fit=fit, groups=groups, exclude=exclude)
