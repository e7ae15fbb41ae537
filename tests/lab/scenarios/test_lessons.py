"""Each scenario teaches what it says, and breaks no promise on the way."""

from functools import cache

import pytest

from queuestream.lab.running import run
from queuestream.lab.scenarios import SCENARIOS, SettingError
from queuestream.lab.scenarios.seen import Seen

SMALL = {
    "email-queue": {"messages": 150},
    "short-visibility": {"messages": 100},
    "hot-key": {"messages": 120},
    "noisy-neighbour": {"messages": 25, "burst": 150},
    "slow-group": {"messages": 150},
    "consumer-crash": {"messages": 150, "crash_rate": 0.08},
    "resharding": {"messages": 300, "every_seconds": 4.0},
    "hot-shard": {"messages": 300},
    "one-shard": {"messages": 150},
    "departures": {"departures": 80},
    "standard": {"messages": 150},
    "fifo": {"messages": 150},
    "stream": {"messages": 150},
}


@cache
def played(name, **settings):
    return run(name, seed=7, settings={**SMALL[name], **settings})


def test_there_is_a_small_size_of_every_scenario():
    assert [*SMALL] == [*SCENARIOS]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_breaks_no_promise_loses_nothing_and_tells_what_was_seen(name):
    one = played(name)
    assert one.verdict.valid, str(one.verdict)
    assert one.verdict.lost == 0
    assert 2 <= len(one.findings) <= 5
    assert all(sentence.endswith(".") for sentence in one.findings)
    # Everything that was sent was received, in each queue and stream.
    for resource in dict.fromkeys(event.resource for event in one.history):
        seen = Seen(one.history, resource)
        assert seen.first_ns.keys() == seen.sent_ns.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_teaches_in_a_line(name):
    teaches = SCENARIOS[name].teaches()
    assert 40 < len(teaches) < 120
    assert teaches.endswith((".", "?"))


def test_the_classic_queue_delivers_some_twice_and_some_late():
    one = played("email-queue")
    assert one.verdict.redelivered > 0
    assert one.measures["global"].reordered > 0
    assert one.measures["key_done"].reordered > 0
    assert one.notes["emails_sent_twice"] > 0


def test_without_failures_stalls_and_misbehaviour_the_classic_queue_is_dull():
    one = played("email-queue", delivery="strict", failure_rate=0, stall_rate=0)
    assert one.figures()["delivered_again"] == 0
    assert one.measures["global"].reordered == 0
    assert "No e-mail went out a second time" in one.findings[1]


def test_work_is_done_twice_where_the_visibility_timeout_is_shorter_and_once_where_it_is_longer():
    short, longer = played("short-visibility"), played("short-visibility", visibility_timeout=7)
    assert short.figures()["delivered_again"] > 0
    assert longer.figures()["delivered_again"] == 0
    assert short.notes["times_worked"] > longer.notes["times_worked"] == 100


def test_the_timeout_that_a_finding_proposes_is_long_enough():
    [proposed] = [
        word.partition("=")[2]
        for sentence in played("short-visibility").findings
        for word in sentence.split()
        if word.startswith("visibility_timeout=")
    ]
    assert played("short-visibility", visibility_timeout=proposed).figures()["delivered_again"] == 0


def test_the_timeout_that_a_finding_proposes_is_longer_than_work_that_was_not_seen():
    """Of five messages none need have taken long, and with another timeout another one may."""
    few = run("short-visibility", seed=1, settings={"messages": 5, "visibility_timeout": 3})
    assert few.notes["longest_seconds"] < 5
    assert any("visibility_timeout=7 is" in sentence for sentence in few.findings)


def test_heartbeats_end_the_duplicates_too():
    assert played("short-visibility", heartbeat_seconds=2).figures()["delivered_again"] == 0


def test_heartbeats_that_would_leave_no_time_for_anything_else_are_refused():
    with pytest.raises(SettingError, match=r"heartbeat_seconds=1e-10 is neither 0 nor a number from 0\.1 on"):
        run("short-visibility", settings={"heartbeat_seconds": "0.0000000001"})


@pytest.mark.parametrize("through", ["fifo", "stream"])
def test_a_hot_key_waits_while_most_consumers_idle(through):
    figures = played("hot-key", through=through).figures()
    assert figures["hot_wait_p50"] > 5 * figures["other_wait_p50"]
    assert figures["busiest_share"] > 0.8
    assert figures["busy_share"] < 0.4
    assert figures["reordered_ratio_key"] == 0


def test_a_noisy_neighbour_makes_others_wait_unless_the_queue_is_fair():
    fair, unfair = played("noisy-neighbour").figures(), played("noisy-neighbour", fair=False).figures()
    assert unfair["quiet_wait_max"] > 3 * fair["quiet_wait_max"]
    assert fair["noisy_wait_p50"] > unfair["noisy_wait_p50"]


