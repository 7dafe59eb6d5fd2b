"""Who answers the requests of a connection: the fast lane, or the application in a task of its own."""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from service.connection.exchange import Connection, Exchange
from service.connection.head import Head
from service.connection.lane import Admitted, Asking, Lane, LaneRequest
from service.connection.memory import Reservation
from service.middleware.observe import BEGUN

ASGI = {"version": "3.0", "spec_version": "2.3"}


class Handler:
    """The application, its lane if it has one, and what the requests of a connection have in common."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], transport: asyncio.Transport
    ) -> None:
        self._app: Any = config.loaded_app
        self._lane: Lane | None = getattr(self._app, "lane", None)
        self._server_state = server_state
        self._app_state = app_state
        self._client = get_remote_addr(transport)
        self._common = {
            "server": get_local_addr(transport),
            "client": self._client,
            "scheme": "http",
            "root_path": "",
            "asgi": ASGI,
        }

    def begin(
        self, connection: Connection, head: Head, memory: Reservation, begun: float, admitted: Admitted | None
    ) -> Exchange:
        """Begin the exchange of a request. begun: when its head had arrived, of time.monotonic()."""
        scope = {**head.scope(), **self._common, "state": self._app_state.copy(), BEGUN: begun}
        exchange = Exchange(
            connection, scope, memory, keep_alive=head.keep_alive, waits_for_whole=head.is_small, admitted=admitted
        )
        exchange.expects_continue = head.expects_continue
        return exchange

    def admit(self, head: Head) -> Admitted | None:
        """Admit a request to the lane; None if the application is to answer it."""
        return None if self._lane is None else self._lane.admit(head)

    def ask(self, connection: Asking, admitted: Admitted, body: bytes, begun: float) -> LaneRequest:
        """The request, to be answered by the lane. begun: when its head had arrived, of time.monotonic()."""
        assert self._lane is not None  # noqa: S101  # it has admitted the request
        return LaneRequest(self._lane, connection, self._client, admitted, body, begun)

    def ask_whole(self, connection: Asking, exchange: Exchange) -> LaneRequest:
        """As `ask`, for an exchange whose body has arrived."""
        assert exchange.admitted is not None  # noqa: S101  # as above
        return self.ask(connection, exchange.admitted, exchange.body(), exchange.scope[BEGUN])

    def is_for_lane(self, exchange: Exchange) -> bool:
        """Whether the lane is to answer a whole request; if it has admitted it, and may not, the application does."""
        if exchange.admitted is not None and not exchange.keep_alive:
            self.run(exchange)
        return exchange.admitted is not None

    def run(self, exchange: Exchange) -> None:
        """Run the application for a request, in a task."""
        exchange.admitted = None
        self._server_state.tasks.add(task := asyncio.get_running_loop().create_task(exchange.run(self._app)))
        task.add_done_callback(self._server_state.tasks.discard)

    def leave(self, exchange: Exchange) -> None:
        """Tell the application that there is nobody to answer."""
        exchange.leave()
        if exchange.admitted is not None:
            self.run(exchange)  # for the metrics and the log
