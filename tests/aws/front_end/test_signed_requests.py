"""Signatures: what a request says of itself, and whether it is true.  botocore's own signer is the judge."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from queuestream.aws.front_end import signatures
from queuestream.aws.front_end.http import HttpRequest
from queuestream.aws.front_end.signatures import (
    Credentials,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    Scope,
    SignatureError,
    UnrecognizedClient,
    scope_of,
)

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HOST = "localhost:4566"


@pytest.fixture
def credentials():
    return Credentials({KEY_ID: SECRET})


def signed(
    signer=SigV4Auth,
    *,
    method="POST",
    path="/",
    query="",
    body=b"{}",
    headers=(),
    key_id=KEY_ID,
    secret=SECRET,
    service="sqs",
    region="eu-west-1",
    **options,
):
    """A request as botocore signs it now, and as a server sees it."""
    url = f"http://{HOST}{path}" + (f"?{query}" if query else "")
    sent = (
        {"Content-Type": "application/x-amz-json-1.0", **dict(headers)} if method == "POST" else dict(headers)
    )
    request = AWSRequest(method, url, headers=sent, data=body)
    signer(BotocoreCredentials(key_id, secret), service, region, **options).add_auth(request)
    received = {name.lower(): value for name, value in request.headers.items()}
    _, _, query = request.url.partition("?")
    return HttpRequest(method, path, query, {"host": HOST, **received}, body)


class SignsTheAuthority(SigV4Auth):
    """Signs as JavaScript's SDK does over HTTP/2, which has no Host."""

    def headers_to_sign(self, request):
        headers = super().headers_to_sign(request)
        headers[":authority"] = headers["host"]
        del headers["host"]
        return headers


def presigned(expires=300, **changes):
    return signed(SigV4QueryAuth, method="GET", body=b"", expires=expires, **changes)


def at(instant):
    """Credentials at another time."""
    return Credentials({KEY_ID: SECRET}, now=lambda: instant)


# --- what a request says ---


def test_a_signed_request_says_what_it_was_signed_for():
    today = f"{datetime.now(UTC):%Y%m%d}"
    assert scope_of(signed()) == Scope(KEY_ID, today, "eu-west-1", "sqs")
    assert scope_of(presigned()) == Scope(KEY_ID, today, "eu-west-1", "sqs")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer x",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e",
        "AWS4 Credential=//20250101///",
    ],
)
def test_what_cannot_be_read_says_nothing(header):
    assert scope_of(HttpRequest("POST", "/", "", {"authorization": header}, b"")) is None


@pytest.mark.parametrize(
    "query", ["", "a=b", "X-Amz-Credential=", "X-Amz-Credential=a/b", "X-Amz-Credential=%FF"]
)
def test_a_query_that_cannot_be_read_says_nothing(query):
    assert scope_of(HttpRequest("GET", "/", query, {}, b"")) is None


# --- what is right ---


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff" * 1_000])
@pytest.mark.parametrize("path", ["/", "/123456789012/emails", "/a%20b/%C3%A9.fifo", "//x/./y/../z/"])
@pytest.mark.parametrize("query", ["", "b=2&a=1&a=0", "Action=SendMessage&MessageBody=a%20b%2Fc~&Empty="])
def test_what_botocore_signs_is_right(credentials, body, path, query):
    scope = credentials.check(signed(path=path, query=query, body=body), "sqs")
    assert scope.access_key_id == KEY_ID


@pytest.mark.parametrize("query", ["", "Action=ReceiveMessage&MaxNumberOfMessages=10", "a=%2F%20&A=*'()"])
def test_what_botocore_presigns_is_right(credentials, query):
    request = presigned(path="/123456789012/emails", query=query)

    assert credentials.check(request, "sqs").region == "eu-west-1"


def test_headers_are_signed_without_the_blanks_around_and_in_them(credentials):
    request = signed(headers={"X-Amz-Meta": "  much   too  wide "})

    credentials.check(request)


