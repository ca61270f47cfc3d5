import numpy as np
import pytest

from leadlight.errors import NotEnoughDataError
from training import shift, shift_told, shift_verdict


def matured(successes, failures):
    y = np.repeat([1.0, 0.0], [successes, failures])
    middle = 3 if successes > failures else -3
    return np.linspace(middle + 1, middle - 1, len(y)), y  # successes have the higher scores


@pytest.mark.parametrize(
    ("successes", "failures", "told"),
    [
        (0, 300, "none of 300 matured snapshots succeeded"),
        (300, 0, "all of 300 matured snapshots succeeded"),
        (0, 1, "none of 1 matured snapshot succeeded"),
    ],
)
def test_the_outcome_that_is_missing_is_named_with_the_mend(successes, failures, told):
    with pytest.raises(NotEnoughDataError) as said:
        shift.against([-3.0, -2.0], *matured(successes, failures))
    mend = "ingest newer outcomes"
    assert str(said.value) == f"{told}, so there is no base rate to hold recent scores against; {mend}"


def test_ages_that_cannot_be_compared_are_named():
    known, y = matured(5, 5)
    for ages, told in (
        (np.full(10, 7), "no matured snapshot is of an age of the recent ones"),
        (y.astype(int), "of 10 matured snapshots those of no age have both outcomes"),
    ):
        with pytest.raises(NotEnoughDataError, match=told):
            shift.against([-3.0, -2.0], known, y, recent_ages=[0, 1], reference_ages=ages)


def test_without_matured_snapshots_it_is_not_said_that_recent_ones_are_missing():
    with pytest.raises(NotEnoughDataError, match="no matured snapshot to hold scores against; ingest newer outcomes"):
        shift.against([-3.0, -2.0], [], [])
    with pytest.raises(NotEnoughDataError, match="no matured snapshot"):
        shift_verdict.check(0.5, [], [], [])


@pytest.mark.parametrize(("successes", "failures"), [(3, 400), (400, 3)])
def test_how_few_leads_the_known_rate_stands_on_is_said(successes, failures):
    kind = "a success" if successes < failures else "a failure"
    known, y = matured(successes, failures)
    found = shift.against(known, known, y)  # the same scores: no alarm
    assert not found.alarm
    assert f"{found.before:.1%} that 3 matured leads with {kind} tell, too few to see a change by" in found.why
    assert "nothing is to be corrected" not in found.why


def test_leads_are_counted_and_not_their_snapshots():
    known, y = matured(40, 400)
    leads = np.where(y == 1, "one", np.arange(440).astype(str)).astype(object)
    assert (
        "that 1 matured lead with a success tells" in shift.against([-4, -3, -2], known, y, reference_leads=leads).why
    )


def test_an_alarm_on_few_leads_says_so():
    told = shift_told.finding(
        0.01, 0.4, "99 % interval 20.0% to 60.0%", 50, few="3 matured leads with a success tell", assumption="x"
    )
    assert "instead of 1.0% that 3 matured leads with a success tell, which is beyond noise" in told


def test_enough_leads_need_no_such_words():
    few = shift_told.FEW_LEADS
    assert shift_told.few(np.repeat([1.0, 0.0], few), np.arange(2 * few)) is None
    found = shift.against(np.linspace(-4, -2, 50), *matured(few, 400))
    assert found.why.endswith(f"not distinguishable from the {found.before:.1%} known: nothing is to be corrected")


def test_scores_that_hardly_differ_are_not_said_to_look_like_a_rate():
    found = shift.against(np.full(50, -3.0), np.full(440, -3.0), matured(40, 400)[1])
    assert found.why == (
        f"the scores of 50 recent leads hardly differ and tell nothing of the base rate, known as {found.before:.1%}: "
        "nothing is corrected"
    )
