import tempfile

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features import hygiene, one_company
from features.colleagues import colleagues
from features.hygiene_settings import HygieneSettings
from features.tables import timelines
from leadlight.schema import DAY
from tests.features import market
from tests.features.test_hygiene import publish

AT = market.BASE + 10 * DAY
MERGES = (
    "",
    "b,a,\n",
    "b,a,2024-10-05T00:00:00Z\nc,b,\n",
    "c,x,\nx,a,2024-10-05T00:00:00Z\n",  # x is not known: what is given up for it goes on to a
    "x,b,\nd,c,\n",
)


def said(timeline):
    """Give what a timeline holds in a form that can be compared."""
    if timeline is None:
        return None
    log = timeline.activities
    columns = {name: getattr(log, name).tolist() for name in ("activity_id", "occurred_at", "received_at", "content")}
    values = np.nan_to_num(log.value, nan=-1.0).tolist()
    return timeline.created_at, dict(timeline.attributes), columns, values, timeline.stages, timeline.changes


def seen(tables, lead_id):
    """Give all that a score of a lead looks at."""
    others = {other.lead_id: said(other) for other in colleagues(tables, lead_id, AT)}
    return said(timelines(tables, [lead_id]).get(lead_id)), others


@settings(max_examples=20, deadline=None)
@given(market.records(), st.sampled_from(MERGES), st.sampled_from([None, HygieneSettings()]))
def test_a_company_alone_is_clean_as_in_the_whole(record, merges, chosen):
    with tempfile.TemporaryDirectory() as folder:
        room = publish(folder, market.tables(*record))
        if merges:
            (room.root / "merges.csv").write_text(f"lead_id,into_lead_id,merged_at\n{merges}", encoding="utf-8")
        whole = hygiene.tables_for(room, chosen)
        for lead_id in (*market.LEADS, "nobody"):
            part = one_company.tables_for(room, chosen, lead_id)
            assert seen(part, lead_id) == seen(whole, lead_id)


def test_nobody_elses_record_is_read(tmp_path):
    leads, *rest = market.crowd(31)
    alone = {"lead_id": "z", "created_at": market.BASE, "account_id": None}
    room = publish(tmp_path, market.tables([*leads, alone], *rest))
    for lead_id, size in (("p003", 31), ("z", 1), ("nobody", 0)):
        assert one_company.tables_for(room, HygieneSettings(), lead_id).leads.collect().height == size
