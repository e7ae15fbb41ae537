"""A transport that answers from a script, so that no retry waits and no socket is opened."""

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from queuestream.aws.remote.calls import Call, Pause


class Scripted:
    """Gives each call the next answer of a script, or raises it, and remembers what it was asked to do."""

    def __init__(self, *script):
        self.script = list(script)
        self.done = []

    def do(self, step):
        self.done.append(step)
        if isinstance(step, Pause):
            return None
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def pauses(self):
        return [step.seconds for step in self.done if isinstance(step, Pause)]

    @property
    def calls(self):
        return [step.operation for step in self.done if isinstance(step, Call)]


def refusal(code, message="", *, status=400, query_code=None, headers=None):
    """What boto3 raises when AWS refuses a call."""
    error = {"Code": code, "Message": message}
    if query_code is not None:
        error["QueryErrorCode"] = query_code
    response = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}}}
    return ClientError(response, "AnOperation")


def throttled():
    return refusal("ThrottlingException", "Rate exceeded")


def unavailable():
    return refusal("ServiceUnavailable", "Try again", status=503)


def lost():
    return ReadTimeoutError(endpoint_url="https://sqs.eu-west-1.amazonaws.com/")


def unreachable():
    return ConnectTimeoutError(endpoint_url="https://sqs.eu-west-1.amazonaws.com/")
