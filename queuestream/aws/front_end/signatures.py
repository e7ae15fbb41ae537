"""Who signed a request, and whether the signature is right: AWS's Signature Version 4.

`scope_of` believes what a request says of itself (an access key id, a region, a service), which is all that
a server for tests needs.  `Credentials.check` believes nothing: it makes the signature again from the secret
key, and refuses with AWS's errors.  Both know the two places where a signature can stand, the Authorization
header and the query string of a presigned URL.

Requests are signed with the machine's time, by programs that know nothing of a virtual clock, so they
are checked against the machine's time, too: `Credentials` never asks the broker's clock.  A signature is
good for fifteen minutes before and after the instant in it, a presigned one until it expires; and in
that time more than once, as at AWS.

Source: the page "Create a signed AWS API request" of the IAM User Guide, and "Troubleshoot Signature
Version 4 signing for AWS API requests" for the sentences.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from queuestream.core.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queuestream.aws.front_end.http import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
WINDOW = timedelta(minutes=15)
PRESIGNED_SECONDS_MAX = 7 * 24 * 3_600

_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_TERMINATOR = "aws4_request"
_INSTANT = "%Y%m%dT%H%M%SZ"
_INSTANT_FORM = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SCOPE_IN_HEADER = re.compile(r"Credential=([^\s,/]+)/(\d{8})/([^\s,/]+)/([^\s,/]+)/", re.ASCII)
_SCOPE_IN_QUERY = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")
_SCOPE_PARTS = 5
_AUTHORITY = ":authority"  # what HTTP/2 has in place of the header Host
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_KEYS_KEPT = 256
# The parameters of a query that is signed, and what an Authorization header calls the same.
_IN_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
_IN_HEADER = ("Credential", "Signature", "SignedHeaders")
# Where one of these is in the request, it has to be signed: it says what is asked, or when.
_ALWAYS_SIGNED = ("x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target")
# What HTTP/2 calls the host, and JavaScript's SDK then signs instead of it.


class SignatureError(ServiceError):
    """A request whose signature is missing, malformed or wrong."""


class MissingAuthenticationToken(SignatureError):
    """The request is not signed at all."""

    code = "MissingAuthenticationTokenException"

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token")


class IncompleteSignature(SignatureError):
    """A part of the signature is missing, or malformed."""

    code = "IncompleteSignatureException"


class InvalidSignature(SignatureError):
    """The signature does not match, has expired, or is for something else.

    Attributes:
        canonical: The request as it should have been signed, in the words that AWS's JSON services
            add to the sentence; empty where the signature was not made again.
    """

    code = "InvalidSignatureException"

    def __init__(self, message: str, canonical: str = "") -> None:
        super().__init__(message)
        self.canonical = canonical


class UnrecognizedClient(SignatureError):
    """Nobody knows that access key id."""

    code = "UnrecognizedClientException"

    def __init__(self, access_key_id: str) -> None:
        super().__init__("The security token included in the request is invalid.")
        self.access_key_id = access_key_id


class Scope(NamedTuple):
    """What a signature is for."""

    access_key_id: str
    date: str
    region: str
    service: str


def scope_of(request: HttpRequest) -> Scope | None:
    """What a request says that it was signed for; None where it says nothing that can be read.

    Nothing is checked.
    """
    header = request.headers.get("authorization")
    if header is not None:
        found = _SCOPE_IN_HEADER.search(header)
        return None if found is None else Scope(*found.groups())
    if "X-Amz-Credential=" in request.query:
        found = _SCOPE_IN_QUERY.search(request.query)
        if found is not None:
            parts = _unquoted(found[1]).rsplit("/", _SCOPE_PARTS - 1)
            if len(parts) == _SCOPE_PARTS and all(parts):
                return Scope(*parts[:4])
    return None


class Signed(NamedTuple):
    """A signature's parts, complete and well-formed, and nothing said of whether it is right."""

    scope: Scope
    instant: datetime
    signed_headers: str
    signature: str
    expires: timedelta | None  # of a presigned URL

    @classmethod
    def of(cls, request: HttpRequest) -> Signed:
        """A request's signature.

        Raises:
            MissingAuthenticationToken: There is none.
            IncompleteSignature: Something of it is missing, or malformed.
            InvalidSignature: There are two, or its date is none, or not the one of its scope.
        """
        header = request.headers.get("authorization")
        query = _parameters(request.query)
        if header is None:
            if "X-Amz-Algorithm" not in query:
                raise MissingAuthenticationToken
            return _signed_in_query(query)
        if "X-Amz-Algorithm" in query:
            raise InvalidSignature(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
            )
        return _signed_in_header(header, request.headers)


