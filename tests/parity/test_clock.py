"""Hours of a clock begin and end at the same µs on every engine and for one lead, whatever float was written."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features import online
from features.engines import registry
from features.tables import timelines
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.parity import engines
from tests.parity.test_engines import LOCAL

AT = market.BASE + 2 * DAY
ODD = 8.33333333344  # 08:20 and 0.4 µs
edges = st.floats(0.0, 24.0) | st.integers(0, 1440).map(lambda minutes: minutes / 60) | st.sampled_from([ODD])
hours = st.tuples(edges, edges).filter(lambda pair: pair[0] < pair[1])
beside = st.sampled_from([-1, 0, 1])


def shares(record, spec):
    """Give the share at `AT` by every local engine and for one lead in a request."""
    found = timelines(market.tables(*record))
    return {
        **{name: engines.computed(registry.get(name), record, [("a", AT)], [spec]).item() for name in LOCAL},
        "online": np.array(online.row(found["a"], AT, [spec], [*found.values()])).item(),
    }


def check(spec, since_midnight):
    """Compare with whole µs where an activity lies so long after a local midnight."""
    low, high = (round(hour * HOUR) for hour in spec.hours)
    at = market.BASE + since_midnight - round(spec.utc_offset_hours * HOUR)
    lead = {"lead_id": "a", "created_at": at - DAY, "account_id": None, "industry": None, "size": None, "role": None}
    activity = {"lead_id": "a", "activity_id": "1", "type": "call", "occurred_at": at, "actor": "lead"}
    nothing = dict.fromkeys(("received_at", "channel", "content", "detail", "value"))
    record = ([lead | {"since": None}], [activity | nothing], [], [])
    assert shares(record, spec) == dict.fromkeys([*LOCAL, "online"], float(low <= since_midnight % DAY < high))


@settings(max_examples=15, deadline=None)
@given(hours, st.sampled_from([0, 1]), beside, st.sampled_from([0.0, 9.0, -3.5, 5.75]))
@example((ODD, 24.0), 0, 0, 0.0)
@example((0.0, ODD), 1, 0, 9.0)
def test_an_activity_at_the_edge_is_inside_or_outside_everywhere(hours, which, distance, offset):
    spec = FeatureSpec("share", "rhythm", "share", hours=hours, utc_offset_hours=offset)
    check(spec, round(hours[which] * HOUR) + distance)


@pytest.mark.parametrize(("hours", "since"), [((ODD, 24.0), 30_000_000_000), ((0.0, ODD), 30_000_000_000 - 1)])
def test_twenty_past_eight_belongs_to_what_begins_there(hours, since):
    check(FeatureSpec("share", "rhythm", "share", hours=hours), since)
