"""Every operation of SQS and Kinesis, one short function each: from AWS's names to the core's and back.

One table, shared by every carrier.  A function gets a `Caller` and a request that is well-formed (AWS's
types; for Kinesis AWS's constraints, too).  An `if` about semantics in it would be a rule in the wrong place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.operations.kinesis import KINESIS
from queuestream.aws.operations.sqs import SQS

if TYPE_CHECKING:
    from queuestream.aws.calls import Operation

OPERATIONS: dict[str, dict[str, Operation]] = {"sqs": SQS, "kinesis": KINESIS}
"""By service and AWS's name."""