class Credentials:
    """The access keys that may sign requests.

    Args:
        secrets: From access key ids to secret access keys.
        accounts: From access key ids to account ids, for those that have one of their own.
        now: What time it is; the machine's where none is given, because that is what clients sign with.
    """

    def __init__(
        self,
        secrets: Mapping[str, str],
        accounts: Mapping[str, str] | None = None,
        *,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._secrets = dict(secrets)
        self._accounts = dict(accounts or {})
        self._now = now or _machine_now
        self._keys: dict[tuple[str, str, str, str], bytes] = {}

    def __repr__(self) -> str:
        return f"<Credentials: {', '.join(self._secrets)}>"

    def account_of(self, access_key_id: str) -> str | None:
        """The account that an access key is of, None where nothing was said about it."""
        return self._accounts.get(access_key_id)

    def check(self, request: HttpRequest, service: str | None = None) -> Scope:
        """Let a request go on if one of these keys has signed it as it is.

        Args:
            request: With its body as it was sent.
            service: What it has to be signed for, `sqs` or `kinesis`; anything where None.

        Raises:
            SignatureError: It is not signed, or not rightly.
        """
        signed = Signed.of(request)
        scope = signed.scope
        secret = self._secrets.get(scope.access_key_id)
        if secret is None:
            raise UnrecognizedClient(scope.access_key_id)
        if _REGION.fullmatch(scope.region) is None:
            raise InvalidSignature("Credential should be scoped to a valid region.")
        if service is not None and scope.service != service:
            raise InvalidSignature(f"Credential should be scoped to correct service: '{service}'.")
        self._check_time(signed)
        canonical = _canonical_request(request, signed)
        instant = signed.instant.strftime(_INSTANT)
        to_sign = (
            f"{ALGORITHM}\n{instant}\n{scope.date}/{scope.region}/{scope.service}/{_TERMINATOR}\n"
            f"{hashlib.sha256(canonical.encode(errors='replace')).hexdigest()}"
        )
        expected = hmac.digest(self._key(secret, scope), to_sign.encode(errors="replace"), "sha256").hex()
        # As bytes, since what a client sends need not be ASCII.
        if not hmac.compare_digest(expected.encode(), signed.signature.encode(errors="replace")):
            raise InvalidSignature(
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. "
                "Consult the service documentation for details.",
                f"The Canonical String for this request should have been\n'{canonical}'\n\n"
                f"The String-to-Sign should have been\n'{to_sign}'\n",
            )
        return scope

    def _check_time(self, signed: Signed) -> None:
        now, instant = self._now(), signed.instant
        if instant > now + WINDOW:
            raise InvalidSignature(
                f"Signature not yet current: {instant:{_INSTANT}} is still later than "
                f"{now + WINDOW:{_INSTANT}} ({now:{_INSTANT}} + 15 min.)"
            )
        if signed.expires is not None:
            if instant + signed.expires < now:
                expired = instant + signed.expires
                raise InvalidSignature(
                    f"Signature expired: {expired:{_INSTANT}} is now earlier than {now:{_INSTANT}}"
                )
        elif instant < now - WINDOW:
            raise InvalidSignature(
                f"Signature expired: {instant:{_INSTANT}} is now earlier than "
                f"{now - WINDOW:{_INSTANT}} ({now:{_INSTANT}} - 15 min.)"
            )

    def _key(self, secret: str, scope: Scope) -> bytes:
        """The key that signs for a day, a region and a service; four digests the first time."""
        known = self._keys.get(scope)
        if known is None:
            known = f"AWS4{secret}".encode()
            for part in (scope.date, scope.region, scope.service, _TERMINATOR):
                known = hmac.digest(known, part.encode(), "sha256")
            if len(self._keys) >= _KEYS_KEPT:  # anybody can name a region
                self._keys.clear()
            self._keys[scope] = known
        return known


def _signed_in_header(header: str, headers: Mapping[str, str]) -> Signed:
    algorithm, _, rest = header.partition(" ")
    pieces = rest.split(",") if "," in rest else rest.split()
    parts = dict(piece.strip().partition("=")[::2] for piece in pieces)
    missing = [
        f"Authorization header requires '{name}' parameter." for name in _IN_HEADER if not parts.get(name)
    ]
    date = headers.get("x-amz-date") or headers.get("date")
    if date is None:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing or date is None:
        raise IncompleteSignature(f"{' '.join(missing)} Authorization={header}")
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm}'. Authorization={header}")
    return _signed(parts["Credential"], date, parts["SignedHeaders"], parts["Signature"], None)


