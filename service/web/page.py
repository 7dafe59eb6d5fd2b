"""`GET /`: one page of static files that asks the service's own routes."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from service.protocols.native.schemas import Alive

FOLDER = Path(__file__).parent / "static"
# Nothing but the files beside it and the service itself; no inline script or style, no frame around it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


def add_page(app: FastAPI) -> None:
    """The page at / for who takes HTML, and its files below /static."""
    summary = "The page for a browser; for KServe's client, whether the process is there"

    @app.get("/", tags=["health"], summary=summary, response_model=Alive)
    async def page(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return FileResponse(FOLDER / "index.html", headers=HEADERS)
        return JSONResponse(Alive().model_dump(), headers={"Vary": "Accept"})

    app.mount("/static", StaticFiles(directory=FOLDER))
