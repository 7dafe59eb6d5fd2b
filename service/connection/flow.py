"""Flow control of a connection: reading is paused while more has arrived than the application takes."""

import asyncio


class ReadFlow:
    """Pauses and resumes reading from a transport; both may be called again and again."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_paused = False

    def pause(self) -> None:
        """Stop reading: what arrives stays in the kernel, and then at the client."""
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()
