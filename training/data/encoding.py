"""Decode a text file to UTF-8: byte order marks, UTF-16, Windows-1252, or the encoding that a flag names."""

import codecs

from training.data.errors import SeriesError, shown

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, because its mark begins with that of UTF-16
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PIECE = 1 << 24


def to_utf8(name: str, content: bytes, encoding: str | None) -> tuple[bytes, str]:
    """The text as UTF-8 without a byte order mark, and the name of its original encoding.

    Without `encoding`: the encoding of the byte order mark, else UTF-8, else UTF-16 if every other byte is zero, else
    Windows-1252. Raises SeriesError with the line that cannot be decoded.
    """
    found = encoding or next((name for mark, name in MARKS.items() if content.startswith(mark)), None)
    found = found or _without_mark(content)
    if found == "utf-8-sig":
        content, found = content.removeprefix(codecs.BOM_UTF8), "utf-8"
    if found != "utf-8":
        content = _decode(name, content, found).encode()
    elif (wrong := _first_wrong(content)) is not None:
        raise SeriesError(
            f"{name}, line {_line(content, wrong)}: is not UTF-8; name its encoding, as --encoding cp1252"
        )
    if (zero := content.find(0)) >= 0:
        raise SeriesError(f"{name}, line {_line(content, zero)}: holds a zero byte; the file is damaged or no text")
    return content, found


def _without_mark(content: bytes) -> str:
    start = content[:4096]
    if len(start) > 1 and start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    if len(start) > 1 and start[::2].count(0) > len(start) // 4:
        return "utf-16-be"
    return "utf-8" if _first_wrong(content) is None else "cp1252"


def _decode(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise SeriesError(f"--encoding {encoding}: is not known; utf-8, utf-16, cp1252 and iso-8859-1 are") from None
    except UnicodeDecodeError as error:
        wrong = shown(content[error.start : error.start + 4].hex(" "))
        where = f"{name}, line {_line(content, error.start)}"
        raise SeriesError(f"{where}: bytes {wrong} are not {encoding}; name the encoding with --encoding") from None


def _first_wrong(content: bytes) -> int | None:
    """The position of the first byte that is not UTF-8, or None. Decodes in pieces, since the text is not needed."""
    if content.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), PIECE):
        end = start + PIECE
        try:
            decoder.decode(content[start:end], final=end >= len(content))
        except UnicodeDecodeError as error:
            return max(start + error.start, 0)
    return None


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
