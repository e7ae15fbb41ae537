"""The ways in: one interface, that of a `Broker`, in front of each way in which a program reaches one.

A parity test is written once, in the native API's style, against the fixtures `broker`, `queue`, `fifo_queue`
and `clock`, and runs on every way in:

    core                    `Broker`, as it is
    core replayed           before each call rebuilt from nothing but the changes that were heard
    core reopened           in a file, which before each call is closed, or left by a kill, and opened again
    operations              the table of AWS's operations, called without a client
    boto3 in process        a boto3 client, answered in this process
    boto3 over HTTP         the same, through a server's socket
    aiobotocore in process  an aiobotocore client, answered in this process

What a broker here can do:

    create_queue · queue · list_queues · start_message_move_task · list_message_move_tasks
    cancel_message_move_task · clock
    create_stream · stream · list_streams · delete_stream · describe_stream_limits

A queue has the operations, names and values of `queuestream.Queue`, as far as SQS has them: `send`,
`send_batch`, `receive`, `delete`, `change_visibility`, `attributes`, `counts()` and so on, but no `peek`.
Whatever is refused raises something with AWS's `code` and `message`; `refused(code, message)` expects it.

How a way is made.  The AWS ways (`aws_ways.py`, `client_ways.py`) differ in one method,
`call(service, operation, request)`.  What they make of it is written once for queues (`aws_queues.py`) and
once for streams (`aws_streams.py`), as a mix-in of `AwsWay` that offers the core's names: it builds AWS's
request from the arguments, calls, and gives back a value with the core's attributes.  So, to add

- an operation: one method in the mix-in, and nothing for the core ways, which have it already;
- a kind of thing that a core way hands out (as `Queue` is): its class in `core_ways.py`, `_outside`;
- a way in: a class with `name`, `open(settings)`, `reset()` and `call`, in `WAYS` below.

A way that takes seconds is in `SLOW`, and its tests are among the slow ones.

A way is opened once for each set of settings (`@pytest.mark.settings(queue_limits=..., stream_settings=...)`,
those of `Aws`), and reset before each test: queues and streams are gone, its clock goes on from where it was.

`docs/reference/parity.md` is made from the tests: run `python tests/parity/parity_page.py` after a change.
"""

from drivers.aws_ways import OperationsWay
from drivers.client_ways import AiobotocoreInProcess, Boto3InProcess, Boto3OverHttp
from drivers.core_ways import CoreWay, ReopenedWay, ReplayedWay

WAYS = (
    CoreWay,
    ReplayedWay,
    ReopenedWay,
    OperationsWay,
    Boto3InProcess,
    Boto3OverHttp,
    AiobotocoreInProcess,
)
"""Every way in that there is."""

SLOW = (ReplayedWay, ReopenedWay, Boto3OverHttp, AiobotocoreInProcess)
"""Those that take seconds."""

REBUILT = (ReplayedWay.name, ReopenedWay.name)
"""Those that have nothing at each call but the state that the last one left."""
