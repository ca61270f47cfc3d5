import threading

import pytest
from threadpoolctl import threadpool_info

from training.side_by_side import both, side_by_side


def test_results_come_in_the_order_of_the_tasks_from_other_threads():
    seen = set()

    def work(task):
        seen.add(threading.current_thread())
        return task**2

    assert list(side_by_side(work, range(20))) == [task**2 for task in range(20)]
    assert threading.main_thread() not in seen


def test_blas_has_one_thread_while_it_works_and_as_many_as_before_after_it():
    def threads(_):
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    before = threads(None)
    assert all(found == {1} for found in side_by_side(threads, range(4)))
    assert threads(None) == before


def test_two_different_tasks_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=60)
    assert both(lambda: meeting.wait() >= 0, lambda: str(meeting.wait() >= 0)) == (True, "True")


def test_an_error_of_a_task_is_raised():
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1 / 0, lambda: 1)
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda task: 1 / task, [1, 0, 2]))
