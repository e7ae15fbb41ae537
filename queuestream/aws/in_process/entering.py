"""Into a world and out of it: botocore is patched while anybody is in any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.in_process.patches import PATCHES

if TYPE_CHECKING:
    from queuestream.aws.in_process.worlds import World


def enter(world: World) -> None:
    """Be in a world."""
    PATCHES.hold()
    world.enter()


def leave(world: World, *, ends: bool = True) -> None:
    """Be in it no more.

    Args:
        world: One that was entered.
        ends: Whether its end has come when the last one leaves: who still waits for a message in it
            then gets `BrokerClosed`.
    """
    try:
        if world.leave() and ends:
            for broker in world.carrier.aws.brokers():
                broker.close("mock_aws was left")
    finally:
        PATCHES.release()
