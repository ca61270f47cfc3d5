import pytest

from training.ladder_needs import SIMULATED, Seen, needs_failures, needs_of


def course(gain, loss, *wins, error=0.01):
    return [Seen(count, loss / count - gain, error) for count in wins]


def test_above_the_model_there_is_nothing():
    assert needs_of("model", 500, ()) is None


def test_the_course_of_the_differences_tells_when_they_meet():
    found = needs_of("rules", 90, course(0.01, 2.0, 20, 40, 80))
    assert (found.rung, found.wins, found.source) == ("scorecard", 200, "origins")
    assert "200" in found.told
    assert found.to_json()["told"] == found.told


def test_where_the_next_rung_should_be_as_good_already_nothing_is_claimed():
    """It was just found worse: no number of outcomes follows from that."""
    found = needs_of("rules", 90, course(0.1, 2.0, 20, 40, 80))
    assert (found.wins, found.source) == (None, "unknown")
    assert "it should be as good already, with 90 leads with a success, and it is not better" in found.told
    young = needs_of("rules", 21, course(0.1, 2.0, 5, 10, 20))
    assert (young.wins, young.source) == (None, "unknown")


@pytest.mark.parametrize(
    "seen",
    [
        (),
        course(0.01, 2.0, 20, 40),  # two origins
        course(0.01, 2.0, 20, 21, 22),  # all alike
    ],
)
def test_where_no_course_is_shown_the_simulated_market_tells(seen):
    found = needs_of("rules", 12, seen)
    assert (found.wins, found.source) == (SIMULATED["scorecard"], "simulated")


def test_nothing_is_told_where_nothing_tells():
    found = needs_of("scorecard", 5_000, ())
    assert (found.rung, found.wins, found.source) == ("model", None, "unknown")
    assert "too few origins show how it comes closer" in found.told


@pytest.mark.parametrize("wins", [20, 5_000])
@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (course(-0.01, 2.0, 5, 10, 20), "comes closer as their number grows, but does not get there"),
        (course(0.01, -2.0, 5, 10, 20), "does not come closer as their number grows"),
        (course(0.00001, 2.0, 5, 10, 20), "needs more than 10 times the "),
    ],
)
def test_of_a_course_only_what_was_seen_is_told(seen, told, wins):
    """Whether or not the simulated market names a larger size than there is now."""
    assert wins == 5_000 or wins < SIMULATED["scorecard"]
    for chosen in ("rules", "scorecard"):
        found = needs_of(chosen, wins, seen)
        assert (found.wins, found.source) == (None, "unknown")
        assert told in found.told
        assert "simulated" not in found.told
        assert "by the course of " in found.told


def test_where_no_course_is_shown_and_the_simulated_size_is_passed_that_is_told():
    assert "too few origins show" in needs_of("scorecard", 5_000, course(0.01, -2.0, 5, 10)).told


def test_successes_alone_tell_nothing_of_the_next_rung():
    found = needs_failures("rules")
    assert (found.rung, found.wins, found.source) == ("scorecard", None, "unknown")
    assert "only successes are known" in found.told
    assert needs_failures("model") is None


def test_the_first_rung_needs_few():
    assert needs_of("prior", 0, ()).wins == SIMULATED["rules"]
