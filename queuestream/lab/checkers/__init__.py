"""Checkers: what a history says about the promise that was given.

A checker reads what clients saw and nothing else, so it judges AWS, an emulator or a home-made queue
as it judges ours.  It is conservative: who is accused is guilty.  A call happened at some instant
between its beginning and its answer, a call without an answer may have happened then or later or not
at all, and of two clients' calls in the same instant nobody knows which came first.  An anomaly is
found only where every such story has it.

    checking.py        check(): one queue or stream after the other
    verdicts.py        what is handed out: Verdict, Tally, Anomaly, and the names of all anomalies
    findings.py        anomalies as they are found, and their sentences
    lives.py           a queue's events, message by message
    holds.py           how long a receiver surely had a message to itself
    queues.py          what every queue is asked: lost, unexpected, duplicated, resurrected ...
    groups.py          FIFO queues: order within a message group, and its lock
    deduplication.py   FIFO queues: a message sent again is one message
    streams.py         a stream's events, record by record: lost, unexpected, duplicated ...
    shards.py          how readers went through a shard: skipped, went back
    lineages.py        parents before children, and a partition key's order from shard to shard
    precedence.py      which of two calls came first, as far as that is sure
    queries.py         the largest of a range of numbers, asked again and again

Words are those of Jepsen's `total-queue` and `kafka` checkers (jepsen.io), where these have one.
"""

from __future__ import annotations

from queuestream.lab.checkers.checking import check
from queuestream.lab.checkers.verdicts import Anomaly, Kind, Promise, Tally, Verdict

__all__ = ["Anomaly", "Kind", "Promise", "Tally", "Verdict", "check"]
