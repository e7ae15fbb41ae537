"""What goes wrong, and when: seeded, scripted or by rate, for every operation or some, every resource or one.

    faults = FaultPlan(seed=7)
    faults.throttle("PutRecord", times=2)                   # the next two are refused
    faults.fail("Send*", rate=0.05)                         # one in twenty is an internal error
    faults.lose_answer("SendMessage", resource="orders", after=3, times=1)
    faults.slow_down("ReceiveMessage", seconds=2)
    with mock_aws(faults=faults): ...

Rules are asked in the order in which they were added.  Delays add up; the first other rule that
strikes ends the call.  Each rule draws from a source of its own, so that the same seed and the same
calls strike the same way whatever other rules there are.  What struck is kept in `injected`, and
`str(faults)` tells it line by line.

A plan decides (`decide`); who carries calls makes it come true.  Carriers of AWS's requests call
`perform` in place of an operation.  A lost answer comes out as `AnswerLost`, which each of them turns
into what its client would see: a closed connection, or no answer in time.
"""

from __future__ import annotations

import random
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.aws.faults import AnswerLost, Fault, Injected, InjectedError, Strike
from queuestream.aws.struck import entries_of, perform_struck, resource_of
from queuestream.core.clock import SECOND, duration_ns

if TYPE_CHECKING:
    from queuestream.aws.calls import Caller, Operation, Shape

__all__ = ["AnswerLost", "Fault", "FaultPlan", "Injected", "InjectedError"]


@attrs.define(eq=False)
class _Rule:
    fault: Fault
    chance: random.Random
    matched: int = 0
    struck: int = 0

    def strikes(self, operation: str, resource: str) -> bool:
        fault = self.fault
        if not (fnmatchcase(operation, fault.operation) and fnmatchcase(resource, fault.resource)):
            return False
        if fault.times is not None and self.struck >= fault.times:
            return False
        self.matched += 1
        # Chance is drawn for every match, so that `after` and `rate` do not disturb each other.
        if self.chance.random() >= fault.rate or self.matched <= fault.after:
            return False
        self.struck += 1
        return True


class FaultPlan:
    """What goes wrong, and when.  Safe to share between threads.

    Args:
        *faults: Rules to begin with.
        seed: Makes every choice by rate repeatable; the operating system's entropy where none is given.

    Attributes:
        injected: What struck so far, in the order of the calls.
    """

    def __init__(self, *faults: Fault, seed: int | str | None = None) -> None:
        self.seed = seed
        self.injected: list[Injected] = []
        self._rules: list[_Rule] = []
        self._added = 0
        self._calls = 0
        self._lock = threading.Lock()
        for fault in faults:
            self.add(fault)

    def __repr__(self) -> str:
        return f"<FaultPlan: {len(self._rules)} rules, struck {len(self.injected)} times>"

    def __str__(self) -> str:
        return "\n".join(map(str, self.injected)) or "Nothing struck."

    # --- rules ---

    def add(self, fault: Fault) -> Fault:
        """Add a rule; it comes after those that are there."""
        with self._lock:
            seed = None if self.seed is None else f"{self.seed} {self._added}"
            self._added += 1
            self._rules.append(_Rule(fault, random.Random(seed)))
        return fault

    def throttle(self, operation: str = "*", **rule: Any) -> Fault:
        """Refuse calls as AWS does when they are too many; SDKs retry these with a back-off."""
        return self.add(Fault(effect="throttle", operation=operation, **rule))

    def fail(self, operation: str = "*", **rule: Any) -> Fault:
        """Refuse calls with an error: an internal one, or the `code` with its `message` and `status`."""
        return self.add(Fault(effect="fail", operation=operation, **rule))

    def lose_request(self, operation: str = "*", **rule: Any) -> Fault:
        """Do no work, and close the connection instead of answering."""
        return self.add(Fault(effect="lose_request", operation=operation, **rule))

    def lose_answer(self, operation: str = "*", **rule: Any) -> Fault:
        """Do the work and close the connection instead of answering."""
        return self.add(Fault(effect="lose_answer", operation=operation, **rule))

    def time_out(self, operation: str = "*", **rule: Any) -> Fault:
        """Do the work and never answer; the client gives up after `seconds` on the clock."""
        return self.add(Fault(effect="time_out", operation=operation, **rule))

    def slow_down(self, operation: str = "*", *, seconds: float, **rule: Any) -> Fault:
        """Begin the work `seconds` later on the clock."""
        return self.add(Fault(effect="slow_down", operation=operation, seconds=seconds, **rule))

    def reject_entries(self, operation: str = "*", **rule: Any) -> Fault:
        """Fail single entries of a batch, each as likely as `rate` says; the others are done.

        Counts entries, not calls: `times=2` fails two entries.
        """
        return self.add(Fault(effect="reject_entries", operation=operation, **rule))

    def remove(self, fault: Fault) -> None:
        """Take a rule away; nothing where it is gone already."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule.fault is not fault]

    def clear(self) -> None:
        """Take every rule away; what struck stays in `injected`."""
        with self._lock:
            self._rules = []

    @property
    def is_active(self) -> bool:
        """Whether there is any rule that may still strike."""
        return any(rule.fault.times is None or rule.struck < rule.fault.times for rule in self._rules)

    # --- what carriers ask ---

    def decide(
        self, service: str, operation: str, resource: str, *, entries: int, account_id: str, now_ns: int
    ) -> Strike:
        """What happens to a call.

        Args:
            service: `sqs` or `kinesis`.
            operation: AWS's name.
            resource: The queue's or stream's name; empty where the call names none.
            entries: How many entries its batch has; 0 where it is no batch.
            account_id: Whose the resource is.
            now_ns: What time it is for the queues and streams.
        """
        delay_ns = 0
        ending: Fault | None = None
        rejected: dict[int, Fault] = {}
        with self._lock:
            self._calls += 1
            for rule in self._rules:
                fault = rule.fault
                if fault.effect == "reject_entries":
                    for place in range(entries):
                        if place not in rejected and rule.strikes(operation, resource):
                            rejected[place] = fault
                            struck = Injected(self._calls, now_ns, operation, resource, fault, place + 1)
                            self.injected.append(struck)
                elif rule.strikes(operation, resource):
                    self.injected.append(Injected(self._calls, now_ns, operation, resource, fault))
                    if fault.effect != "slow_down":
                        ending = fault
                        break
                    delay_ns += duration_ns(fault.seconds, SECOND)
        return Strike(service, operation, resource, account_id, delay_ns, ending, rejected)

    def perform(self, service: str, name: str, operation: Operation, caller: Caller, request: Shape) -> Any:
        """An operation's answer over the wire, or what the plan makes of it.

        Raises:
            InjectedError: The plan refuses the call.
            AnswerLost: The plan keeps the answer.
            ServiceError: The operation's own.
        """
        strike = self.decide(
            service,
            name,
            resource_of(request),
            entries=len(entries_of(request)[1]),
            account_id=caller.account_id,
            now_ns=caller.aws.clock.now_ns(),
        )
        return perform_struck(strike, operation, caller, request)
