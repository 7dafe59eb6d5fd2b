"""Read a file or standard input: decompress it, and detect its format by its first bytes."""

import gzip
import io
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import zstandard

from training.data.errors import SeriesError, listed
from training.series_config import STANDARD_INPUT

Kind = Literal["text", "json", "parquet", "arrow", "excel"]

GZIP, ZSTD, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
KINDS: dict[bytes, Kind] = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",  # an Arrow stream begins with a continuation marker
    b"\xd0\xcf\x11\xe0": "excel",  # the older format .xls
}
FOREIGN = {
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a picture",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
}
EXCEL_PARTS = ("xl/workbook", "content.xml")  # members of .xlsx and .xlsb, and of .ods


@dataclass(frozen=True)
class Source:
    """The bytes of a table. name: for messages. compression: gz, zst, zip or None."""

    name: str
    content: bytes
    kind: Kind
    compression: str | None


def read_source(path: Path) -> Source:
    """Read `path`, or standard input if it is `-`. Raises SeriesError if it cannot be read or is not a table."""
    name = "standard input" if path == STANDARD_INPUT else str(path)
    content, compression = _decompressed(name, _read(path))
    for magic, what in FOREIGN.items():
        if content.startswith(magic):
            raise SeriesError(f"{name}: is {what}; export the table as CSV, Parquet, Excel or JSON lines")
    return Source(name, content, _kind(content), compression)


def _read(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise SeriesError(f"{path}: {error.strerror}") from None


def _decompressed(name: str, content: bytes) -> tuple[bytes, str | None]:
    try:
        if content.startswith(GZIP):
            return gzip.decompress(content), "gz"
        if content.startswith(ZSTD):
            return zstandard.ZstdDecompressor().stream_reader(
                io.BytesIO(content), read_across_frames=True
            ).read(), "zst"
        if content.startswith(ZIP) and not _is_excel(content):
            return _only_member(name, content), "zip"
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError) as error:
        raise SeriesError(f"{name}: cannot be decompressed ({error}); is it complete?") from None
    return content, None


def _is_excel(content: bytes) -> bool:
    return any(name.startswith(EXCEL_PARTS) for name in zipfile.ZipFile(io.BytesIO(content)).namelist())


def _only_member(name: str, content: bytes) -> bytes:
    archive = zipfile.ZipFile(io.BytesIO(content))
    members = [
        entry.filename for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename
    ]
    if len(members) != 1:
        raise SeriesError(f"{name}: holds {len(members)} files ({listed(members)}); unpack it and name one of them")
    return archive.read(members[0])


def _kind(content: bytes) -> Kind:
    if content.startswith(ZIP):
        return "excel"
    for magic, kind in KINDS.items():
        if content.startswith(magic):
            return kind
    return "json" if content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "text"
