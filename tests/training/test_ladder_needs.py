import pytest

from training.ladder_needs import SIMULATED, Seen, needs_of


def course(gain, loss, *wins, error=0.01):
    return [Seen(count, loss / count - gain, error) for count in wins]


def test_above_the_model_there_is_nothing():
    assert needs_of("model", 500, ()) is None


def test_the_course_of_the_differences_tells_when_they_meet():
    found = needs_of("rules", 90, course(0.01, 2.0, 20, 40, 80))
    assert (found.rung, found.wins, found.source) == ("scorecard", 200, "origins")
    assert "200" in found.told
    assert found.to_json()["told"] == found.told


def test_what_should_have_met_already_needs_at_least_one_more():
    assert needs_of("rules", 90, course(0.1, 2.0, 20, 40, 80)).wins == 91


@pytest.mark.parametrize(
    "seen",
    [
        (),
        course(0.01, 2.0, 20, 40),  # two origins
        course(0.01, 2.0, 20, 21, 22),  # all alike
        course(-0.01, 2.0, 5, 10, 20),  # it never gains
        course(0.01, -2.0, 5, 10, 20),  # it gets worse
        course(0.0001, 2.0, 5, 10, 20),  # too far to say
    ],
)
def test_otherwise_the_simulated_market_tells(seen):
    found = needs_of("rules", 12, seen)
    assert (found.wins, found.source) == (SIMULATED["scorecard"], "simulated")


def test_nothing_is_told_where_nothing_tells():
    found = needs_of("scorecard", 5_000, ())
    assert (found.rung, found.wins, found.source) == ("model", None, "unknown")
    assert "model" in found.told


def test_the_first_rung_needs_few():
    assert needs_of("prior", 0, ()).wins == SIMULATED["rules"]
