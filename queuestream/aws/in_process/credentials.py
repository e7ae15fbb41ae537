"""Stand-in credentials: where real ones are absent, or would have to be fetched over the network.

Nothing here is checked by anybody; an access key id of twelve digits names the account that calls.
Credentials that are there (given in code, in the environment, in a file) are left as they are.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.credentials import Credentials, RefreshableCredentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEY = "queuestream"
# The parameters of `create_client`, in order.
_PARAMETERS = (
    "service_name",
    "region_name",
    "api_version",
    "use_ssl",
    "verify",
    "endpoint_url",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "config",
    "aws_account_id",
)
# What asks a metadata service for credentials as soon as it is asked itself.
_ON_THE_NETWORK = {"container-role", "iam-role"}


def is_async(client: Any) -> bool:
    """Whether a client is aiobotocore's."""
    module = sys.modules.get("aiobotocore.client")
    return module is not None and isinstance(client, module.AioBaseClient)


def stand_in(credentials: Any, *, is_async: bool) -> Any:
    """Credentials that can sign at once, in place of none, or of those that would be fetched when used."""
    if credentials is not None and not isinstance(credentials, RefreshableCredentials):
        return credentials
    kind = sys.modules["aiobotocore.credentials"].AioCredentials if is_async else Credentials
    # What was fetched already is as good as ever; the attributes behind the properties fetch nothing.
    key, secret, token = (
        getattr(credentials, name, None) for name in ("_access_key", "_secret_key", "_token")
    )
    return kind(key or _KEY, secret or _KEY, token)


def completing(region_for: Callable[[dict[str, Any]], str | None], create_client: Any) -> Any:
    """A session's `create_client` that needs neither credentials nor a region.

    What is there is used, as long as it is found without asking the network.

    Args:
        region_for: Which region a client gets whose call, by its arguments, is for us; None where it isn't.
        create_client: The session's own.
    """

    def create(session: Any, *args: Any, **kwargs: Any) -> Any:
        arguments = {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        region = region_for(arguments)
        if region is not None:
            _name_region(session, arguments, region)
            if _looks_for_credentials(session, arguments):
                given = (provider.load() for provider in _local_providers(session))
                _found(session, arguments, next((one for one in given if one is not None), None))
        return create_client(session, **arguments)

    return create


def completing_async(region_for: Callable[[dict[str, Any]], str | None], create_client: Any) -> Any:
    """The same for aiobotocore's sessions."""

    async def create(session: Any, *args: Any, **kwargs: Any) -> Any:
        arguments = {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        region = region_for(arguments)
        if region is not None:
            _name_region(session, arguments, region)
            if _looks_for_credentials(session, arguments):
                given = None
                for provider in _local_providers(session):
                    given = await provider.load()
                    if given is not None:
                        break
                _found(session, arguments, given)
        return await create_client(session, **arguments)

    return create


def _name_region(session: Any, arguments: dict[str, Any], region: str) -> None:
    """Name a region where nothing else does."""
    if (
        arguments.get("region_name") is None
        and getattr(arguments.get("config"), "region_name", None) is None
        and session.get_config_variable("region") is None
    ):
        arguments["region_name"] = region


def _looks_for_credentials(session: Any, arguments: dict[str, Any]) -> bool:
    return not (
        arguments.get("aws_access_key_id")
        or arguments.get("aws_secret_access_key")
        or getattr(arguments.get("config"), "signature_version", None) is UNSIGNED
        or session._credentials is not None
    )


def _local_providers(session: Any) -> Iterator[Any]:
    """Who may know a session's credentials without asking the network."""
    resolver = session.get_component("credential_provider")
    for provider in getattr(resolver, "providers", ()):
        if getattr(provider, "METHOD", None) not in _ON_THE_NETWORK:
            yield provider


def _found(session: Any, arguments: dict[str, Any], credentials: Any) -> None:
    if credentials is not None:
        session._credentials = credentials
    else:
        arguments["aws_access_key_id"] = arguments["aws_secret_access_key"] = _KEY
