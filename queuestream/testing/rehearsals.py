"""A handler of messages, rehearsed many times: delivered twice, out of order, by workers who stop half-way.

    def pay(accounts, message):
        accounts[message.body] = accounts.get(message.body, 0) + 10

    assert_idempotent(pay, ["ada", "bob"], fresh=dict)

A rehearsal is one run of a small world: the messages are sent one after the other, some workers receive them,
call the handler, and delete what it has handled, unless they stop just before.  The outcome, whatever the
handler has made of a fresh state, is held against the one of a run in which every message came once and in
order.  Each seed is another rehearsal; the failing one with the fewest repeats is told, delivery by delivery.
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.delivery import STRICT, Delivery, delivery_of
from queuestream.core.errors import ServiceError
from queuestream.lab.simulation.world import World

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.aio import AsyncQueue
    from queuestream.core.queues.message import ReceivedMessage

State = TypeVar("State")

_TWICE = Delivery(duplicates=0.5, returns=0.3)
_ANY_ORDER = Delivery(hosts=4, sampled_hosts=2, reordering=0.7, overtaken_max=50)
_TRIES_MAX = 10
_HANDLING_MAX_NS = 13 * 3600 * SECOND
"""How long nothing may have been handled: an hour more than a message can be hidden for."""


def assert_idempotent(
    handler: Callable[[State, ReceivedMessage], object],
    messages: Iterable[str | Mapping[str, Any]],
    *,
    fresh: Callable[[], State],
    outcome: Callable[[State], object] | None = None,
    seeds: int | Iterable[int] = 200,
    delivery: Delivery | str = _TWICE,
    workers: int = 2,
    stops: float = 0.1,
    **attributes: Any,
) -> None:
    """A message that is handled again changes nothing.

    SQS delivers at least once: a copy may be received while the first one is worked on, a deleted message may
    come back, and a worker may stop after its work and before the delete.  All this happens here, while the
    queue hands messages out in order.  On a FIFO queue (`fifo_queue=True`) only the stops happen.

    Args:
        handler: Called as `handler(state, message)`; may be an `async def`, and then its pauses are
            chances for the others.  What it raises is as with SQS: the message comes again.
        messages: Bodies, or the arguments of `Queue.send` as mappings, in the order of sending.
        fresh: Makes the state that a rehearsal begins with.
        outcome: What is compared, made from the state; the state itself where None.
        seeds: How many rehearsals, or the seeds of some.
        delivery: What the queue may do, a `Delivery` or its name.
        workers: How many receive at the same time; two of them may finish in another order than they began.
        stops: The share of messages after whose work a worker stops without deleting them.
        **attributes: The queue's settings, as of `Broker.create_queue`.

    Raises:
        AssertionError: The outcome depends on it; says for which seed, and what was delivered.  Or no two
            rehearsals have the same outcome, not even in order; or the handler never ends.
        Exception: What the handler raises where every message comes once.
    """
    __tracebackhide__ = True
    rehearsal = Rehearsal(handler, list(messages), fresh, outcome, attributes)
    rehearsal.compare(
        "is not idempotent", seeds, Conditions(delivery_of(delivery), workers=workers, stops=stops)
    )


def assert_order_does_not_matter(
    handler: Callable[[State, ReceivedMessage], object],
    messages: Iterable[str | Mapping[str, Any]],
    *,
    fresh: Callable[[], State],
    outcome: Callable[[State], object] | None = None,
    seeds: int | Iterable[int] = 200,
    delivery: Delivery | str = _ANY_ORDER,
    workers: int = 2,
    **attributes: Any,
) -> None:
    """Messages that come in another order, each of them once, come to the same.

    The arguments are those of `assert_idempotent`.

    Raises:
        AssertionError: The outcome depends on the order; says for which seed, and what was delivered.
        Exception: What the handler raises where every message comes in order.
    """
    __tracebackhide__ = True
    rehearsal = Rehearsal(handler, list(messages), fresh, outcome, attributes)
    rehearsal.compare("depends on the order", seeds, Conditions(delivery_of(delivery), workers=workers))


@attrs.frozen
class Conditions:
    """Under which a rehearsal takes place."""

    delivery: Delivery = STRICT
    workers: int = attrs.field(default=1, kw_only=True, validator=attrs.validators.ge(1))
    stops: float = attrs.field(
        default=0.0, kw_only=True, validator=[attrs.validators.ge(0), attrs.validators.lt(1)]
    )


@attrs.frozen
class Handling:
    """One time that a message was handled: by whom, and what came of it."""

    at_ns: int
    worker: str
    body: str
    receive_count: int
    end: str

    def __str__(self) -> str:
        again = "" if self.receive_count == 1 else f"  (receive {self.receive_count})"
        return f"{self.at_ns / 1_000_000_000:8.1f} s  {self.worker}  {self.body!r}{again}{self.end}"


@attrs.define
class Rehearsal(Generic[State]):
    """What is rehearsed: a handler, and the messages that it gets."""

    handler: Callable[[State, ReceivedMessage], object]
    messages: list[str | Mapping[str, Any]]
    fresh: Callable[[], State]
    outcome: Callable[[State], object] | None
    attributes: Mapping[str, Any]

    def compare(self, claim: str, seeds: int | Iterable[int], conditions: Conditions) -> None:
        """Rehearse, and compare each outcome with the plain one.

        Raises:
            AssertionError: One differs.
            ValueError: There is nothing to compare.
            TypeError: The handler is a generator.
        """
        __tracebackhide__ = True
        if not self.messages:
            raise ValueError("There are no messages, so a rehearsal would show nothing.")
        if inspect.isgeneratorfunction(self.handler) or inspect.isasyncgenfunction(self.handler):
            raise TypeError(f"{self._name} yields, so calling it does nothing; a handler returns.")
        plain = _kept(self.run(0, Conditions())[0])
        tried, failed = 0, []
        for seed in range(seeds) if isinstance(seeds, int) else seeds:
            tried += 1
            came_out, handlings = self.run(seed, conditions)
            if came_out != plain:
                # Shown at once: the next rehearsal may change it, where all of them share a state.
                failed.append((len(handlings), tried, seed, repr(came_out), handlings))
        if not tried:
            raise ValueError(f"There are no seeds in {seeds!r}, so a rehearsal would show nothing.")
        if not failed:
            return
        _, _, seed, shown, handlings = min(failed, key=lambda one: one[:2])
        name = self._name
        if (once_more := self.run(seed, Conditions())[0]) != plain:
            raise AssertionError(
                f"{name} has another outcome each time, although every message comes once and in order:\n"
                f"  first time: {plain!r}\n"
                f"  another time: {once_more!r}\n"
                "Something in it is each run's own (a message's id, a time, an object that equals no other): "
                "leave it out by outcome=...  Or the handler keeps something outside of the state that fresh "
                "makes: put it there, or have fresh empty it."
            )
        raise AssertionError(
            "\n".join(
                [
                    f"{name} {claim}: {len(failed)} of {tried} seeds have another outcome.",
                    f"  once and in order: {plain!r}",
                    f"  seed {seed}: {shown}",
                    f"What was handled with seed {seed} (seeds=[{seed}] does the same again):",
                    *(f"  {handling}" for handling in handlings),
                ]
            )
        )

    @property
    def _name(self) -> str:
        return str(getattr(self.handler, "__qualname__", None) or repr(self.handler))

    def run(self, seed: int, conditions: Conditions) -> tuple[object, list[Handling]]:
        """One rehearsal: its outcome, and what was handled."""
        __tracebackhide__ = True
        world = World(seed, delivery=conditions.delivery)
        in_order = conditions == Conditions()
        world._again = (
            "every message came once and in order." if in_order else f"seeds=[{seed}] does the same again."
        )
        state = self.fresh()
        handlings: list[Handling] = []
        try:
            world.run(self._play, state, handlings, conditions)
        except Exception as error:
            if handlings:
                error.add_note("\n".join(["What was handled:", *(f"  {handling}" for handling in handlings)]))
            raise
        if self.outcome is not None:
            return self.outcome(state), handlings
        if type(state).__eq__ is object.__eq__:
            raise TypeError(
                f"Two of {type(state).__name__} cannot be compared; say what to compare by outcome=..."
            )
        return state, handlings

    async def _play(
        self, world: World, state: State, handlings: list[Handling], conditions: Conditions
    ) -> None:
        is_fifo = self.attributes.get("fifo_queue", False)
        queue = await world.aio.create_queue("rehearsal.fifo" if is_fifo else "rehearsal", **self.attributes)
        begun_ns = world.now_ns()
        in_hand: dict[str, int] = {}

        async def work(name: str) -> None:
            chance = world.chance(name)
            while True:
                count = chance.randint(1, 3)
                messages = await queue.receive(max_number_of_messages=count, wait_time_seconds=20)
                in_hand[name] = len(messages)
                for message in messages:
                    await world.sleep(
                        chance.random()
                    )  # so that others have their turns while it is in flight
                    end = await self._handle(queue, state, message, chance, conditions)
                    handlings.append(
                        Handling(world.now_ns() - begun_ns, name, message.body, message.receive_count, end)
                    )
                    in_hand[name] -= 1

        for number in range(1, conditions.workers + 1):
            world.start(work(f"worker-{number}"), name=f"worker-{number}")
        chance = world.chance("sender")
        for number, message in enumerate(self.messages):
            arguments = {"message_body": message} if isinstance(message, str) else dict(message)
            if is_fifo:
                defaults = {"message_group_id": "all", "message_deduplication_id": str(number)}
                arguments = {**defaults, **arguments}
            await queue.send(**arguments)
            await world.sleep(chance.random())
        handled, since_ns = 0, world.now_ns()
        while any(await queue.counts()) or any(in_hand.values()):
            await world.sleep(1)
            if handled != len(handlings):
                handled, since_ns = len(handlings), world.now_ns()
            elif world.now_ns() - since_ns > _HANDLING_MAX_NS:
                seconds = _HANDLING_MAX_NS // SECOND
                raise AssertionError(
                    f"{self._name} does not end: nothing has been handled for {seconds:,} s. "
                    "What does it wait for?"
                )

    async def _handle(
        self,
        queue: AsyncQueue,
        state: State,
        message: ReceivedMessage,
        chance: random.Random,
        conditions: Conditions,
    ) -> str:
        """Handle a message as a worker does; what there is to say about how it ended."""
        try:
            result = self.handler(state, message)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            if message.receive_count >= _TRIES_MAX or conditions == Conditions():
                raise
            return f", raised {error!r}"
        if chance.random() < conditions.stops:
            return ", and stopped before the delete"
        try:
            await queue.delete(message)
        except ServiceError as error:  # a FIFO queue's handle has expired
            return f", and could not delete it: {error}"
        return ""


def _kept(outcome: object) -> object:
    """A copy, where there can be one: a state that all rehearsals share must not be compared with itself."""
    try:
        kept: object = copy.deepcopy(outcome)
    except TypeError:
        return outcome
    return kept if kept == outcome else outcome