def test_a_payload_may_be_left_unsigned(credentials):
    request = signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    request.body = b"another one"

    credentials.check(request)


def test_the_payload_s_digest_in_a_header_is_not_believed(credentials):
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    request = signed(headers={"X-Amz-Content-SHA256": digest})
    credentials.check(request)
    request.body = b"another one"

    with pytest.raises(InvalidSignature):
        credentials.check(request)


def test_the_date_may_stand_in_http_s_own_header(credentials):
    request = signed(headers={"Date": "any"})
    assert "x-amz-date" not in request.headers

    credentials.check(request)


def test_several_keys_may_sign_each_with_its_account():
    credentials = Credentials({KEY_ID: SECRET, "OTHER": "shh"}, {"OTHER": "210987654321"})

    assert credentials.check(signed(key_id="OTHER", secret="shh")).access_key_id == "OTHER"
    assert credentials.account_of("OTHER") == "210987654321"
    assert credentials.account_of(KEY_ID) is None


def test_secrets_are_not_shown(credentials):
    assert repr(credentials) == "<Credentials: AKIDEXAMPLE>"


def test_a_key_for_many_regions_does_not_fill_the_memory(credentials):
    for number in range(300):
        credentials.check(signed(region=f"region-{number}"))

    assert len(credentials._keys) <= 256


@given(st.text(alphabet="/.ab~-_%2F", max_size=20).map(lambda path: f"/{path}"))
def test_paths_are_made_canonical_as_botocore_does_it(path):
    assert signatures._canonical_path(path) == SigV4Auth(None, "sqs", "us-east-1")._normalize_url_path(path)


# --- what is wrong ---


def changed(request, **changes):
    for name, value in changes.items():
        setattr(request, name, value)
    return request


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/123456789012/others"},
        {"query": "Action=PurgeQueue"},
        {"body": b"{ }"},
        {"body": b""},
    ],
    ids=str,
)
def test_a_request_that_is_not_the_one_that_was_signed_is_refused(credentials, change):
    with pytest.raises(InvalidSignature, match=r"^The request signature we calculated does not match"):
        credentials.check(changed(signed(), **change))


@pytest.mark.parametrize("name", ["host", "content-type", "x-amz-target", "x-amz-date"])
def test_a_signed_header_cannot_be_changed(credentials, name):
    request = signed(headers={"X-Amz-Target": "AmazonSQS.SendMessage"})
    request.headers[name] = "20250101T000000Z" if name == "x-amz-date" else "other"

    with pytest.raises(InvalidSignature):
        credentials.check(request)


def test_an_operation_that_was_not_signed_cannot_be_added(credentials):
    request = signed()
    request.headers["x-amz-target"] = "AmazonSQS.PurgeQueue"

    with pytest.raises(InvalidSignature, match="'x-amz-target' must be a 'SignedHeader'"):
        credentials.check(request)


def test_the_host_has_to_be_signed(credentials):
    request = signed()
    request.headers["authorization"] = request.headers["authorization"].replace("host;", "")

    with pytest.raises(InvalidSignature, match="'Host' or ':authority' must be a 'SignedHeader'"):
        credentials.check(request)


def test_the_host_may_be_signed_under_its_name_in_http_2(credentials):
    request = signed(SignsTheAuthority)
    assert "SignedHeaders=:authority;" in request.headers["authorization"]
    credentials.check(request)

    request.headers["host"] = "elsewhere:4566"
    with pytest.raises(InvalidSignature, match="does not match"):
        credentials.check(request)


@pytest.mark.parametrize("position", [0, 31, 63])
def test_one_digit_of_the_signature_is_enough_to_be_refused(credentials, position):
    request = signed()
    start, _, signature = request.headers["authorization"].partition("Signature=")
    digit = "0" if signature[position] != "0" else "1"
    signature = signature[:position] + digit + signature[position + 1 :]
    request.headers["authorization"] = f"{start}Signature={signature}"

    with pytest.raises(InvalidSignature):
        credentials.check(request)


