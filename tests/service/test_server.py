"""Server: what it does at its start."""

import asyncio
import gc

from starlette.types import Receive, Scope, Send
from uvicorn import Config

from service.server import COLLECTIONS, Server


async def unused(scope: Scope, receive: Receive, send: Send) -> None: ...


def test_full_garbage_collections_are_rare_and_do_not_look_at_what_was_there_at_the_start() -> None:
    config = Config(unused, lifespan="off", log_config=None)
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    before = gc.get_threshold()
    try:
        asyncio.run(server.startup(sockets=[]))

        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (*before[:2], COLLECTIONS)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
