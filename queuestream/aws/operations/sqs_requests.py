"""What every SQS request has in common: members that must be there, and attributes of messages.

That a required member is missing is said by the front end, which knows it from AWS's model.  It is
said here once more, for who calls an operation without a front end.  A member that is None is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.core.errors import InvalidParameterValue, MissingParameter, UnsupportedOperation
from queuestream.core.queues.message_attributes import MessageAttribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.aws.calls import Shape
    from queuestream.core.queues.message_attributes import MessageAttributes


def required(request: Shape, member: str) -> Any:
    """A member that the request must have.

    Raises:
        MissingParameter: It has not.
    """
    value = request.get(member)
    if value is None:
        raise MissingParameter(member)
    return value


def queue_name(request: Shape) -> str:
    """The name of a queue that a request must have; SQS has a sentence of its own where it has not.

    Raises:
        InvalidParameterValue: It has not.
    """
    name = request.get("QueueName")
    if name is None:
        raise InvalidParameterValue(
            "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
        )
    return str(name)


def message_attributes(shapes: Mapping[str, Shape] | None) -> dict[str, object] | None:
    """The attributes of a message that is sent, as the core takes them; None where there are none."""
    if shapes is None:
        return None
    return {name: _message_attribute(shape) for name, shape in shapes.items()}


def _message_attribute(shape: Shape) -> MessageAttribute:
    for lists in ("StringListValues", "BinaryListValues"):
        if shape.get(lists):
            raise UnsupportedOperation(
                "Message attribute list values in SendMessage operation are not supported."
            )
    data_type = shape.get("DataType")
    is_binary = isinstance(data_type, str) and data_type.startswith("Binary")
    # The core says what is wrong with a type or a value that is missing.
    value: Any = shape.get("BinaryValue" if is_binary else "StringValue")
    return MessageAttribute(data_type, value)  # type: ignore[arg-type]


def message_attribute_shapes(attributes: MessageAttributes) -> dict[str, Shape]:
    """The attributes of a message that was received, as AWS shows them."""
    return {
        name: {
            ("BinaryValue" if isinstance(attribute.value, bytes) else "StringValue"): attribute.value,
            "DataType": attribute.data_type,
        }
        for name, attribute in attributes.items()
    }
