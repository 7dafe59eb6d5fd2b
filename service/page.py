"""`GET /`: one page of static files that asks the service's own routes."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from service.schemas import Alive

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

    @app.get("/", tags=["health"], summary="The page for a browser; for KServe's client, whether the process is there")
    async def page(request: Request, response: Response) -> Alive:
        response.headers["Vary"] = "Accept"
        if "text/html" not in request.headers.get("accept", ""):
            return Alive()
        return FileResponse(FOLDER / "index.html", headers=HEADERS)  # type: ignore[return-value]  # it goes out as it is

    app.mount("/static", StaticFiles(directory=FOLDER))