def test_the_wrong_secret_is_told_what_should_have_been_signed(credentials):
    with pytest.raises(InvalidSignature) as refused:
        credentials.check(signed(secret="wrong"))

    assert refused.value.message.endswith("Consult the service documentation for details.")
    assert refused.value.canonical.startswith(
        "The Canonical String for this request should have been\n'POST\n/\n\ncontent-type:"
    )
    assert SECRET not in str(vars(refused.value))


def test_an_unknown_key_is_nobody(credentials):
    with pytest.raises(UnrecognizedClient, match=r"^The security token included in the request is invalid.$"):
        credentials.check(signed(key_id="AKIDSTRANGER"))


def test_an_unsigned_request_has_no_token(credentials):
    with pytest.raises(MissingAuthenticationToken, match=r"^Missing Authentication Token$"):
        credentials.check(HttpRequest("POST", "/", "Action=ListQueues", {"host": HOST}, b""))


def test_two_signatures_are_one_too_many(credentials):
    request = signed()
    request.query = presigned().query

    with pytest.raises(InvalidSignature, match="Found both 'X-Amz-Algorithm'"):
        credentials.check(request)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (
            "AWS4-HMAC-SHA256",
            "requires 'Credential' parameter. .*'Signature' parameter. .*'SignedHeaders' parameter.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=ff",
            "exactly 5 slash-delimited elements",
        ),
        ("Bearer abc", "requires 'Credential' parameter. .* Authorization=Bearer abc$"),
        ("", "requires 'Credential' parameter."),
        # What there is of it is found between blanks, too, and whatever it is called.
        (
            "AWS4- Signature=b Credential=a",
            "^Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4- ",
        ),
        (
            "AWS4-HMAC-SHA512 Credential=a/b/c/d/e, SignedHeaders=host, Signature=ff",
            "^Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'. ",
        ),
    ],
)
def test_half_a_signature_is_incomplete(credentials, header, sentence):
    request = signed()
    request.headers["authorization"] = header

    with pytest.raises(IncompleteSignature, match=sentence):
        credentials.check(request)


def test_a_signature_without_a_date_is_incomplete(credentials):
    request = signed()
    del request.headers["x-amz-date"]

    with pytest.raises(IncompleteSignature, match="existence of either a 'X-Amz-Date' or a 'Date' header"):
        credentials.check(request)


@pytest.mark.parametrize(
    "date", ["yesterday", "2025-01-01T00:00:00Z", "20251301T000000Z", "Mon, 99 Jan 2025", "9" * 99]
)
def test_a_date_that_is_none_is_incomplete(credentials, date):
    request = signed()
    request.headers["x-amz-date"] = date

    with pytest.raises(IncompleteSignature, match="Date must be in ISO-8601"):
        credentials.check(request)


@pytest.mark.parametrize(
    "name", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"]
)
def test_half_a_presigned_url_is_incomplete(credentials, name):
    request = presigned()
    request.query = "&".join(pair for pair in request.query.split("&") if not pair.startswith(name + "="))

    with pytest.raises(SignatureError) as refused:
        credentials.check(request)
    if name == "X-Amz-Algorithm":
        assert isinstance(refused.value, MissingAuthenticationToken)
    else:
        assert str(refused.value).startswith(f"AWS query-string parameters must include '{name}'.")


@pytest.mark.parametrize(
    ("seconds", "sentence"), [(604_801, "must be less than a week"), ("x", "should be a number")]
)
def test_a_presigned_url_lasts_a_week_at_most(credentials, seconds, sentence):
    with pytest.raises(InvalidSignature, match=sentence):
        credentials.check(presigned(expires=seconds))


@pytest.mark.parametrize(
    "change", [{"query": "Action=PurgeQueue"}, {"path": "/123456789012/others"}], ids=str
)
def test_a_presigned_url_cannot_be_changed(credentials, change):
    request = presigned(path="/123456789012/emails", query="Action=ReceiveMessage")
    if "query" in change:
        request.query = request.query.replace("Action=ReceiveMessage", change["query"])
    else:
        request.path = change["path"]

    with pytest.raises(InvalidSignature):
        credentials.check(request)