def test_a_slow_group_waits_for_itself_and_holds_up_nobody():
    one = played("slow-group")
    figures = one.figures()
    assert figures["slow_wait_p50"] > 3 * figures["other_wait_p99"]
    assert one.measures["group"].reordered == 0


@pytest.mark.parametrize(
    ("name", "settings", "untold"),
    [
        ("hot-key", {"hot_share": 0}, "the hot key's messages waited"),
        ("hot-key", {"hot_share": 1}, "of the others"),
        ("noisy-neighbour", {"burst": 0}, "noisy one's half"),
        ("slow-group", {"messages": 1}, "waited"),
    ],
)
def test_nothing_is_told_of_the_waits_of_messages_that_there_are_none_of(name, settings, untold):
    findings = played(name, **settings).findings
    assert len(findings) >= 3
    assert not any(untold in sentence for sentence in findings)


def test_a_crash_keeps_a_fifo_group_waiting_and_is_passed_on_a_standard_queue():
    fifo, standard = played("consumer-crash"), played("consumer-crash", fifo=False)
    assert fifo.notes["crashes"] > 3
    assert standard.notes["crashes"] > 3
    assert fifo.figures()["delivered_again"] > 0
    assert fifo.measures["key_again"].reordered == 0
    assert standard.measures["key_again"].reordered > 0
    assert fifo.figures()["wait_p99"] > 5 * standard.figures()["wait_p99"]


def test_keys_stay_in_order_through_splits_and_merges_if_parents_are_read_first():
    first, beside = played("resharding"), played("resharding", parents_first=False)
    assert first.notes["shards"] == beside.notes["shards"] == 8
    assert first.measures["key"].reordered == 0
    assert beside.measures["key"].reordered > 0
    assert beside.verdict.of_kind("child-before-parent")


def test_who_sends_again_later_what_a_hot_shard_refused_reorders_it():
    later, waiting = played("hot-shard"), played("hot-shard", in_order=True)
    assert later.figures()["refused"] > 0
    assert waiting.figures()["refused"] > 0
    assert later.measures["key_meant"].reordered > 0
    assert waiting.measures["key_meant"].reordered == 0


def test_records_that_were_given_up_were_not_put():
    settings = {"messages": 500, "shard_per_second": 1, "hot_share": 1, "batch_size": 500}
    one = run("hot-shard", seed=7, settings=settings)
    in_the_stream = len(
        {event.message for event in one.history if event.operation == "get" and event.message}
    )
    assert in_the_stream < 500
    assert one.findings[0].startswith(
        f"{in_the_stream} records were put, and {one.notes['given_up']} given up;"
    )


def test_lost_answers_put_records_into_the_stream_twice():
    assert played("hot-shard").figures()["repeated"] > 0
    assert played("hot-shard", lost_answers=0).figures()["repeated"] == 0


def test_one_shard_is_in_order_as_a_whole_and_has_one_reader():
    one, four = played("one-shard"), played("one-shard", shards=4)
    assert one.measures["global"].reordered == 0
    assert one.notes["readers_at_work"] == 1
    assert four.measures["global"].reordered > 0
    assert four.measures["key"].reordered == 0
    assert four.figures()["read_per_second"] > one.figures()["read_per_second"]


def test_departures_come_out_of_order_through_a_standard_queue_only():
    figures = played("departures", delivery="adversarial").figures()
    assert figures["standard_queue_keys_out_of_order"] > 0
    assert figures["fifo_queue_keys_out_of_order"] == figures["stream_keys_out_of_order"] == 0


def test_the_same_load_keeps_its_keys_order_on_a_fifo_queue_and_a_stream_only():
    standard, fifo, stream = played("standard"), played("fifo"), played("stream")
    sent = [
        [(event.message, event.started_ns) for event in one.history if event.operation in {"send", "put"}]
        for one in (standard, fifo, stream)
    ]
    assert sent[0] == sent[1] == sent[2]
    assert standard.measures["key"].reordered > 0
    assert fifo.measures["key"].reordered == stream.measures["key"].reordered == 0
    assert fifo.measures["key_done"].reordered == stream.measures["key_done"].reordered == 0
    # None has an order over all keys.
    assert min(one.measures["global"].reordered for one in (standard, fifo, stream)) > 0


def test_several_consumers_do_the_work_out_of_order_even_where_the_queue_gives_it_in_order():
    alone, several = (played("standard", delivery="strict", consumers=consumers) for consumers in (1, 8))
    assert alone.measures["key"].reordered == several.measures["key"].reordered == 0
    assert alone.measures["key_done"].reordered == 0
    assert several.measures["key_done"].reordered > 0
