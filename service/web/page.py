"""`GET /`: the web page, made of static files that call the service's routes."""

from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel
from starlette.staticfiles import StaticFiles

from service.middleware.path_prefix import NO_SLASH, SCOPE_KEY

FOLDER = Path(__file__).parent / "static"
# Content Security Policy: only files and requests of the same origin; no inline script or style, no framing.
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


class Alive(BaseModel):
    """Liveness in the form of KServe's v1 protocol."""

    status: Literal["alive"] = "alive"


class PageFiles(StaticFiles):
    """Static files that browsers revalidate on each use, by ETag: else they could mix modules of two versions."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """The file with Cache-Control: no-cache, or 304."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def add_page(app: FastAPI) -> None:
    """Add the page at / for clients that accept HTML, and its files below /static."""
    summary = "The page, for a browser; liveness, for KServe's client"

    @app.get("/", tags=["health"], summary=summary, response_model=Alive)
    async def page(request: Request) -> Response:
        if NO_SLASH in request.scope:
            return RedirectResponse(f"{request.scope[SCOPE_KEY]}/", 308)
        if "text/html" in request.headers.get("accept", ""):
            return FileResponse(FOLDER / "index.html", headers=HEADERS)
        return JSONResponse(Alive().model_dump(), headers={"Vary": "Accept"})

    app.mount("/static", PageFiles(directory=FOLDER))
