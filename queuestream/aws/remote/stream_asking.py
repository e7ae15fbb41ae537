"""How a stream is asked about: by name or by ARN; and how it is waited for.

A call that leaves a stream CREATING, UPDATING or DELETING waits until it isn't any more, unless the broker's
option `wait` is off (`stream_waiting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.calls import Call, present
from queuestream.aws.remote.stream_waiting import wait_for
from queuestream.core.arns import parse_arn
from queuestream.core.streams import checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.listing import StreamDescriptionSummary


class Asking:
    """A stream that can be asked about.

    Args:
        name: The stream's name.
        arn: Its ARN.
        named: How requests name it: by name, or by ARN, which finds streams of other accounts, too.
        wait: Whether calls wait until what they began is done.
    """

    def __init__(self, name: str, arn: str, named: Mapping[str, str], *, wait: bool) -> None:
        self.name = name
        self.arn = arn
        self._named = named
        self._wait = wait

    @property
    def _account_id(self) -> str:
        arn = parse_arn(self.arn)
        return "" if arn is None else arn.account_id

    @property
    def _shown(self) -> str:
        """The stream as AWS's sentences name it."""
        return f"Stream {self.name} under account {self._account_id}"

    # --- how it asks ---

    def _call(self, operation: str, **members: Any) -> Call:
        """A request about this stream."""
        return Call("kinesis", operation, {**self._named, **present(**members)})

    def _call_by_arn(self, operation: str, **members: Any) -> Call:
        """The same for operations that know streams by ARN only."""
        return Call("kinesis", operation, present(StreamARN=self.arn, **members))

    def _change(self, call: Call) -> Steps[Any]:
        """Ask for a change, and wait until it is made."""
        answer = yield call
        if self._wait:
            yield from self.until_active()
        return answer

    def until_active(self) -> Steps[None]:
        """Return when the stream is ACTIVE."""
        yield from wait_for("ACTIVE", self.status, self._shown)

    # --- what it says about itself ---

    def status(self) -> Steps[str]:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`."""
        summary = yield from self.describe_summary()
        return summary.stream_status

    def created_at_ns(self) -> Steps[int]:
        """When the stream was made, with AWS's precision."""
        summary = yield from self.describe_summary()
        return checks.check_timestamp(summary.stream_creation_timestamp, "streamCreationTimestamp")

    def describe_summary(self) -> Steps[StreamDescriptionSummary]:
        """The stream without its shards."""
        answer = yield self._call("DescribeStreamSummary")
        return values.stream_description_summary(answer["StreamDescriptionSummary"])


def of_resource(operation: str, arn: str, **members: Any) -> Call:
    """A request about a stream or a consumer, whichever the ARN names."""
    return Call("kinesis", operation, {"ResourceARN": arn, **members})
