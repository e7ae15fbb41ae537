"""The ways in that speak AWS: they differ in how an operation is called."""

from drivers.aws_queues import AwsQueues
from drivers.aws_streams import AwsStreams
from drivers.refusals import Refused
from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller, Later
from queuestream.aws.operations import OPERATIONS
from queuestream.core import errors
from queuestream.core.errors import ServiceError


class AwsWay(AwsQueues, AwsStreams):
    """A broker's operations by way of AWS's."""

    name = ""

    @classmethod
    def open(cls, settings):
        return cls(Aws(clock=VirtualClock(), **settings))

    def __init__(self, aws):
        self.aws = aws
        self.clock = aws.clock
        self.queue_limits = aws.queue_limits

    def reset(self):
        self.aws.reset()

    def close(self):
        """There is nothing to close."""

    def call(self, service, operation, request):
        """AWS's answer to a request under AWS's names; a refusal is raised as `Refused`."""
        raise NotImplementedError

    def subscribe(self, request):
        """The events of SubscribeToShard's answer, one after the other."""
        return self.call("kinesis", "SubscribeToShard", request)["EventStream"]


class OperationsWay(AwsWay):
    """The operations, without a client."""

    name = "operations"

    def __init__(self, aws):
        super().__init__(aws)
        self._caller = Caller(aws)

    def call(self, service, operation, request):
        try:
            answer = OPERATIONS[service][operation](self._caller, request)
        except ServiceError as error:
            raise Refused(error.code, error.message) from None
        if isinstance(answer, Later):
            answer = answer.now(self.clock)
        return answer or {}

    def subscribe(self, request):
        events = super().subscribe(request)
        return (events.shape(event) for event in events.subscription)


_CODES = {error.code for error in vars(errors).values() if hasattr(error, "code")}


def refusal_of(client_error):
    """What botocore raised, as a refusal under the core's code.

    For SQS a client sees the code of the older query protocol; the modelled name is beside it.
    """
    error = client_error.response["Error"]
    modelled = error.get("QueryErrorCode")
    return Refused(modelled if modelled in _CODES else error["Code"], error["Message"])
