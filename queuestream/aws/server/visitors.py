"""Which requests are let in at all, before anybody reads what they ask: browsers, and names of hosts.

A server on this machine can be reached by every web page that this machine's browser shows.  Programs
(SDKs, the AWS CLI, curl) are let in; what a page of another origin sends is not, unless it is allowed:

- It says `Origin`, or where it doesn't (an image, a link) `Sec-Fetch-Site`.  No page can change these.
- A page whose own name was made to point to this machine (DNS rebinding) is of the same origin for the
  browser, but says its name in `Host`.  So a name in `Host` must be one that nobody can point here from
  outside: an address, a name without dots, of a private kind (`.local`, `.internal`), or AWS's own.
  A server that checks signatures need not ask, since no page can sign.

Source: the Fetch standard's pages on `Origin` and on CORS, RFC 6761 and RFC 8375 for private names.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from queuestream.aws.front_end.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from queuestream.aws.front_end.http import Headers, HttpRequest

ANY_ORIGIN = "*"

_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".test", ".lan", ".home.arpa")
_AWS_NAMES = re.compile(
    r"(?:(?:sqs|kinesis)\.[a-z0-9-]+|(?:[a-z0-9-]+\.)?queue)\.amazonaws\.com(?:\.cn)?", re.ASCII
)
_EXPOSED = "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-query-error, x-amz-crc32, Content-Length, Date"
_METHODS = "GET, POST, OPTIONS"
_PREFLIGHT_SECONDS = "86400"
_NAMES_KEPT = 64


class Visitors:
    """Who may come in.

    Args:
        origins: Origins of web pages that may (`http://localhost:3000`), or `*` for all of them.
        hosts: More names by which this server may be called.
        any_host: Whether it may be called anything.
    """

    def __init__(
        self, origins: Collection[str] = (), hosts: Collection[str] = (), *, any_host: bool = False
    ) -> None:
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._hosts = {host.lower() for host in hosts}
        self._any_host = any_host
        self._known_hosts: set[str] = set()

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Why a request is not let in; None where it is."""
        headers = request.headers
        host = headers.get("host", "")
        if host not in self._known_hosts and not self._may_be_called(host):
            return _refused(
                f"This server does not answer for the host {host!r}. "
                "If it is yours, start the server with --allow-host."
            )
        origin = headers.get("origin")
        if origin is not None:
            if not self._may_come_from(origin, host):
                return _refused(
                    f"Web pages of {origin!r} may not use this server. "
                    f"If they are yours, start it with --cors {origin}."
                )
        elif headers.get("sec-fetch-site") in {"cross-site", "same-site"} and ANY_ORIGIN not in self._origins:
            return _refused("Web pages of other origins may not use this server.")
        return None

    def preflight(self, request: HttpRequest) -> HttpResponse | None:
        """The answer where a browser asks whether a page may send a request; None where it doesn't ask."""
        if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
            return None
        headers = {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        }
        if asked := request.headers.get("access-control-request-headers"):
            headers["Access-Control-Allow-Headers"] = asked
        if request.headers.get("access-control-request-private-network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return HttpResponse(204, headers, b"")

    def greeting(self, request: HttpRequest) -> Headers:
        """What an answer says to a browser, so that the page may read it."""
        origin = request.headers.get("origin")
        if origin is None or not self._is_allowed(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": _EXPOSED,
            "Vary": "Origin",
        }

    def _is_allowed(self, origin: str) -> bool:
        return ANY_ORIGIN in self._origins or origin.lower() in self._origins

    def _may_come_from(self, origin: str, host: str) -> bool:
        own = host.lower()
        return self._is_allowed(origin) or (
            bool(own) and origin.lower() in {f"http://{own}", f"https://{own}"}
        )

    def _may_be_called(self, host: str) -> bool:
        name = _name_in(host)
        if not (self._any_host or name in self._hosts or _is_private(name)):
            return False
        if len(self._known_hosts) < _NAMES_KEPT:
            self._known_hosts.add(host)
        return True


def _name_in(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_private(name: str) -> bool:
    if "." not in name and ":" not in name:
        return True
    if name.endswith(_PRIVATE_NAMES) or _AWS_NAMES.fullmatch(name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refused(sentence: str) -> HttpResponse:
    return HttpResponse(403, {"Content-Type": "text/plain; charset=utf-8"}, f"{sentence}\n".encode())
