"""The OpenAPI document: how often it is made, and where."""

import asyncio
import threading
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from service.openapi import Document
from service.protocols.protocol import Protocol
from tests.deciding import Deciding
from tests.repository import add_version, copy_of_shipped


def test_the_document_is_made_once_for_all_that_ask_for_it_and_the_event_loop_goes_on(tmp_path: Path) -> None:
    made: list[threading.Thread] = []

    def note(openapi: dict[str, Any], _: object) -> None:
        openapi["x-made"] = len(made)
        made.append(threading.current_thread())

    app = FastAPI()
    app.add_api_route("/{number}", lambda number: number)
    models_dir = copy_of_shipped(tmp_path)
    deciding = Deciding(models_dir, tmp_path / "store")
    document = Document(app, deciding.lifecycle, [Protocol(APIRouter(), APIRouter(), note)])

    async def ask() -> list[Response]:
        return await asyncio.gather(*(document.respond(Request({"type": "http"})) for _ in range(20)))

    with asyncio.Runner() as loop:
        first = loop.run(ask())
        add_version(models_dir, "lstm", 2)
        deciding.refresh()
        second = loop.run(ask())

    assert len({answer.body for answer in first}) == len({answer.body for answer in second}) == 1
    assert first[0].body != second[0].body
    assert len(made) == 2
    assert threading.main_thread() not in made
