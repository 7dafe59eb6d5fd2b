"""Dialect of a delimited text: delimiter, quotes, comment lines, line ends, found from its first lines."""

import csv
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE = 1 << 16  # bytes that are examined
FEWEST = 3  # minimum number of cells in single quotes for the quote to be `'`
Record = tuple[int, list[str]]


@dataclass(frozen=True)
class Dialect:
    """Dialect of a delimited text. `directive`: whether its first line is Excel's `sep=;`."""

    delimiter: str
    quote: str
    comment: str | None
    directive: bool

    def records(self, lines: list[str], *, blank: bool = False) -> list[Record]:
        """The records of `lines` with the number of the first line of each, from 1.

        Comment lines are skipped, and blank lines too unless `blank`. Raises csv.Error for an open quote.
        """
        kept = [k for k, line in enumerate(lines) if not self.skips(k, line)]
        reader = csv.reader((lines[k] for k in kept), delimiter=self.delimiter, quotechar=self.quote, strict=True)
        found, start = [], 0
        for cells in reader:
            if blank or any(cell.strip() for cell in cells):
                found.append((kept[start] + 1, cells))
            start = reader.line_num
        return found

    def skips(self, number: int, line: str) -> bool:
        if number == 0 and self.directive:
            return True
        return self.comment is not None and line.startswith(self.comment)


def sniff(text: str, delimiter: str | None = None, decimal: str | None = None) -> Dialect:
    """The dialect of `text`, the beginning of a file that ends with a whole line.

    The delimiter is the one that gives the largest number of lines, including the first, the same number of cells. In a
    text with decimal commas the comma is a delimiter only if there is no other one.
    """
    lines = text.splitlines()
    directive = re.match(r"sep=(.)$", lines[0]) if lines else None
    if directive:
        return Dialect(delimiter or directive[1], '"', _comment(lines[1:], delimiter or directive[1]), directive=True)
    quote = _quote(text)
    found = delimiter or _delimiter(lines, quote, decimal)
    return Dialect(found, quote, _comment(lines, found), directive=False)


def _delimiter(lines: list[str], quote: str, decimal: str | None) -> str:
    scores = {}
    for candidate in DELIMITERS:
        try:
            records = Dialect(candidate, quote, "#", directive=False).records(lines)
        except csv.Error:
            continue
        widths = Counter(len(cells) for _, cells in records)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        if width == 1:
            continue
        agreed = len(records[0][1]) == width or (len(records) > 1 and len(records[1][1]) == width)
        plain = not (candidate == "," and (decimal == "," or _is_decimal_comma(records)))
        scores[candidate] = (plain, len(records[0][1]) > 1, agreed, count / len(records), width)
    if not scores or (decimal == "," and all(candidate == "," for candidate in scores) and _one_name(lines)):
        return ";" if decimal == "," else ","
    return max(scores, key=lambda candidate: scores[candidate])


def _one_name(lines: list[str]) -> bool:
    return "," not in next((line for line in lines if line.strip() and not line.startswith("#")), "")


def _is_decimal_comma(records: list[Record]) -> bool:
    """Whether the first line has no comma, and a later one has a comma between two digits."""
    first = len(records[0][1]) == 1
    return first and any(len(c) > 1 and c[0][-1:].isdigit() and c[1][:1].isdigit() for _, c in records[1:])


def _quote(text: str) -> str:
    single = re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=$|[,;\t|\r\n])", text, re.MULTILINE)
    return "'" if '"' not in text and len(single) >= FEWEST else '"'


def _comment(lines: list[str], delimiter: str) -> str | None:
    """`#`, if lines that are not rows of the table begin with it."""
    hashed = [line for line in lines if line.startswith("#")]
    if not hashed:
        return None
    usual = Counter(line.count(delimiter) for line in lines if line.strip() and not line.startswith("#"))
    width = usual.most_common(1)[0][0] if usual else 0
    rows = sum(line.count(delimiter) == width for line in hashed) if width else 0
    return None if rows * 2 > len(hashed) else "#"
