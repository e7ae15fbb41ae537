"""Who acts in a simulation: producers, consumers, readers of streams, operators.

    load         messages and their keys; the paces at which they come
    durations    how long work takes: fixed, uniform, exponential, lognormal
    producers    send to a queue or put into a stream, again where it failed
    consumers    receive, work, delete; and fail, stall, crash
    readers      share the shards of a stream by leases, parents before children
    operators    split, merge, purge, redrive; wait until a queue is drained
    clients      what each of them speaks to: recorded, and going wrong as planned

Each is an ordinary `async def` in a class with knobs; each draws from a source of chance of its own,
named like itself, so that one actor more does not change what the others do.
"""

from queuestream.lab.actors.consumers import Consumer, Crash, Failure
from queuestream.lab.actors.durations import Duration, Exponential, Fixed, LogNormal, Uniform, duration
from queuestream.lab.actors.load import (
    AtTimes,
    Bursts,
    Keys,
    Message,
    Pace,
    Poisson,
    Steady,
    lane_of,
    numbered,
)
from queuestream.lab.actors.operators import Operator, drained, merge, purge, redrive, split
from queuestream.lab.actors.producers import Backoff, Producer
from queuestream.lab.actors.readers import Application, Lease

__all__ = [
    "Application",
    "AtTimes",
    "Backoff",
    "Bursts",
    "Consumer",
    "Crash",
    "Duration",
    "Exponential",
    "Failure",
    "Fixed",
    "Keys",
    "Lease",
    "LogNormal",
    "Message",
    "Operator",
    "Pace",
    "Poisson",
    "Producer",
    "Steady",
    "Uniform",
    "drained",
    "duration",
    "lane_of",
    "merge",
    "numbered",
    "purge",
    "redrive",
    "split",
]
