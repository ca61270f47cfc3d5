"""What a training stands on: the audit decides what becomes a feature."""

from tests.training import market
from training import ground


def test_what_the_audit_leaves_out_becomes_no_feature(frames, tmp_path):
    room = market.publish(tmp_path / "ws", frames)
    plain = ground.prepare(room, market.options())
    assert "later" in plain.audit.dropped("attribute")
    assert all(spec.attribute != "later" for spec in plain.specs)
    allowed = ground.prepare(room, market.options(allow={"later": "asked at creation"}))
    assert any(spec.attribute == "later" for spec in allowed.specs)
    assert allowed.info.observed_until == plain.info.observed_until


def test_without_hygiene_nothing_is_told_of_it(frames, tmp_path):
    room = market.publish(tmp_path / "ws", frames)
    assert ground.prepare(room, market.options(hygiene=False)).hygiene is None
    assert ground.prepare(room, market.options()).hygiene["settings"]
