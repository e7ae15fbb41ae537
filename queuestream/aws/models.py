"""AWS's own service models, as botocore ships them: every operation, shape and constraint.

They are the specification.  What this package knows about requests (types, lengths,
patterns, required members) it reads from here, so that there is no copy to go stale.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import ServiceModel

SERVICES = ("sqs", "kinesis")


@cache
def service_model(service: str) -> ServiceModel:
    """The model of one service, read once (30 ms)."""
    from botocore.loaders import Loader  # noqa: PLC0415 - the extra `aws`
    from botocore.model import ServiceModel  # noqa: PLC0415

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def input_shape(service: str, operation: str) -> Any:
    """The shape of an operation's request; None where it takes nothing."""
    return service_model(service).operation_model(operation).input_shape


@cache
def output_shape(service: str, operation: str) -> Any:
    """The shape of an operation's answer; None where it gives nothing."""
    return service_model(service).operation_model(operation).output_shape
