"""boto3's clients for a test: answered by the broker that the test has, and by nothing of the machine.

A client is made without credentials, configuration files or environment variables, so that a test means the
same on every machine.  Who wants a client of his own makes one while `answering` is open.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from queuestream.aws.accounts import Aws
from queuestream.testing.watching import telling_method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.aws.in_process.connection import Connection
    from queuestream.core.broker import Broker
    from queuestream.testing.call_log import CallLog


# Of each: its name in files, its names in the environment, the default, what converts it.
_NOTHING_OF_THE_MACHINE: dict[str, Any] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}
# botocore's own default, whatever the environment says.
_RETRIES = {"mode": "legacy", "total_max_attempts": 5}


class AwsAround(Aws):
    """Accounts and regions, of which one is a broker that is there already.

    Args:
        broker: The default account's in the default region.
        seed: Makes the ids of the others repeatable.
        **arguments: As for `Aws`.
    """

    def __init__(self, broker: Broker, *, seed: int | str | None = None, **arguments: Any) -> None:
        arguments |= {"account_id": broker.account_id, "region": broker.region}
        super().__init__(clock=broker.clock, seed=seed, **arguments)
        self._brokers[broker.account_id, broker.region] = broker


def client(service: str, aws: Aws, faults: FaultPlan) -> Any:
    """A client of boto3's that is answered here, and takes nothing from the machine.

    Args:
        service: `sqs` or `kinesis`.
        aws: What answers.
        faults: What goes wrong.
    """
    from queuestream.aws import wire  # noqa: PLC0415 - it says what to install where botocore is missing

    return wire(_client(service, aws.region), aws, faults=faults)


def _client(service: str, region: str) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - only who has it comes here
    from botocore.session import Session  # noqa: PLC0415 - as above

    session = Session(_NOTHING_OF_THE_MACHINE)
    session.register_component("data_loader", _models())
    return session.create_client(
        service,
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - no secret: nobody checks it
        config=Config(ignore_configured_endpoint_urls=True, retries=_RETRIES),
    )


@cache
def _models() -> Any:
    """Who reads the models of services, which takes longer than most tests, once."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only who has it comes here

    return Loader()


@contextmanager
def answering(aws: Aws, faults: FaultPlan, calls: CallLog | None) -> Iterator[None]:
    """Let `aws` answer every client of SQS and Kinesis in this process.

    Args:
        aws: What answers.
        faults: What goes wrong.
        calls: Where calls are logged; None where they are not.
    """
    from queuestream.aws.in_process.carrier import Carrier  # noqa: PLC0415 - botocore takes a while to import
    from queuestream.aws.in_process.entering import enter, leave  # noqa: PLC0415 - as above
    from queuestream.aws.in_process.worlds import World  # noqa: PLC0415 - as above

    class LoggedWorld(World):
        """A world that logs the calls of every client that it answers."""

        def connect(self, client: Any, *args: Any, **kwargs: Any) -> Connection:
            connection: Any = super().connect(client, *args, **kwargs)
            if calls is not None:
                connection.call = telling_method(calls, connection.call, is_async=False)
                connection.call_async = telling_method(calls, connection.call_async, is_async=True)
            return connection  # type: ignore[no-any-return]

    world = LoggedWorld(Carrier(aws, faults))
    enter(world)
    try:
        yield
    finally:
        leave(world)