# --- what it is for, and when ---


def test_a_signature_is_for_one_service(credentials):
    with pytest.raises(
        InvalidSignature, match=r"^Credential should be scoped to correct service: 'kinesis'.$"
    ):
        credentials.check(signed(service="sqs"), "kinesis")


def test_a_region_is_a_name(credentials):
    with pytest.raises(InvalidSignature, match=r"^Credential should be scoped to a valid region.$"):
        credentials.check(signed(region="nowhere at all"))


def test_a_scope_ends_as_all_scopes_do(credentials):
    request = signed()
    request.headers["authorization"] = request.headers["authorization"].replace(
        "aws4_request", "aws5_request"
    )

    with pytest.raises(InvalidSignature, match="valid terminator: 'aws4_request', not 'aws5_request'"):
        credentials.check(request)


def test_a_scope_s_day_is_the_signature_s(credentials):
    request = signed()
    today = f"{datetime.now(UTC):%Y%m%d}"
    request.headers["authorization"] = request.headers["authorization"].replace(today, "20200101")

    with pytest.raises(InvalidSignature, match=r"^Date in Credential scope does not match YYYYMMDD"):
        credentials.check(request)


def test_a_signature_is_good_for_fifteen_minutes_before_and_after():
    request = signed()
    signed_at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    window, second = timedelta(minutes=15), timedelta(seconds=1)

    at(signed_at + window).check(request)
    at(signed_at - window).check(request)
    with pytest.raises(InvalidSignature) as late:
        at(signed_at + window + second).check(request)
    with pytest.raises(InvalidSignature) as early:
        at(signed_at - window - second).check(request)

    written = "%Y%m%dT%H%M%SZ"
    assert late.value.message == (
        f"Signature expired: {signed_at:{written}} is now earlier than {signed_at + second:{written}} "
        f"({signed_at + window + second:{written}} - 15 min.)"
    )
    assert early.value.message == (
        f"Signature not yet current: {signed_at:{written}} "
        f"is still later than {signed_at - second:{written}} "
        f"({signed_at - window - second:{written}} + 15 min.)"
    )


def test_a_presigned_url_is_good_until_it_expires():
    request = presigned(expires=3_600)
    signed_at = datetime.now(UTC).replace(microsecond=0)

    at(signed_at + timedelta(seconds=3_595)).check(request)
    with pytest.raises(InvalidSignature, match=r"^Signature expired: "):
        at(signed_at + timedelta(seconds=3_601)).check(request)


# --- hostile ---


@given(
    header=st.none()
    | st.text(max_size=80)
    | st.text(max_size=60).map(lambda text: f"AWS4-HMAC-SHA256 {text}"),
    query=st.text(max_size=80)
    | st.text(max_size=60).map(lambda text: f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{text}"),
    date=st.none() | st.text(max_size=30) | st.from_regex(r"[0-9]{8}T[0-9]{6}Z", fullmatch=True),
)
def test_whatever_is_sent_is_refused_in_words(header, query, date):
    headers = {"host": HOST}
    if header is not None:
        headers["authorization"] = header
    if date is not None:
        headers["x-amz-date"] = date
    request = HttpRequest("POST", "/", query, headers, b"")

    scope_of(request)
    with pytest.raises(SignatureError):
        Credentials({KEY_ID: SECRET}).check(request)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_signed_by_a_stranger_is_refused_in_words(signature, names, region):
    request = signed()
    today = f"{datetime.now(UTC):%Y%m%d}"
    request.headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{today}/{region}/sqs/aws4_request, "
        f"SignedHeaders=host;x-amz-date;{names}, Signature={signature}"
    )

    with pytest.raises(SignatureError):
        Credentials({KEY_ID: SECRET}).check(request)
