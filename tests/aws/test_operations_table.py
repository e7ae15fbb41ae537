"""The table of operations is complete, by AWS's own models: what AWS adds shows up here as a failing test."""

import pytest

from queuestream.aws.models import SERVICES, service_model
from queuestream.aws.operations import OPERATIONS

_CHANNELS = "channels deliver a stream's records to S3 and Iceberg tables: a product of its own"
NOT_ANSWERED = {
    "sqs": {},
    "kinesis": {
        "CreateChannel": _CHANNELS,
        "DeleteChannel": _CHANNELS,
        "DescribeChannel": _CHANNELS,
        "ListChannels": _CHANNELS,
        "UpdateChannel": _CHANNELS,
    },
}
"""The operations that are not answered, and why."""


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_aws_is_answered_or_has_a_reason_not_to_be(service):
    operations = set(service_model(service).operation_names)
    assert operations - set(OPERATIONS[service]) - set(NOT_ANSWERED[service]) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_answered_that_is_said_not_to_be(service):
    assert set(OPERATIONS[service]) & set(NOT_ANSWERED[service]) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_a_function_named_as_aws_names_it(service):
    for name, operation in OPERATIONS[service].items():
        assert operation.__name__.replace("_", "") == name.lower()
        assert operation.__doc__
