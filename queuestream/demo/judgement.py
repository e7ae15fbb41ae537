"""What the consumers saw, held against what was sent: the demo's claims, one function each.

A claim that does not hold says what is wrong instead, with the first lines concerned.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import SECOND
from queuestream.demo.queue_story import MAX_RECEIVE_COUNT, TWELVE_HOURS
from queuestream.demo.verdicts import Exchange, Verdict, exchange, keys_out_of_order, order, reordered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queuestream.demo.play import Play
    from queuestream.demo.queue_story import Delivery
    from queuestream.demo.verdicts import Order

_SHOWN = 3


@attrs.frozen
class Words:
    """What the records and keys of an input are called, one of them and several."""

    record: str = "record"
    records: str = "records"
    key: str = "key"
    keys: str = "keys"


@attrs.frozen
class Flow:
    """The figures of one way from producers to consumers, for the table.

    Attributes:
        sent: What the producers sent.
        deliveries: What the consumers were handed.
        repeated: What was handed out more than once.
        done: The order in which things were done with.
        keys_out_of_order: Keys whose things were not done in order.
    """

    sent: int
    deliveries: int
    repeated: int
    done: Order
    keys_out_of_order: int


class Judgement:
    """All verdicts on one play.

    Args:
        play: A play that has run.
        words: What its records and keys are called.

    Attributes:
        flows: The figures of the stream, the standard queue and the FIFO queue, by name.
        verdicts: The claims.
    """

    def __init__(self, play: Play, words: Words) -> None:
        self._play = play
        self._words = words
        self._key_of = {record.line: record.key for record in play.records}
        self.keys = len(set(self._key_of.values()))
        self._lines = list(self._key_of)
        self._read = play.stream.reader.seen
        self._queue_done = _done(play.queue.deliveries)
        self._fifo_done = _done(play.fifo.deliveries)
        self._letters = play.queue.dead_letters_seen
        self.flows = {
            "stream": self._flow(self._lines, self._read, self._read),
            "standard queue": self._flow(play.tasks, _delivered(play.queue.deliveries), self._queue_done),
            "FIFO queue": self._flow(play.tasks, _delivered(play.fifo.deliveries), self._fifo_done),
        }
        claims: tuple[Callable[[], Verdict], ...] = (
            self.stream_in_order,
            self.stream_complete,
            self.standard_complete,
            self.standard_order,
            self.twelve_hours,
            self.dead_letters,
            self.redriven,
            self.fifo_in_order,
            self.fifo_holds_up,
            self.fifo_complete,
        )
        self.verdicts = [claim() for claim in claims]

    @property
    def holds(self) -> bool:
        """Whether every claim is true."""
        return all(verdict.holds for verdict in self.verdicts)

    def _flow(self, sent: Sequence[int], delivered: list[int], done: list[int]) -> Flow:
        return Flow(
            sent=len(sent),
            deliveries=len(delivered),
            repeated=_repeated(delivered),
            done=order(list(dict.fromkeys(done))),
            keys_out_of_order=len(keys_out_of_order(done, self._key_of)),
        )

    # --- the stream ---

    def stream_in_order(self) -> Verdict:
        """Each key's records are read in the order in which they were put, across splits and merges."""
        wrong = keys_out_of_order(self._read, self._key_of)
        story, words = self._play.stream, self._words
        road = f"4 shards, split {_times(story.splits)} and merged {_times(story.merges)} on the way"
        figures = {
            "keys": self.keys,
            "out_of_order": len(wrong),
            "splits": story.splits,
            "merges": story.merges,
        }
        if wrong:
            sentence = f"Stream: out of order through {road}: {_some(wrong, words.key, words.keys)}."
        else:
            each = f"the only {words.key}" if self.keys == 1 else f"each of {self.keys:,} {words.keys}"
            sentence = f"Stream: in order for {each}, through {road}."
        return Verdict("stream_in_order", not wrong, sentence, figures)

    def stream_complete(self) -> Verdict:
        """Every record is read exactly once."""
        found = exchange(self._lines, self._read)
        records = _count(len(self._lines), self._words.record, self._words.records)
        good = f"Stream: {records} went in and came out: none lost, none twice, none made up."
        return _complete(
            "stream_complete", "Stream", found, good, {"sent": len(self._lines), "seen": len(self._read)}
        )

    # --- the standard queue ---

    def standard_complete(self) -> Verdict:
        """Every task is done exactly once, however often it is delivered."""
        flow = self.flows["standard queue"]
        found = exchange(self._play.tasks, self._queue_done)
        good = (
            f"Standard queue: {_count(flow.sent, 'task')} sent and done, none lost; {flow.repeated:,} "
            f"{_was(flow.repeated)} delivered more than once, because a worker failed "
            f"({_count(flow.deliveries, 'delivery', 'deliveries')})."
        )
        figures = {"sent": flow.sent, "done": len(self._queue_done)}
        figures |= {"deliveries": flow.deliveries, "delivered_more_than_once": flow.repeated}
        return _complete("standard_complete", "Standard queue", found, good, figures)

    def standard_order(self) -> Verdict:
        """A standard queue promises no order; here it is only failures that change it."""
        done = self.flows["standard queue"].done
        times = Counter(each.line for each in self._play.queue.deliveries)
        late = reordered(self._queue_done)
        unexplained = [line for line in late if times[line] == 1]
        figures = {
            "reordered": done.reordered,
            "reordered_ratio": round(done.reordered_ratio, 6),
            "reordering_extent": done.extent,
            "kendall_tau": round(done.kendall_tau, 6),
            "reordered_without_failure": len(unexplained),
        }
        measured = (
            f"{done.reordered_ratio:.1%} done after a later task, up to {done.extent:,} places late, "
            f"Kendall's tau {done.kendall_tau:.4f}"
        )
        if unexplained:
            sentence = f"Standard queue: {measured}; of these, delivered only once: {_some(unexplained)}."
        elif late:
            sentence = f"Standard queue: no order promised ({measured}); what came late had failed before."
        else:
            sentence = f"Standard queue: no order promised; this time it was kept ({measured})."
        return Verdict("standard_order", not unexplained, sentence, figures)

    def twelve_hours(self) -> Verdict:
        """The first task, taken for twelve hours by a worker that died, comes back twelve hours later."""
        first = self._play.tasks[0]
        seen = [each.at_ns for each in self._play.queue.deliveries if each.line == first]
        waited_ns = [later - earlier for earlier, later in pairwise(seen)][:1]
        holds = waited_ns == [TWELVE_HOURS * SECOND]
        figures = {"waited_seconds": waited_ns[0] / SECOND if waited_ns else None}
        if holds:
            sentence = (
                "Twelve hours in no time: a worker took the first task and died; "
                f"the task came back after exactly {TWELVE_HOURS:,} seconds."
            )
        elif waited_ns:
            waited = f"{waited_ns[0] / SECOND:,} seconds"
            sentence = f"Twelve hours: the first task came back after {waited}, not {TWELVE_HOURS:,}."
        else:
            sentence = "Twelve hours: a worker took the first task and died; the task never came back."
        return Verdict("twelve_hours", holds, sentence, figures)

    def dead_letters(self) -> Verdict:
        """Those that always fail reach the dead-letter queue, after as many attempts as were allowed."""
        poisonous = sorted(self._play.poisonous)
        found = exchange(poisonous, list(dict.fromkeys(self._letters)))
        failures = Counter(each.line for each in self._play.queue.deliveries if not each.done)
        # One that comes back before its fix fails as often again.
        otherwise = [line for line in poisonous if not failures[line] or failures[line] % MAX_RECEIVE_COUNT]
        holds = not (found.lost or found.unexpected or otherwise)
        figures = {"poisonous": len(poisonous), "missing": len(found.lost), "innocent": len(found.unexpected)}
        them = "the one poisonous task" if len(poisonous) == 1 else f"the {len(poisonous):,} poisonous tasks"
        good = (
            f"Dead letters: after {MAX_RECEIVE_COUNT} attempts, exactly {them} "
            "reached the dead-letter queue, and no other."
        )
        bad = "Dead letters: " + "; ".join(
            f"{what}: {_some(lines)}"
            for what, lines in (
                ("poisonous and not there", found.lost),
                ("there and not poisonous", found.unexpected),
                (f"not failed {MAX_RECEIVE_COUNT} times", otherwise),
            )
            if lines
        )
        return Verdict("dead_letters", holds, good if holds else f"{bad}.", figures)

    def redriven(self) -> Verdict:
        """After the fix, twelve hours later, a message move task brings them back, and they are done."""
        letters = set(self._letters)
        done = [line for line in self._queue_done if line in letters]
        missing = sorted(letters.difference(done))
        holds = bool(letters) and not missing
        figures = {"dead_letters": len(letters), "done_after_redrive": len(done)}
        if holds:
            they = f"all {len(letters):,} went" if len(letters) > 1 else "it went"
            sentence = f"Redrive: twelve hours later, after the fix, {they} back to the queue and got done."
        elif letters:
            sentence = f"Redrive: never done after the fix: {_some(missing)}."
        else:
            sentence = "Redrive: there was no dead letter to bring back."
        return Verdict("redriven", holds, sentence, figures)

    # --- the FIFO queue ---

    def fifo_in_order(self) -> Verdict:
        """No task of a key is handed out before the one before it is done."""
        deliveries = self._play.fifo.deliveries
        wrong = keys_out_of_order(_delivered(deliveries), self._key_of)
        failed = sum(not each.done for each in deliveries)
        keys = len({self._key_of[line] for line in self._play.tasks})
        figures = {"keys": keys, "out_of_order": len(wrong), "failed_deliveries": failed}
        if wrong:
            sentence = f"FIFO queue: out of order: {_some(wrong, self._words.key, self._words.keys)}."
        else:
            each = f"the only {self._words.key}" if keys == 1 else f"each of {keys:,} {self._words.keys}"
            failures = _count(failed, "failed delivery", "failed deliveries")
            sentence = f"FIFO queue: in order for {each}, through {failures}."
        return Verdict("fifo_in_order", not wrong, sentence, figures)

    def fifo_holds_up(self) -> Verdict:
        """A failure holds up the tasks of its own key only; others are delivered when they are sent."""
        deliveries = self._play.fifo.deliveries
        failed = {self._key_of.get(each.line) for each in deliveries if not each.done}
        sent_at = {record.line: record.at_ns for record in self._play.records if record.is_task}
        in_time = {each.line for each in deliveries if each.at_ns == sent_at.get(each.line)}
        others = [line for line in self._play.tasks if self._key_of[line] not in failed]
        held_up = [line for line in others if line not in in_time]
        figures = {"keys_with_failures": len(failed), "held_up_without_failure": len(held_up)}
        one, several = self._words.key, self._words.keys
        own = one if len(failed) == 1 else f"{len(failed):,} {several}"
        count = len({self._key_of[line] for line in others})
        if held_up:
            sentence = f"FIFO queue: held up by another {one}'s failure: {_some(held_up)}."
        elif count:
            rest = "the other one" if count == 1 else f"the other {count:,}"
            sentence = f"FIFO queue: failures held up their own {own} only; {rest} never waited."
        else:
            sentence = f"FIFO queue: failures held up their own {own} only; there were no others."
        return Verdict("fifo_holds_up", not held_up, sentence, figures)

    def fifo_complete(self) -> Verdict:
        """Every task is done exactly once, although some were sent twice."""
        repeats = self._play.fifo.repeats
        found = exchange(self._play.tasks, self._fifo_done)
        good = (
            f"FIFO queue: {_count(len(self._play.tasks), 'task')} sent, each done once, none lost; "
            f"{_count(repeats, 'repeated send')} {_was(repeats)} recognized and dropped."
        )
        figures = {"sent": len(self._play.tasks), "done": len(self._fifo_done), "repeated_sends": repeats}
        return _complete("fifo_complete", "FIFO queue", found, good, figures)


def _delivered(deliveries: list[Delivery]) -> list[int]:
    return [each.line for each in deliveries]


def _done(deliveries: list[Delivery]) -> list[int]:
    return [each.line for each in deliveries if each.done]


def _repeated(delivered: list[int]) -> int:
    return sum(count > 1 for count in Counter(delivered).values())


def _complete(name: str, where: str, found: Exchange, good: str, figures: dict[str, int]) -> Verdict:
    """A verdict on an exchange: `good`, or what is wrong."""
    problems = {"lost": found.lost, "more than once": found.duplicated, "never sent": found.unexpected}
    bad = "; ".join(f"{what}: {_some(lines)}" for what, lines in problems.items() if lines)
    figures = {
        **figures,
        "lost": len(found.lost),
        "duplicated": len(found.duplicated),
        "unexpected": len(found.unexpected),
    }
    return Verdict(name, found.is_exact, good if found.is_exact else f"{where}: {bad}.", figures)


def _some(items: Sequence[object], one: str = "line", several: str = "lines") -> str:
    """How many there are, and the first of them."""
    named = ", ".join(map(str, items[:_SHOWN]))
    return f"{_count(len(items), one, several)} ({named}{', ...' if len(items) > _SHOWN else ''})"


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
