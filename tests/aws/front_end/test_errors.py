"""What errors are called on the wire, held against AWS's models, and what boto3's users see of it."""

import inspect

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from wires import boto3_client

from queuestream.aws.fault_plans import InjectedError
from queuestream.aws.front_end import errors as front_end_errors
from queuestream.aws.front_end import signatures
from queuestream.aws.front_end.errors import WIRE_ERRORS, wire_error
from queuestream.aws.front_end.front_end import error_response
from queuestream.aws.models import service_model
from queuestream.core import errors as core_errors
from queuestream.core.errors import QueueError, ServiceError, StreamError

# What boto3 shows as Error.Code: the names of the query protocol, which the API Reference lists.
QUERY_CODES = {
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "InvalidAddress": "InvalidAddress",
    "InvalidAttributeName": "InvalidAttributeName",
    "InvalidAttributeValue": "InvalidAttributeValue",
    "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
    "InvalidIdFormat": "InvalidIdFormat",
    "InvalidMessageContents": "InvalidMessageContents",
    "InvalidSecurity": "InvalidSecurity",
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
    "KmsOptInRequired": "KMS.OptInRequired",
    "KmsThrottled": "KMS.ThrottlingException",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
    "OverLimit": "OverLimit",
    "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "ReceiptHandleIsInvalid": "ReceiptHandleIsInvalid",
    "RequestThrottled": "RequestThrottled",
    "ResourceNotFoundException": "ResourceNotFoundException",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
}


def error_of(code, message="Said."):
    error = ServiceError(message)
    error.code = code
    return error


def parsed(service, error, protocol="json"):
    response = error_response(service, protocol, error, "0" * 36)
    told = {"status_code": response.status, "headers": response.headers, "body": response.body}
    return create_parser("query" if protocol == "query" else "json").parse(told, None)


def modelled(service):
    return {shape.name for shape in service_model(service).error_shapes}


def test_the_table_knows_every_error_that_aws_models_for_sqs():
    assert set(QUERY_CODES) == modelled("sqs")


@pytest.mark.parametrize(("shape", "query_code"), QUERY_CODES.items())
def test_an_error_of_sqs_is_its_modelled_class_and_its_older_code(shape, query_code):
    error = parsed("sqs", error_of(shape))["Error"]
    assert error["Code"] == query_code
    assert error["QueryErrorCode"] == shape
    assert error["Type"] == "Sender"
    assert error["Message"] == "Said."

    assert parsed("sqs", error_of(shape), "query")["Error"]["Code"] == query_code
    # A fault plan may ask for either name.
    assert wire_error("sqs", error_of(query_code)) == wire_error("sqs", error_of(shape))


def test_an_error_of_kinesis_is_its_modelled_class():
    for shape in modelled("kinesis"):
        told = parsed("kinesis", error_of(shape))
        assert told["Error"]["Code"] == shape
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_every_error_of_the_core_has_a_name_that_aws_knows():
    from_framework = {"InvalidParameterValue", "MissingParameter"}
    for error_class in vars(core_errors).values():
        if inspect.isclass(error_class) and issubclass(error_class, ServiceError):
            code = error_class.__dict__.get("code")
            if code in {None, "ServiceError"} | from_framework:
                continue
            services = [
                service
                for service, kind in (("sqs", QueueError), ("kinesis", StreamError))
                if issubclass(error_class, kind)
            ]
            assert services
            assert all(code in modelled(service) for service in services), code


def test_every_error_of_the_front_end_is_in_the_table():
    said = [*vars(front_end_errors).values(), *vars(signatures).values()]
    classes = {one for one in said if inspect.isclass(one) and issubclass(one, ServiceError)}
    codes = {one.code for one in classes} - {"ServiceError"}
    assert len(codes) > 8
    assert codes <= set(WIRE_ERRORS)


@pytest.mark.parametrize(
    ("code", "sqs", "kinesis"),
    [
        ("QueueDoesNotExist", 400, 400),
        ("ReceiptHandleIsInvalid", 404, 400),
        ("PurgeQueueInProgress", 403, 400),
        ("OverLimit", 403, 400),
        ("ResourceNotFoundException", 404, 400),
        ("InvalidSignatureException", 403, 400),
        ("IncompleteSignatureException", 400, 400),
        ("RequestEntityTooLargeException", 413, 413),
        ("InternalFailure", 500, 500),
        ("ServiceUnavailable", 503, 503),
        ("SomethingElse", 400, 400),
    ],
)
def test_the_status_of_an_error(code, sqs, kinesis):
    assert error_response("sqs", "json", error_of(code), "id").status == sqs
    assert error_response("sqs", "query", error_of(code), "id").status == sqs
    assert error_response("kinesis", "json", error_of(code), "id").status == kinesis


def test_what_is_the_servers_fault_is_said_to_be():
    assert parsed("sqs", error_of("InternalFailure"))["Error"]["Type"] == "Receiver"
    assert parsed("sqs", error_of("InternalFailure"), "query")["Error"]["Type"] == "Receiver"


def test_an_error_of_a_fault_plan_brings_its_own_status():
    error = InjectedError("ProvisionedThroughputExceededException", "Rate exceeded.", 429)
    assert error_response("kinesis", "json", error, "id").status == 429


@pytest.mark.parametrize(
    ("call", "error_class", "code", "status"),
    [
        ({"QueueName": "nobody"}, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
        (
            {"QueueName": "emails", "Attributes": {"DelaySeconds": "7"}},
            "QueueNameExists",
            "QueueAlreadyExists",
            400,
        ),
        (
            {"QueueName": "e", "Attributes": {"Colour": "red"}},
            "InvalidAttributeName",
            "InvalidAttributeName",
            400,
        ),
        ({"QueueName": "a b"}, None, "InvalidParameterValue", 400),
    ],
)
def test_boto3_raises_the_modelled_class(front_end, queue, call, error_class, code, status):
    sqs = boto3_client(front_end, "sqs")
    operation = sqs.create_queue if "Attributes" in call or error_class is None else sqs.get_queue_url
    with pytest.raises(ClientError) as refused:
        operation(**call)

    expected = getattr(sqs.exceptions, error_class) if error_class else ClientError
    assert type(refused.value) is expected
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(refused.value.response["ResponseMetadata"]["RequestId"]) == 36


def test_boto3_raises_the_modelled_classes_of_kinesis(front_end):
    kinesis = boto3_client(front_end, "kinesis")
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.describe_stream(StreamName="nobody")
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        kinesis.get_records(ShardIterator="x")
