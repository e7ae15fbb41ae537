"""What botocore raises is one of the core's errors, whatever AWS calls it."""

import pytest
from botocore import exceptions as botocore_errors
from scripted_transport import lost, refusal, unreachable

from queuestream import errors
from queuestream.aws.front_end.errors import WIRE_ERRORS
from queuestream.aws.remote.calls import Call
from queuestream.aws.remote.failures import Kind, failure_of, service_error

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/emails"
CALL = Call("sqs", "DeleteMessage", {"QueueUrl": URL, "ReceiptHandle": "a handle"})

CORE = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.ServiceError) and "code" in vars(error)
}

# One error of each kind, with AWS's sentence and the fields that it is made of.
SAID = [
    errors.BatchEntryIdsNotDistinct("a"),
    errors.BatchRequestTooLong(1_048_576, 1_048_577),
    errors.EmptyBatchRequest("SendMessageBatchRequestEntry"),
    errors.InvalidAttributeName("Colour"),
    errors.InvalidAttributeValue("DelaySeconds"),
    errors.InvalidAttributeValue("FifoQueue", "Modifying queue type is not supported."),
    errors.InvalidBatchEntryId(80),
    errors.InvalidParameterValue("Can only include alphanumeric characters."),
    errors.MessageNotInflight("a handle"),
    errors.MissingParameter("MessageBody"),
    errors.PurgeQueueInProgress("emails", 60),
    errors.QueueDeletedRecently("emails", 60),
    errors.QueueDoesNotExist("emails"),
    errors.QueueNameExists("emails"),
    errors.QueueNameExists("emails", "DelaySeconds"),
    errors.ReceiptHandleIsInvalid("a handle"),
    errors.RequestThrottled("emails", "DeleteMessage"),
    errors.TooManyEntriesInBatchRequest(10, 11),
    errors.DryRunOperationException(),
]


@pytest.mark.parametrize("error", SAID, ids=lambda error: type(error).__name__)
def test_an_error_that_crossed_the_wire_has_its_class_its_sentence_and_its_fields(error):
    back = failure_of(refusal(error.code, error.message), CALL).error
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


@pytest.mark.parametrize("code", sorted(CORE))
def test_every_error_of_the_core_is_found_by_its_code(code):
    error = service_error(code, "What AWS says.", CALL)
    assert type(error) is CORE[code]
    assert (error.code, error.message, str(error)) == (code, "What AWS says.", "What AWS says.")


@pytest.mark.parametrize("code", sorted(WIRE_ERRORS.keys() & CORE.keys()))
def test_every_name_that_aws_has_for_an_error_will_do(code):
    wire = WIRE_ERRORS[code]
    for name in (wire.shape, wire.query_code, f"{wire.namespace}{wire.shape}"):
        assert type(service_error(name, "", CALL)) is CORE[code]


def test_the_name_of_the_model_counts_more_than_that_of_the_older_protocol():
    raised = refusal("AWS.SimpleQueueService.Unheard", "Gone.", query_code="QueueDoesNotExist")
    assert isinstance(failure_of(raised, CALL).error, errors.QueueDoesNotExist)


def test_a_code_that_nobody_knows_stays_as_it_is():
    error = failure_of(refusal("AccessDenied", "Not you."), CALL).error
    assert type(error) is errors.ServiceError
    assert (error.code, error.message) == ("AccessDenied", "Not you.")
    assert errors.ServiceError.code == "ServiceError"


def test_an_error_without_any_name_is_one_all_the_same():
    error = failure_of(botocore_errors.ClientError({}, "DeleteMessage"), CALL).error
    assert (type(error), error.code, error.message) == (errors.ServiceError, "ServiceError", "")


@pytest.mark.parametrize(
    ("service", "kind"), [("sqs", errors.InvalidParameterValue), ("kinesis", errors.ValidationException)]
)
def test_a_value_of_another_type_is_the_error_that_it_is_in_the_core(service, kind):
    call = Call(service, "Anything", {})
    error = failure_of(refusal("SerializationException", "NUMBER_VALUE can not be converted"), call).error
    assert (type(error), error.code) == (kind, "SerializationException")

    unsent = failure_of(botocore_errors.ParamValidationError(report="Invalid type"), call).error
    assert (type(unsent), unsent.code) == (kind, kind.code)


def test_a_sentence_that_does_not_name_them_leaves_the_fields_empty():
    error = service_error("TooManyEntriesInBatchRequest", "Too many.", CALL)
    assert (error.maximum, error.sent) == (0, 0)
    assert service_error("InvalidAttributeName", "No.", CALL).attribute == ""
    assert service_error("QueueDoesNotExist", "No.").queue == ""


@pytest.mark.parametrize("code", ["KMS.ThrottlingException", "KmsThrottled", "KMSThrottlingException"])
def test_a_throttle_of_the_key_service_is_a_throttle(code):
    assert failure_of(refusal(code), CALL).kind is Kind.THROTTLED


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_service_that_fails_by_itself_is_unavailable(status):
    failure = failure_of(refusal("InternalFailure", status=status), CALL)
    assert failure.kind is Kind.UNAVAILABLE


def test_no_answer_says_whether_it_may_be_done():
    before, after = failure_of(unreachable(), CALL), failure_of(lost(), CALL)
    assert (before.kind, before.error.may_be_done) == (Kind.UNAVAILABLE, False)
    assert (after.kind, after.error.may_be_done) == (Kind.LOST, True)
    assert str(after.error).startswith(
        "DeleteMessage has no answer, it may have been done or not: Read timeout"
    )
    assert isinstance(after.error, ConnectionError)
