from serving.metrics import Metrics


def test_answers_are_counted_by_template_and_not_by_path(client):
    for lead in ("lead-00001", "lead-00002", "nobody"):
        client.get(f"/v1/leads/{lead}/score")
    client.get("/nothing")
    text = client.get("/metrics").text
    assert 'route="/v1/leads/{lead_id:path}/score",status="200"} 2' in text
    assert 'route="/v1/leads/{lead_id:path}/score",status="404"} 1' in text
    assert 'route="none",status="404"} 1' in text
    assert "lead-00001" not in text
    assert "leadlight_degraded 0" in text


def test_the_histogram_is_cumulative():
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 99.0):
        metrics.observe("BREW", "/x", 200, seconds)
    lines = metrics.render(degraded=True).splitlines()
    assert 'leadlight_request_seconds_bucket{route="/x",le="0.001"} 1' in lines
    assert 'leadlight_request_seconds_bucket{route="/x",le="0.005"} 2' in lines
    assert 'leadlight_request_seconds_bucket{route="/x",le="+Inf"} 3' in lines
    assert 'leadlight_request_seconds_count{route="/x"} 3' in lines
    assert 'leadlight_requests_total{method="other",route="/x",status="200"} 3' in lines
    assert "leadlight_degraded 1" in lines


def test_events_are_counted_by_what_became_of_them(client):
    event = {"lead_id": "lead-00001", "type": "t", "occurred_at": "2026-01-01T00:00:00Z", "activity_id": "m1"}
    client.post("/v1/events", json=[event, event])
    text = client.get("/metrics").text
    assert 'leadlight_events_total{status="stored"} 1' in text
    assert 'leadlight_events_total{status="duplicate"} 1' in text
