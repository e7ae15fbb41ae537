"""The server itself: a socket, an event loop, and a graceful end.

    >>> from queuestream.aws.server import serve
    >>> with serve(port=0) as server:
    ...     server.endpoint_url
    'http://127.0.0.1:...'

`with` runs it in a thread of its own; `Server.run` in the caller's, until a signal ends it, which is
what `queuestream serve` does.  Either way there is one event loop, uvloop's where it is installed,
and uvicorn drives it.  When it stops, it takes no more connections, lets those who wait have an answer
(see `waiting`), and closes when all are answered.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import signal
import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

import attrs
import uvicorn

from queuestream.aws.accounts import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, Aws
from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.front_end.signatures import Credentials
from queuestream.aws.server.application import Application
from queuestream.aws.server.connections import Http1
from queuestream.aws.server.control import Control
from queuestream.aws.server.manual_clock import ManualClock
from queuestream.aws.server.visitors import Visitors
from queuestream.aws.server.waiting import Waiting
from queuestream.core import bystanders
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues.consistency import AT_ONCE, EVENTUAL
from queuestream.core.queues.limits import AWS_LIMITS
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.aws.one_broker import KeptBroker
    from queuestream.core.delivery import Delivery
    from queuestream.storage.store import Durability

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 4566
BODY_BYTES_MAX = 16 * 1024 * 1024
CONNECTIONS_MAX = 1_000

_KEEP_ALIVE_SECONDS = 75
_SWEEP_SECONDS = 5.0
_GRACE_SECONDS = 5
_NAP_SECONDS = 0.002
_BACKLOG = 2_048


class CannotListen(QueuestreamError):
    """The server's address cannot be had."""


@attrs.frozen(kw_only=True)
class Settings:
    """How a server is reached, and by whom.

    Attributes:
        host: The address that it listens on.
        port: Its port; any free one where 0.
        access_keys: Secret access keys by access key id; where there are any, all else is refused.
        accounts: Account ids by access key id, for those that have one of their own.
        control: Whether the endpoints below `/_queuestream/` answer.
        cors: Origins of web pages that may use it, or `*`.
        allowed_hosts: More names by which it may be called.
        body_bytes_max: The longest body of a request.
        connections_max: How many connections it has at a time.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    access_keys: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    accounts: Mapping[str, str] = attrs.field(factory=dict)
    control: bool = True
    cors: Collection[str] = ()
    allowed_hosts: Collection[str] = ()
    body_bytes_max: int = BODY_BYTES_MAX
    connections_max: int = CONNECTIONS_MAX

    def control_is_off_because(self) -> str | None:
        """Why the control endpoints don't answer; None where they do."""
        if not self.control:
            return "it was started so"
        if not self.access_keys and not is_loopback(self.host):
            return f"anybody can reach {self.host}; start it with --access-key, or on 127.0.0.1"
        return None


