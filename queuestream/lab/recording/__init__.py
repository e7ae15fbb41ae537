"""Recorders: what clients did and learnt, written down at their side.

    history = History()
    recorder = Recorder(history, clock)
    queue = recorder.queue(Queue("orders", clock=clock), actor="consumer-1")

What a recorder gives has the methods of what it was given, and writes an event into the history for
each message of a call, when the call has its answer: `ok`, `failed` where the service said no, `unknown`
where no answer came.  A cancelled call is unknown, too.

`recorder` has the Recorder and what all recorders share; `queues` and `streams` wrap ours, for threads
and for asyncio, in this process and over AWS; `boto3_clients` has the clients of boto3 and
aiobotocore recorded, whatever they talk to.
"""

from __future__ import annotations

from queuestream.lab.recording.recorder import Recorder

__all__ = ["Recorder"]
