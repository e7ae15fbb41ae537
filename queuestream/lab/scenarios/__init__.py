"""The library of scenarios: small stories that teach one thing about order each.

    email-queue        the classic: duplicates, failures, no order, nothing lost
    short-visibility   work that takes longer than the visibility timeout
    hot-key            one key that has most of the messages
    noisy-neighbour    one tenant's backlog, with and without a fair queue
    slow-group         a FIFO queue with one slow message group
    consumer-crash     consumers that crash with a message in hand
    resharding         splits and merges under load; parents before children
    hot-shard          a throttled shard and a producer that tries again
    one-shard          absolute order, and what it costs
    departures         real events through a queue, a FIFO queue and a stream
    standard, fifo, stream
                       the same load on each of the three

`Scenario` says how to write one of your own.
"""

from queuestream.lab.scenarios.consumer_crash import ConsumerCrash
from queuestream.lab.scenarios.departures import Departures
from queuestream.lab.scenarios.email_queue import EmailQueue
from queuestream.lab.scenarios.hot_key import HotKey
from queuestream.lab.scenarios.hot_shard import HotShard
from queuestream.lab.scenarios.knobs import Knob, SettingError, knob
from queuestream.lab.scenarios.noisy_neighbour import NoisyNeighbour
from queuestream.lab.scenarios.one_shard import OneShard
from queuestream.lab.scenarios.resharding import Resharding
from queuestream.lab.scenarios.same_load import Fifo, OnStream, Standard
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.short_visibility import ShortVisibility
from queuestream.lab.scenarios.slow_group import SlowGroup

SCENARIOS: dict[str, type[Scenario]] = {
    scenario.name: scenario
    for scenario in (
        EmailQueue,
        ShortVisibility,
        HotKey,
        NoisyNeighbour,
        SlowGroup,
        ConsumerCrash,
        Resharding,
        HotShard,
        OneShard,
        Departures,
        Standard,
        Fifo,
        OnStream,
    )
}
"""All of them, by name."""

__all__ = ["SCENARIOS", "Knob", "Scenario", "SettingError", "knob"]
