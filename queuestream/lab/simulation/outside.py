"""What a simulation has nothing of: sockets, pipes, other processes.

Whatever would leave the process cannot be repeated from a seed, so asking for it is an error that says
what to do instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from queuestream.core.errors import NotSimulated

if TYPE_CHECKING:
    from collections.abc import Callable

_REFUSED = {
    "network": (
        "getaddrinfo getnameinfo create_connection create_server create_unix_connection create_unix_server "
        "connect_accepted_socket create_datagram_endpoint sendfile start_tls sock_recv sock_recv_into "
        "sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto sock_connect sock_accept sock_sendfile "
        "add_reader remove_reader add_writer remove_writer"
    ),
    "other processes": "subprocess_shell subprocess_exec connect_read_pipe connect_write_pipe",
}
_ADVICE = {
    "network": (
        "Answer clients of AWS within the process by mock_aws(clock=world.clock), use world.aio, "
        "or put something else in the place of what connects."
    ),
    "other processes": "Put something else in the place of what starts or talks to one.",
}


class OutsideWorld(asyncio.AbstractEventLoop):
    """The part of an event loop that refuses."""


def _refusing(operation: str, what: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise NotSimulated(f"A simulation has no {what}, so there is no loop.{operation}(). {_ADVICE[what]}")

    refuse.__name__ = operation
    return refuse


for _what, _operations in _REFUSED.items():
    for _operation in _operations.split():
        setattr(OutsideWorld, _operation, _refusing(_operation, _what))