def _signed_in_query(query: Mapping[str, str]) -> Signed:
    missing = [name for name in _IN_QUERY if not query.get(name)]
    if missing:
        sentences = [f"AWS query-string parameters must include '{name}'." for name in missing]
        raise IncompleteSignature(f"{' '.join(sentences)} Re-examine the query-string parameters.")
    algorithm, credential, signature, signed_headers, date = (query[name] for name in _IN_QUERY)
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    seconds = query.get("X-Amz-Expires", str(int(WINDOW.total_seconds())))
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 10):
        raise InvalidSignature("X-Amz-Expires should be a number")
    if int(seconds) > PRESIGNED_SECONDS_MAX:
        raise InvalidSignature(
            "X-Amz-Expires must be less than a week (in seconds); that is, "
            f"the given X-Amz-Expires must be less than {PRESIGNED_SECONDS_MAX} seconds"
        )
    return _signed(credential, date, signed_headers, signature, timedelta(seconds=int(seconds)))


def _signed(
    credential: str, date: str, signed_headers: str, signature: str, expires: timedelta | None
) -> Signed:
    parts = credential.split("/")
    if len(parts) != _SCOPE_PARTS or not all(parts):
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        )
    if parts[4] != _TERMINATOR:
        raise InvalidSignature(
            f"Credential should be scoped with a valid terminator: '{_TERMINATOR}', not '{parts[4]}'."
        )
    instant = _instant(date)
    if parts[1] != f"{instant:%Y%m%d}":
        raise InvalidSignature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{parts[1]}' != '{instant:%Y%m%d}', from '{date}'."
        )
    return Signed(Scope(*parts[:4]), instant, signed_headers, signature, expires)


def _instant(date: str) -> datetime:
    """The time in an X-Amz-Date, or in HTTP's own Date."""
    try:
        if _INSTANT_FORM.fullmatch(date):
            return datetime.strptime(date, _INSTANT).replace(tzinfo=UTC)
        # A year of four digits: what is before the year 1 in UTC is no date for Python.
        instant = parsedate_to_datetime(date)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise IncompleteSignature(
            "Date must be in ISO-8601 'basic format'. "
            f"Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None


def _canonical_request(request: HttpRequest, signed: Signed) -> str:
    headers = request.headers
    names = signed.signed_headers.split(";")
    if "host" not in names and _AUTHORITY not in names:
        raise InvalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in _ALWAYS_SIGNED:
        if name in headers and name not in names:
            raise InvalidSignature(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    lines = []
    for name in names:
        value = headers.get("host" if name == _AUTHORITY else name, "")
        lines.append(f"{name}:{' '.join(value.split())}\n")  # blanks in a row count as one
    if headers.get("x-amz-content-sha256") == _UNSIGNED_PAYLOAD:
        payload = _UNSIGNED_PAYLOAD
    else:
        payload = hashlib.sha256(request.body).hexdigest()
    query = _canonical_query(request.query) if request.query else ""
    path = "/" if request.path in {"", "/"} else _canonical_path(request.path)
    return f"{request.method}\n{path}\n{query}\n{''.join(lines)}\n{signed.signed_headers}\n{payload}"


def _canonical_path(path: str) -> str:
    """Without `.`, `..` and empty parts, and quoted again: what was sent as %20 is signed as %2520."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    return quote(f"/{'/'.join(kept)}{'/' if kept and path.endswith('/') else ''}", safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name and name != "X-Amz-Signature":
            pairs.append((_quoted_anew(name), _quoted_anew(value)))
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def _quoted_anew(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text).decode(errors="replace")


def _parameters(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True)) if "X-Amz-" in query else {}


def _machine_now() -> datetime:
    return datetime.now(UTC)
