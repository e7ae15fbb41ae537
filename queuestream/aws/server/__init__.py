"""SQS and Kinesis over HTTP, for every SDK and the AWS CLI.

    serving         `serve`, the server, its socket and its end
    connections     HTTP/1.1 by uvicorn and httptools; which HTTP a client speaks
    http2           HTTP/2 by h2
    application     the ASGI application: HTTP to the front end and back
    waiting         long polls and subscriptions, without a thread each
    visitors        web pages of other origins, and names of hosts
    control         /_queuestream/: health, reset, clock, peek
    manual_clock    virtual time that moves when it is told to

Needs the extra `server`.
"""

from __future__ import annotations

from queuestream.aws.server.serving import CannotListen, Server, Settings, serve

__all__ = ["CannotListen", "Server", "Settings", "serve"]
