"""What a test or an operator asks of the server itself, below `/_queuestream/`.

    GET  /_queuestream/health
    POST /_queuestream/reset
    GET  /_queuestream/clock
    POST /_queuestream/clock/advance        {"hours": 12}
    GET  /_queuestream/queues/NAME/messages?account=...&region=...&limit=...

Answers are JSON objects; what is refused has a `message`.  `health` tells little and changes nothing, and
is always there; the others can be turned off, and have to be signed where requests have to be
signed: with SigV4, by one of the same keys, for any service.

A body is taken as JSON only where it says so: no web page can send that without being asked by the
browser first (see `visitors`).
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import queuestream
from queuestream.aws.front_end.http import HttpResponse
from queuestream.aws.front_end.signatures import SignatureError
from queuestream.aws.one_broker import KeptBroker
from queuestream.core.clock import SECOND
from queuestream.core.errors import NotSupportedByEngine, QueueDoesNotExist, QueuestreamError
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from queuestream.aws.accounts import Aws
    from queuestream.aws.front_end.http import HttpRequest
    from queuestream.aws.front_end.signatures import Credentials
    from queuestream.core.queues.message import PeekedMessage

PREFIX = "/_queuestream/"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = {"hours": 3_600, "minutes": 60, "seconds": 1, "milliseconds": 0.001}
_LAST_SECOND = 253_402_300_799  # of the year 9999, the last that Python's and AWS's dates can say
_PEEKED_MAX = 10_000
_PEEKED = 100


class Refused(Exception):
    """A request to the control that isn't done.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Control:
    """The endpoints below `/_queuestream/`.

    Args:
        aws: What is controlled.
        credentials: Who may; anybody where None.
        off_because: Why only `health` answers; None where all of them do.
    """

    def __init__(
        self, aws: Aws, credentials: Credentials | None = None, off_because: str | None = None
    ) -> None:
        self._aws = aws
        self._credentials = credentials
        self._off_because = off_because

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Do what a request asks."""
        try:
            return _json(200, self._done(request))
        except SignatureError as error:
            return _json(403, {"message": error.message})
        except Refused as refused:
            return _json(refused.status, {"message": str(refused)})
        except NotSupportedByEngine as error:
            return _json(409, {"message": str(error)})
        except QueuestreamError as error:
            return _json(404 if isinstance(error, QueueDoesNotExist) else 400, {"message": str(error)})

    def _done(self, request: HttpRequest) -> dict[str, Any]:
        what = request.path[len(PREFIX) :].rstrip("/")
        method = request.method
        if what == "health":
            _check_method(method, "GET")
            return self._health()
        if self._off_because is not None:
            raise Refused(403, f"The control endpoints are off: {self._off_because}.")
        if self._credentials is not None:
            self._credentials.check(request)
        if what == "reset":
            _check_method(method, "POST")
            self._aws.reset()
            return {"status": "reset"}
        if what == "clock":
            _check_method(method, "GET")
            return self._time()
        if what == "clock/advance":
            _check_method(method, "POST")
            return self._advance(_object_in(request))
        parts = what.split("/")
        if len(parts) == 3 and parts[0] == "queues" and parts[2] == "messages":
            _check_method(method, "GET")
            return self._messages(unquote(parts[1]), dict(parse_qsl(request.query)))
        raise Refused(404, f"There is nothing at {request.path}.")

    def _health(self) -> dict[str, Any]:
        health: dict[str, Any] = {"status": "running", "version": queuestream.__version__}
        aws = self._aws
        if isinstance(aws, KeptBroker):
            if aws.broker().closed_because is not None:
                raise Refused(503, f"The queues and streams were closed: {aws.broker().closed_because}.")
            health |= {
                "data": aws.path.name,
                "durability": aws.durability,
            }
        return health

    def _time(self) -> dict[str, Any]:
        now_ns = self._aws.clock.now_ns()
        return {
            "virtual": isinstance(self._aws.clock, VirtualClock),
            "now": _instant(now_ns),
            "now_ns": now_ns,
        }

    def _advance(self, asked: dict[str, Any]) -> dict[str, Any]:
        clock = self._aws.clock
        if not isinstance(clock, VirtualClock):
            raise Refused(
                409,
                "This server runs on the machine's time. Start it with --virtual-clock to move time.",
            )
        if not asked or asked.keys() - _SECONDS.keys():
            raise Refused(400, f'Say by how much, in {", ".join(_SECONDS)}: {{"seconds": 30}}.')
        for name, amount in asked.items():
            left = (_LAST_SECOND - clock.now_ns() / SECOND) / _SECONDS[name] / len(asked)
            if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount <= left:
                raise Refused(400, f"The {name} must be a number, from 0 to the year 9999, not {amount!r}.")
        clock.advance(**asked)
        return self._time()

    def _messages(self, queue_name: str, parameters: dict[str, str]) -> dict[str, Any]:
        unknown = parameters.keys() - {"account", "region", "limit"}
        if unknown:
            raise Refused(400, f"There are the parameters account, region and limit, but no {min(unknown)}.")
        limit = parameters.get("limit", str(_PEEKED))
        if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and 1 <= int(limit) <= _PEEKED_MAX):
            raise Refused(400, f"The limit must be a number, 1 to {_PEEKED_MAX}, not {limit!r}.")
        aws = self._aws
        broker = aws.known_broker(
            parameters.get("account", aws.account_id), parameters.get("region", aws.region)
        )
        if broker is None:
            raise QueueDoesNotExist(queue_name)
        messages = broker.queue(queue_name).peek()
        return {"count": len(messages), "messages": [_message(message) for message in messages[: int(limit)]]}


def _check_method(method: str, wanted: str) -> None:
    if method != wanted:
        raise Refused(405, f"Use {wanted} here, not {method}.")


def _object_in(request: HttpRequest) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send JSON, and say so: Content-Type: application/json.")
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, 'The body must be a JSON object, such as {"seconds": 30}.')
    return asked


def _message(message: PeekedMessage) -> dict[str, Any]:
    attributes = {}
    for name, attribute in message.message_attributes.items():
        value: dict[str, Any] = {"DataType": attribute.data_type}
        if isinstance(attribute.value, bytes):
            value["BinaryValue"] = b64encode(attribute.value).decode()
        else:
            value["StringValue"] = str(attribute.value)
        attributes[name] = value
    found = {
        "MessageId": message.message_id,
        "Body": message.body,
        "State": message.state,
        "VisibleAt": _instant(message.visible_at_ns),
        "SentAt": _instant(message.sent_ns),
        "ReceiveCount": message.receive_count,
        "MessageAttributes": attributes or None,
        "MessageGroupId": message.message_group_id,
        "MessageDeduplicationId": message.message_deduplication_id,
        "SequenceNumber": message.sequence_number,
        "DeadLetterQueueSourceArn": message.dead_letter_queue_source_arn,
    }
    return {name: value for name, value in found.items() if value is not None}


def _instant(at_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_ns // (SECOND // 1_000_000))).isoformat()


def _json(status: int, answer: dict[str, Any]) -> HttpResponse:
    body = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    return HttpResponse(status, {"Content-Type": "application/json"}, body.encode(errors="replace"))
