"""Fits that do not depend on each other, side by side: LightGBM and BLAS let other threads run while they work."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Task = TypeVar("Task")
Result = TypeVar("Result")
Other = TypeVar("Other")


def side_by_side(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """Yield the result of every task, in the order of the tasks, from as many threads as there are processors.

    BLAS has one thread in each: several would wait for each other, and how many there happen to be decides about the
    last digits of a sum.

    Args:
        work: called once per task, from several threads; an error in it is raised here.
        tasks: what it is called with.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        yield from pool.map(work, tasks)


def both(one: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """Give the results of two different tasks that are done side by side, BLAS with one thread in each."""
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max_workers=1) as pool:
        begun = pool.submit(one)
        second = other()
        return begun.result(), second
