"""State machines of Hypothesis that put users' own code behind a queue or a stream that misbehaves.

    class Payments(QueueMachine):
        def prepare(self):
            self.balances = {}

        def handle(self, message):
            ...

        def check(self):
            assert all(balance >= 0 for balance in self.balances.values())

    TestPayments = Payments.TestCase

Hypothesis chooses what is sent, when workers receive, stop and go on, how much time passes, and shrinks what
fails to the few steps that it takes.  Needs Hypothesis, which is imported with this package.
"""

from __future__ import annotations

from queuestream.testing.machines.queue_machine import QueueMachine
from queuestream.testing.machines.stream_machine import StreamMachine

__all__ = ["QueueMachine", "StreamMachine"]