class Server:
    """SQS and Kinesis over HTTP; see `serve`.

    Attributes:
        aws: The accounts and regions that it serves.
        settings: How it is reached.
    """

    def __init__(
        self, aws: Aws, settings: Settings, faults: FaultPlan | None = None, data: KeptBroker | None = None
    ) -> None:
        if isinstance(aws.clock, VirtualClock) and not isinstance(aws.clock, ManualClock):
            raise TypeError(
                "A server's clients wait in other processes, where a VirtualClock cannot see them: "
                "give it a ManualClock, or say serve(virtual_clock=True)."
            )
        self.aws = aws
        self.settings = settings
        self._faults = faults
        self._data = data
        self._waiting = Waiting(aws.clock)
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._uvicorn: _Uvicorn | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        if self._port is None:
            return f"<Server: not started, {self.aws!r}>"
        return f"<Server {self.endpoint_url}: {self.waiting} waiting, {self.aws!r}>"

    @property
    def port(self) -> int:
        """The port that it listens on.

        Raises:
            RuntimeError: It has not been started.
        """
        if self._port is None:
            raise RuntimeError("The server has no port before it is started.")
        return self._port

    @property
    def waiting(self) -> int:
        """How many clients wait for an answer: long polls and subscriptions."""
        return len(self._waiting)

    @property
    def endpoint_url(self) -> str:
        """What clients are given as their endpoint URL."""
        host = self.settings.host
        if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - one cannot connect to "everywhere"
            host = DEFAULT_HOST
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    # --- in a thread ---

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve in a thread of its own, from now on.

        Raises:
            CannotListen: The port is taken, or the address is not this machine's.
            RuntimeError: It serves already.
            BrokerClosed: It has stopped, and let its file go.
        """
        if self._thread is not None:
            raise RuntimeError(f"{self!r} serves already.")
        listening = self._listen()
        self._started.clear()
        self._thread = threading.Thread(
            target=self._run_in_thread, args=(listening,), name="queuestream server", daemon=True
        )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.stop()

    def stop(self) -> None:
        """Answer everybody who waits, and serve no longer; stopping again changes nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            self._let_data_go()
            return
        if self._uvicorn is not None:
            self._uvicorn.ask_to_stop()
        thread.join()
        self._let_data_go()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def reset(self) -> None:
        """Forget every queue and stream, as `POST /_queuestream/reset` does.

        Raises:
            NotSupportedByEngine: A file keeps them.
        """
        self.aws.reset()

    def _run_in_thread(self, listening: socket.socket) -> None:
        # It brings about what its clients ask for; uvloop's C code would not show that it waits for them.
        ident = threading.get_ident()
        bystanders.uninvolved.add(ident)
        try:
            with listening:
                self._serve(listening, self._started.set)
        except BaseException as failure:  # noqa: BLE001 - it is raised where the server was started
            self._failure = failure
        finally:
            bystanders.uninvolved.discard(ident)
            self._started.set()

    # --- in the caller's thread ---

    def run(self, ready: Callable[[Server], object] = lambda _: None) -> None:
        """Serve in this thread until SIGTERM or SIGINT comes.

        Args:
            ready: Called as soon as clients can connect.

        Raises:
            CannotListen: The port is taken, or the address is not this machine's.
            BrokerClosed: The file could not be written any more; opening it again gives what was kept.
        """
        try:
            with self._listen() as listening:
                self._serve(listening, lambda: ready(self))
        finally:
            self._let_data_go()

    def _let_data_go(self) -> None:
        """Close the file that was opened for this server."""
        if self._data is not None:
            self._data.close()

    def _listen(self) -> socket.socket:
        try:
            return self._bound()
        except CannotListen:
            self._let_data_go()
            raise

    def _bound(self) -> socket.socket:
        if self._data is not None:
            self._data.broker().check_open()
        settings = self.settings
        try:
            [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
                settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            listening = socket.socket(family, kind, protocol)
        except OSError as error:
            raise CannotListen(f"There is no address {settings.host!r} to listen on: {error}.") from None
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            listening.close()
            raise CannotListen(_why_not(error, settings)) from None
        self._port = listening.getsockname()[1]
        return listening

    def _serve(self, listening: socket.socket, ready: Callable[[], object]) -> None:
        settings, aws = self.settings, self.aws
        credentials = Credentials(settings.access_keys, settings.accounts) if settings.access_keys else None
        self._waiting = Waiting(aws.clock, aws.commit)
        application = Application(
            FrontEnd(aws, credentials, self._faults),
            Control(aws, credentials, settings.control_is_off_because()),
            Visitors(settings.cors, settings.allowed_hosts, any_host=credentials is not None),
            self._waiting,
            settings.body_bytes_max,
        )
        config = uvicorn.Config(
            application,
            # uvicorn asks for a class, and calls it.
            http=cast("type[Http1]", partial(Http1, connections_max=settings.connections_max)),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        data = self._data
        self._uvicorn = _Uvicorn(config, self._waiting, ready, data)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(self._uvicorn.serve(sockets=[listening]))
        if data is not None:
            data.broker().check_open()


def serve(
    aws: Aws | None = None,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    data: str | Path | None = None,
    durability: Durability = "commit",
    account_id: str | None = None,
    region: str | None = None,
    seed: int | str | None = None,
    shard_limit: int | None = None,
    provisioning_time_seconds: float = 0,
    delete_interval_seconds: int = AWS_LIMITS.delete_interval_seconds,
    purge_interval_seconds: int = AWS_LIMITS.purge_interval_seconds,
    eventual_consistency: bool = False,
    delivery: Delivery | str = "strict",
    enforce_throughput: bool = False,
    virtual_clock: bool = False,
    access_keys: Mapping[str, str] | None = None,
    accounts: Mapping[str, str] | None = None,
    control: bool = True,
    cors: Collection[str] = (),
    allowed_hosts: Collection[str] = (),
    body_bytes_max: int = BODY_BYTES_MAX,
    connections_max: int = CONNECTIONS_MAX,
    faults: FaultPlan | None = None,
) -> Server:
    """SQS and Kinesis over HTTP, for every SDK; a context manager that serves from a thread of its own.

    Args:
        aws: The accounts and regions to serve; where None, new ones, made as it is said here.
        host: The address to listen on; this machine alone can reach the default one.
        port: The port; any free one where 0.
        data: The file that keeps them, which is made where there is none; it is opened now, and closed when
            the server stops.  Nothing is kept where None.
        durability: When what was asked is in that file: `commit`, `interval` or `none`, as for `connect`.
        account_id: The account of clients whose access key names no other: 123456789012, or the file's.
        region: The region where a request names none: us-east-1, or the file's.
        seed: Makes every id repeatable.
        shard_limit: How many open shards an account may have in a region.
        provisioning_time_seconds: How long streams are CREATING, UPDATING and DELETING.
        delete_interval_seconds: How long the name of a deleted queue cannot be taken again.
        purge_interval_seconds: How long a purged queue cannot be purged again.
        eventual_consistency: Whether changes to queues take as long as AWS documents.
        delivery: How messages and records are delivered, as for `Broker`.
        enforce_throughput: Whether FIFO queues and shards refuse what goes beyond AWS's quotas of a second.
        virtual_clock: Whether time stands still until it is moved, with `server.aws.clock.advance(hours=12)`
            or `POST /_queuestream/clock/advance`.
        access_keys: Secret access keys by access key id; where there are any, requests must be signed by one.
        accounts: Account ids by access key id, for those that have one of their own.
        control: Whether the endpoints below `/_queuestream/` answer.
        cors: Origins of web pages that may use it, or `*`.
        allowed_hosts: More names by which it may be called.
        body_bytes_max: The longest body of a request.
        connections_max: How many connections it has at a time.
        faults: What goes wrong on purpose.

    Returns:
        A server that is not started yet.

    Raises:
        TypeError: The clock of `aws` is a virtual one that is no `ManualClock`; or something is said about
            new accounts besides.
        StorageError: The file cannot be opened; its subclasses say why.
    """
    kept = None
    if aws is not None:
        if any(
            (
                data is not None,
                account_id is not None,
                region is not None,
                seed is not None,
                shard_limit is not None,
                provisioning_time_seconds,
                delete_interval_seconds != AWS_LIMITS.delete_interval_seconds,
                purge_interval_seconds != AWS_LIMITS.purge_interval_seconds,
                eventual_consistency,
                delivery != "strict",
                enforce_throughput,
                virtual_clock,
            )
        ):
            raise TypeError("What is said about new accounts and regions is nothing that `aws` can take.")
    else:
        stream_settings: dict[str, object] = {
            "provisioning_time_seconds": provisioning_time_seconds,
            "enforce_throughput": enforce_throughput,
        }
        if shard_limit is not None:
            stream_settings["limits"] = StreamLimits(shards_per_account=shard_limit)
        queue_limits = AWS_LIMITS._replace(
            delete_interval_seconds=delete_interval_seconds,
            purge_interval_seconds=purge_interval_seconds,
            enforce_throughput=enforce_throughput,
        )
        consistency = EVENTUAL if eventual_consistency else AT_ONCE
        if data is None:
            aws = Aws(
                clock=ManualClock() if virtual_clock else None,
                seed=seed,
                account_id=account_id or DEFAULT_ACCOUNT_ID,
                region=region or DEFAULT_REGION,
                queue_limits=queue_limits,
                stream_settings=stream_settings,
                consistency=consistency,
                delivery=delivery,
            )
        else:
            from queuestream.aws.server.data import open_data  # noqa: PLC0415 - few servers have a file

            aws = kept = open_data(
                data,
                durability=durability,
                virtual_clock=virtual_clock,
                seed=seed,
                account_id=account_id,
                region=region,
                queue_limits=queue_limits,
                stream_settings=stream_settings,
                consistency=consistency,
                delivery=delivery,
            )
    settings = Settings(
        host=host,
        port=port,
        access_keys=access_keys or {},
        accounts=accounts or {},
        control=control,
        cors=cors,
        allowed_hosts=allowed_hosts,
        body_bytes_max=body_bytes_max,
        connections_max=connections_max,
    )
    return Server(aws, settings, faults, kept)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which says when it is ready, sweeps its connections, and stops without delay.

    It stops by itself, too, when there is nothing left to serve, because the file could not be written.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        waiting: Waiting,
        ready: Callable[[], object],
        data: KeptBroker | None,
    ) -> None:
        super().__init__(config)
        self._data = data
        self._waiting = waiting
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()

    def ask_to_stop(self) -> None:
        """Stop gracefully; any thread may call it."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._asked.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)  # the Date header of the first answers
        self._ready()

    async def main_loop(self) -> None:
        """Serve until somebody asks to stop."""
        ticks = 0
        while not await self.on_tick(0):
            ticks += 1
            if self._data is not None and self._data.broker().closed_because is not None:
                break
            if ticks % _SWEEP_SECONDS == 0:
                now = asyncio.get_running_loop().time()
                for connection in list(self.server_state.connections):
                    connection.close_if_overdue(now)  # type: ignore[union-attr]
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, answer those who wait, close.

        uvicorn's own begins with a nap of a tenth of a second, which is long for a server that lives for
        one test.
        """
        self._waiting.stop()
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._everybody_has_left()
        for task in list(self.server_state.tasks):
            task.cancel()

    async def _everybody_has_left(self) -> None:
        state = self.server_state  # plain sets, which tell nobody that they are empty
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(_NAP_SECONDS)
        for server in self.servers:
            await server.wait_closed()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the server gracefully, and nothing else."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal came; a second one ends it at once."""
        self.force_exit = self.should_exit
        self.ask_to_stop()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - there is none for every system
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _why_not(error: OSError | OverflowError, settings: Settings) -> str:
    where = f"{settings.host}:{settings.port}"
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"Something is listening on {where} already. Stop it, or choose another port: "
            "--port 4567, or --port 0 for any free one."
        )
    if number == errno.EACCES:
        return f"This user may not listen on {where}. Choose a port above 1023."
    if number == errno.EADDRNOTAVAIL:
        return f"{settings.host} is no address of this machine."
    return f"Cannot listen on {where}: {error}."
