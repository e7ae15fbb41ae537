"""What every stream is asked: skipped, gone back, lost, in order, parents before children."""

import pytest
from stories import finish, found, get, lineage, put, seek

from queuestream.lab import check

PUT = [put(name, number, number) for name, number in (("a", 1), ("b", 2), ("c", 3))]


def judged(*events, **options):
    return found(check([*PUT, *events], **options))


def test_a_reader_gets_record_after_record():
    verdict = check([*PUT, seek(4, 0), get("a", 5, 1), get("b", 6, 2), get("c", 7, 3), finish(8)])
    assert found(verdict) == {}
    assert verdict.promises == {"events": "stream"}
    assert (verdict.attempted, verdict.acknowledged, verdict.received, verdict.lost) == (3, 3, 3, 0)


# --- skipped --------------------------------------------------------------------------------------------


def test_a_reader_that_goes_on_leaves_no_record_out():
    verdict = check([*PUT, get("a", 5, 1), get("c", 7, 3)])
    assert found(verdict) == {"poll-skip": 1, "lost-write": 1}
    assert verdict.lost == 1
    skip, lost = sorted(verdict.anomalies, key=lambda anomaly: anomaly.kind, reverse=True)
    assert skip.sentence == 'reader got "c" at 6 s and left out "b", which comes before, after "a".'
    assert skip.events == (1, 3, 4)
    assert lost.sentence == (
        '"b" was acknowledged when somebody had put it at 1 s; reader read on past it at 6 s and never '
        "got it."
    )


def test_what_another_reader_of_the_application_got_is_skipped_and_not_lost():
    events = [get("a", 5, 1, application="app"), get("c", 7, 3, application="app")]
    other = get("b", 9, 2, actor="other", application="app")
    assert judged(*events, other) == {"poll-skip": 1}
    other.application = "another"
    assert judged(*events, other) == {"poll-skip": 1, "lost-write": 1}


def test_a_record_that_is_known_from_another_reader_only_is_left_out_as_well():
    events = [put("b", (2, None)), get("a", 5, 1), get("c", 7, 3), get("b", 8, 2, actor="other")]
    assert found(check([PUT[0], PUT[2], *events])) == {"poll-skip": 1}
    # What nobody put and nobody got is not known.
    assert found(check([PUT[0], PUT[2], *events[:-1]])) == {}


def test_a_closed_shard_ends_after_its_last_record():
    assert judged(get("a", 5, 1), get("b", 6, 2), finish(7)) == {"poll-skip": 1, "lost-write": 1}


@pytest.mark.parametrize(
    ("position", "found_then"),
    [
        pytest.param(seek(6), {}, id="the latest"),
        pytest.param(seek(6, 2), {}, id="at or after the one before"),
        pytest.param(seek(6, 3), {}, id="at this one"),
        pytest.param(seek(6, 1), {"poll-skip": 1, "lost-write": 1}, id="at or after an earlier one"),
        pytest.param(seek(6, 0), {"poll-skip": 1, "lost-write": 1}, id="the beginning"),
        pytest.param(seek((6, None)), {"poll-skip": 1, "lost-write": 1}, id="without an answer"),
    ],
)
def test_a_position_begins_anew(position, found_then):
    assert judged(get("a", 5, 1), position, get("c", 7, 3)) == found_then


def test_what_was_put_after_a_reader_took_up_its_position_comes():
    events = [seek((4, 5)), put("d", 6, 4), put("e", 7, 5), get("e", 8, 5)]
    assert judged(*events, finished=False) == {"poll-skip": 1, "lost-write": 1}
    # Who took up the position at that instant may have done so after the record was put.
    events[1] = put("d", (5, 6), 4)
    assert judged(*events, finished=False) == {}


def test_a_record_that_may_have_outlived_the_retention_period_may_be_gone():
    day = 24 * 3600
    assert judged(get("a", 5, 1), get("c", 2 + day, 3)) == {}
    assert judged(get("a", 5, 1), get("c", 1.9 + day, 3)) == {"poll-skip": 1, "lost-write": 1}
    assert judged(get("a", 5, 1), get("c", 60, 3), retention_seconds=58) == {}
    # Somebody got it later, so it was there.
    later = get("b", 3 + day, 2, actor="other", application="reader")
    assert judged(get("a", 5, 1), get("c", 2 + day, 3), later) == {"poll-skip": 1, "lost-write": 1}


def test_a_record_that_was_put_while_somebody_read_and_that_nobody_got_is_lost():
    events = [seek(0, 0), *PUT, get("a", 5, 1), get("b", 6, 2)]
    assert found(check(events)) == {"lost-write": 1}
    assert found(check(events, finished=False)) == {}
    # A reader who came later may have begun with what was put afterwards.
    assert found(check([*PUT, seek(4), put("d", 5, 4), get("d", 6, 4)])) == {}


def test_a_stream_that_was_deleted_has_no_records():
    gone = put(None, 9)
    gone.operation = "delete"
    assert judged(get("a", 5, 1), get("c", 7, 3), gone) == {}


# --- gone back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [get("b", 7, 2), get("a", 7, 1)], ids=["the same", "an earlier one"])
def test_a_reader_that_goes_on_does_not_go_back(again):
    verdict = check([*PUT, get("a", 5, 1), get("b", 6, 2), again], finished=False)
    assert found(verdict) == {"nonmonotonic-poll": 1}
    assert verdict.redelivered == 1


def test_a_reader_that_begins_anew_may_read_again():
    again = [seek(8, 1), get("b", 9, 2), get("c", 10, 3)]
    assert judged(get("a", 5, 1), get("b", 6, 2), get("c", 7, 3), *again) == {}
    assert judged(get("a", 5, 1), seek(8, 2), get("a", 9, 1)) == {"nonmonotonic-poll": 1}


