"""What came of a column or type: read by features, by rules of the card alone, or by nothing."""

import pytest

from leadlight.bundle import Bundle, Scorer
from leadlight.spec import FeatureSpec
from rules import parse
from training.audit_use import use

SIZE = FeatureSpec("fit.size", "fit", "number", attribute="size")
CALLS = FeatureSpec("calls", "frequency", "count", ("call",))
ALL = FeatureSpec("all", "frequency", "count")
THEN = FeatureSpec(
    "answered", "sequence", "followed_share", ("email_sent",), then_types=("email_reply",), within_days=3.0
)
CARD = parse.to_json(parse.builtin("standard"))


def bundle(*specs, rule_b=0.05):
    return Bundle("v", Scorer("rules", "sql", None, 0.3, -2.0, rule_b, CARD, specs))


@pytest.mark.parametrize(
    ("kind", "name", "read", "found"),
    [
        ("attribute", "size", (SIZE,), "features"),
        ("attribute", "size", (CALLS,), "unread"),
        ("attribute", "call", (CALLS,), "nothing"),
        ("type", "call", (CALLS,), "features"),
        ("type", "email_reply", (THEN,), "features"),
        ("type", "anything", (ALL,), "features"),
        ("type", "blog_view", (CALLS,), "rules"),
        ("type", "size", (SIZE,), "nothing"),
    ],
)
def test_what_the_scorer_reads_counts_first(kind, name, read, found):
    assert use(bundle(*read), (SIZE, CALLS), kind, name) == found


def test_rules_whose_points_do_not_count_are_no_use():
    assert use(bundle(), (), "type", "blog_view") == "rules"
    assert use(bundle(rule_b=0.0), (), "type", "blog_view") == "nothing"
