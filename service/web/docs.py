"""`GET /docs`: Swagger UI, served from local files instead of a CDN."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from service.web.page import FOLDER, HEADERS


def add_docs(app: FastAPI) -> None:
    """Add /docs, and the files of Swagger UI below /static-offline-docs. Raises ModuleNotFoundError without them."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return FileResponse(FOLDER / "docs.html", headers=HEADERS)

    app.mount("/static-offline-docs", StaticFiles(directory=_swagger_files()))


def _swagger_files() -> Path:
    """Folder of Swagger UI's files in the package fastapi-offline; nothing else of the package is used."""
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fastapi-offline, which has the files of Swagger UI, is not installed")
    return Path(package.origin).parent / "static"