# --- what is in the stream ------------------------------------------------------------------------------


def test_a_sequence_number_is_one_record():
    assert judged(put("z", 5, 3), finished=False) == {"inconsistent": 1}
    assert judged(get("z", 5, 3), put("z", 1, 9), finished=False)["inconsistent"] == 1
    # Of two puts that got one number, one is lost.
    assert found(check([put("b", (1, 3), 2), put("b", (2, 4), 2)])) == {"inconsistent": 1}


def test_one_message_that_became_two_records_is_told():
    events = [put("a", (1, None)), put("a", 2, 5), get("a", 3, 4), get("a", 4, 5)]
    verdict = check(events)
    assert found(verdict) == {"duplicated?": 1}
    assert verdict.duplicated == 1
    assert verdict.anomalies[0].sentence == '"a" is in the stream 2 times, after 2 attempts to put it.'


def test_what_had_no_answer_and_is_there_is_recovered():
    verdict = check([put("a", (1, None)), get("a", 3, 4)])
    assert found(verdict) == {}
    assert verdict.recovered == 1


def test_what_nobody_put_is_unexpected_and_what_was_refused_does_not_come():
    assert judged(get("z", 5, 9), finished=False) == {"unexpected": 1}
    assert judged(put("z", 4, outcome="failed"), get("z", 5, 9), finished=False) == {"aborted-read": 1}
    assert found(check([get("z", 5, 9)])) == {}


def test_sequence_numbers_grow_in_a_shard():
    def numbered(first, second, **fields):
        return found(check([put("a", first, 7), put("b", second, 6, **fields)], finished=False))

    assert numbered((1, 2), (2.5, 3)) == {"nonmonotonic-send": 1}
    assert numbered((1, 2), (2, 3)) == {}
    assert numbered((1, 2), (2.5, 3), shard="another") == {}


def test_sequence_numbers_of_other_systems_are_understood():
    """Redis streams count in milliseconds, and within each."""
    ids = ["1700000000000-0", "1700000000000-1", "1700000000001-0"]
    events = [put(name, at, number) for at, (name, number) in enumerate(zip("abc", ids, strict=True), 1)]
    assert found(check([*events, get("a", 5, ids[0]), get("c", 6, ids[2])])) == {
        "poll-skip": 1,
        "lost-write": 1,
    }


def test_without_sequence_numbers_what_is_lost_and_invented_is_found_all_the_same():
    events = [put("a", 1), get("a", 2), get("z", 3)]
    assert found(check(events)) == {"unexpected": 1}


# --- from shard to shard --------------------------------------------------------------------------------

PARENT, CHILD = {"shard": "parent", "partition_key": "k"}, {"shard": "child", "partition_key": "k"}
RESHARDED = [put("old", 1, 1, **PARENT), put("new", 2, 9, **CHILD)]


def test_an_application_reads_the_parent_before_the_child():
    reads = [get("new", 3, 9, **CHILD), get("old", 4, 1, **PARENT)]
    verdict = check([*RESHARDED, *reads, lineage("child", "parent")])
    assert found(verdict) == {"child-before-parent": 1, "out-of-order": 1}
    child_first, out_of_order = verdict.anomalies
    assert child_first.sentence == (
        'reader got "new" of child at 3 s, before "old" of its parent parent, which it got at 4 s.'
    )
    assert out_of_order.scope == "partition key k of events"
    # Who is not told of the shards knows of the key's order alone.
    assert found(check([*RESHARDED, *reads])) == {"out-of-order": 1}
    reads = [get("old", 3, 1, **PARENT), get("new", 4, 9, **CHILD)]
    assert found(check([*RESHARDED, *reads, lineage("child", "parent")])) == {}


def test_each_application_has_an_order_of_its_own():
    reads = [get("new", 3, 9, **CHILD), get("old", 4, 1, **PARENT, application="other")]
    assert found(check([*RESHARDED, *reads, lineage("child", "parent")])) == {}
    reads[0].application = "other"
    assert found(check([*RESHARDED, *reads, lineage("child", "parent")])) == {
        "child-before-parent": 1,
        "out-of-order": 1,
    }


def test_reads_at_once_and_reads_again_are_no_disorder():
    def read(*reads):
        return found(check([*RESHARDED, *reads, lineage("child", "parent")]))

    assert read(get("new", (3, 5), 9, **CHILD), get("old", (4, 6), 1, **PARENT)) == {}
    again = get("old", 9, 1, **PARENT, application="app", actor="second")
    first = get("old", 3, 1, **PARENT, application="app")
    assert read(first, get("new", 4, 9, **CHILD, application="app"), again) == {}


def test_grandparents_come_before_grandchildren():
    events = [
        put("old", 1, 1, shard="grandparent"),
        put("new", 2, 9, shard="child"),
        get("new", 3, 9, shard="child"),
        get("old", 4, 1, shard="grandparent"),
        lineage("child", "parent", "uncle"),
        lineage("parent", "grandparent"),
    ]
    assert found(check(events)) == {"child-before-parent": 1}


def test_shards_that_claim_to_be_their_own_ancestors_are_read_somehow():
    reads = [get("new", 3, 9, **CHILD), get("old", 4, 1, **PARENT)]
    verdict = check([*RESHARDED, *reads, lineage("child", "parent"), lineage("parent", "child")])
    assert "child-before-parent" in found(verdict)


def test_a_key_whose_order_nobody_knows_has_none():
    events = [put("old", (1, 3), 1, **PARENT), put("new", 2, 9, **CHILD)]
    assert found(check([*events, get("new", 4, 9, **CHILD), get("old", 5, 1, **PARENT)])) == {}
