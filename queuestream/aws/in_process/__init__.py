"""boto3 and aiobotocore, answered in this process: no socket, no thread, no credentials.

    mock.py           `mock_aws`: what a `with`, a decorator and a fixture have in common
    decorating.py     a function, a coroutine function, a generator or a class inside such a `with`
    wiring.py         `wire`: one client or one session, and nothing else in the process is touched
    worlds.py         which of the open `mock_aws` is meant, here and now
    patches.py        what of botocore and aiobotocore is replaced while one is open
    connection.py     one client's way in: answered at once, or through botocore whole
    carrier.py        what stands where botocore's endpoint would open a socket
    sleeping.py       waiters and retries, on the clock
    credentials.py    stand-ins where real credentials are absent or would have to be fetched

Two paths.  A request whose parameters are plainly fine, from a client where nobody listens to what happens
on the wire, is answered by its operation at once.  Everything else goes through botocore whole (validation,
serialising, signing, the user's handlers, retries, parsing), and only the sending itself is answered here.
"""

from __future__ import annotations

from queuestream.aws.in_process.mock import mock_aws as mock_aws
from queuestream.aws.in_process.wiring import wire as wire
