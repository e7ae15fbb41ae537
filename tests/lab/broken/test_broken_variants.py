"""The lab finds each bug that somebody may build into a queue or a stream, in a few hundred runs or less.

A run is a little life under a seed (queue_workload.py, stream_workload.py).  For the same seeds, nothing is
found in the right core.  `pytest -m slow -rP` on this file tells how many runs each bug took.
"""

from contextlib import nullcontext

import broken_queues as queues
import broken_streams as streams
import pytest
from queue_workload import play_queue
from stream_workload import play_stream

from queuestream.lab import check

RUNS_MAX = 300  # a thousand would do; what takes more than these is worth a look


def standard(seed):
    return play_queue(seed, fifo=False)


def fifo(seed):
    return play_queue(seed, fifo=True)


def hasty_readers(seed):
    return play_stream(seed, careful=False)


def nothing_broken():
    """It is the application that is wrong: its readers do not wait for the parents."""
    return nullcontext()


QUICK = [
    (fifo, queues.no_deduplication, "undeduplicated"),
    (fifo, queues.group_lock_forgotten, "group-lock"),
    (fifo, queues.returned_to_the_end, "out-of-order"),
    (fifo, queues.lost_delete, "resurrected"),
    (standard, queues.one_too_many_taken, "lost"),
    (standard, queues.visibility_timer_forgotten, "vanished"),
    (play_stream, streams.record_skipped_at_a_boundary, "poll-skip"),
    (hasty_readers, nothing_broken, "child-before-parent"),
]
THE_OTHERS = [
    (standard, queues.lost_on_arrival, "lost"),
    (standard, queues.deletes_the_wrong_message, "lost"),
    (standard, queues.dead_letter_lost, "vanished"),
    (standard, queues.bodies_mixed_up, "inconsistent"),
    (fifo, queues.lost_on_arrival, "lost"),
    (fifo, queues.deduplication_ends_with_the_message, "undeduplicated"),
    (fifo, queues.deduplication_never_ends, "lost"),
    (fifo, queues.delayed_message_overtakes, "out-of-order"),
    (fifo, queues.visibility_timer_too_short, "duplicated"),
    (fifo, queues.same_answer_twice, "duplicated"),
    (fifo, queues.dead_letter_lost, "vanished"),
    (fifo, queues.visibility_timer_forgotten, "vanished"),
    (fifo, queues.sequence_numbers_wrap, "nonmonotonic-send"),
    (fifo, queues.bodies_mixed_up, "inconsistent"),
    (play_stream, streams.record_repeated_at_a_boundary, "nonmonotonic-poll"),
    (play_stream, streams.parents_end_too_soon, "lost-write"),
    (play_stream, streams.parents_forgotten, "out-of-order"),
    (play_stream, streams.records_swapped, "nonmonotonic-poll"),
    (play_stream, streams.put_lost, "inconsistent"),
    (play_stream, streams.put_after_the_end, "lost-write"),
    (play_stream, streams.number_below_the_last, "nonmonotonic-send"),
    (play_stream, streams.keys_go_anywhere, "out-of-order"),
    (play_stream, streams.data_mixed_up, "inconsistent"),
]


def named(row):
    play, bug, kind = row
    return f"{play.__name__}-{bug.__name__}-{kind}"


def runs_until(kind, play, bug):
    """How many runs it takes to find a violation of a kind; None where so many do not."""
    for seed in range(RUNS_MAX):
        with bug():
            history = play(seed)
        if any(anomaly.kind == kind and anomaly.violates for anomaly in check(history).anomalies):
            return seed + 1
    return None


def test_some_bugs_are_found_in_a_few_runs():
    for play, bug, kind in QUICK:
        runs = runs_until(kind, play, bug)
        assert runs is not None, bug.__doc__
        assert runs <= 30, bug.__doc__


@pytest.mark.parametrize("play", [standard, fifo, play_stream])
def test_nothing_is_found_in_the_right_core_in_a_few_runs(play):
    for seed in range(20):
        assert str(check(play(seed))).startswith("Valid"), seed


@pytest.mark.slow
@pytest.mark.parametrize(("play", "bug", "kind"), QUICK + THE_OTHERS, ids=map(named, QUICK + THE_OTHERS))
def test_each_bug_is_found(play, bug, kind):
    runs = runs_until(kind, play, bug)
    print(f"{kind}: {bug.__doc__} Found by {play.__name__} in run {runs}.")  # noqa: T201 - who asks wants it
    assert runs is not None


@pytest.mark.slow
@pytest.mark.parametrize("play", [standard, fifo, play_stream])
def test_nothing_is_found_in_the_right_core(play):
    for seed in range(RUNS_MAX):
        assert str(check(play(seed))).startswith("Valid"), seed


@pytest.mark.slow
@pytest.mark.parametrize("delivery", ["aws_like", "adversarial"])
def test_a_standard_queue_keeps_its_promise_however_it_delivers(delivery):
    told = {}
    for seed in range(200):
        verdict = check(play_queue(seed, fifo=False, delivery=delivery))
        assert verdict.valid, (seed, str(verdict))
        told |= verdict.found
    assert {"duplicated", "resurrected"} <= told.keys()
