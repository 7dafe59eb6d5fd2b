"""The floor: an ASGI application that reads a body and sends it back."""

from starlette.types import Receive, Scope, Send


async def app(_: Scope, receive: Receive, send: Send) -> None:
    """Echo; the lifespan is none, as uvicorn is told."""
    body = (await receive())["body"]
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
