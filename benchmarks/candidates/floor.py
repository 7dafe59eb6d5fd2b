"""Lower bound of the cost of a request: an ASGI application that echoes the body."""

from starlette.types import Receive, Scope, Send


async def app(_: Scope, receive: Receive, send: Send) -> None:
    """Echo the body. There is no lifespan: uvicorn runs with `--lifespan off`."""
    body = (await receive())["body"]
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
