"""Text to numbers: decimal comma or point, thousands, percent, currency, units and missing values, per column."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from training.data.errors import SeriesError, listed, shown
from training.data.frame import Frame

Decimal = Literal[".", ","]

MISSING = [
    *("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "---", ".", "..", "?", "\\n", "missing"),
    *("<na>", "nat", "#num!", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "n.a.", "k.a."),
]
# Signs of other scripts and of word processors, and their ASCII equivalents.
SIGNS = {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " "}
SIGNS |= {"\u066b": ".", "\u066c": ",", "\u2019": "'"}
SIGNS |= {chr(zero + k): str(k) for zero in (0x660, 0x6F0, 0x966, 0xFF10) for k in range(10)}
CURRENCIES = (
    r"[\p{Sc}]|R\$|US\$|A\$|C\$|kr\.?|Fr\.?|zł|Kč|Rs\.?|EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL"
)
PARTS = (
    rf"^(?P<sign>[-+]?)\s*(?P<currency>{CURRENCIES})?\s*(?P<sign2>[-+]?)\s*"
    r"(?P<number>[.,]?\d(?:[\d.,'_ ]*[\d.,])?(?:[eEdD][-+]?\d+)?)(?P<after>-?)\s*(?P<unit>[^\d\s.,+\"-][^\d\"]{0,11})?$"
)
GROUPS = r"(?:(?:{0}\d{{3}})+|(?: \d{{3}})+|(?:'\d{{3}})+|(?:_\d{{3}})+|(?:{0}\d{{2}})+{0}\d{{3}})"
EXPONENT = r"(?:[eEdD][-+]?\d+)?$"
_SIDES: tuple[tuple[Decimal, str, str], ...] = ((".", r"\.", ","), (",", ",", r"\."))
READINGS: dict[Decimal, str] = {
    decimal: rf"^(?:(?:\d+|\d{{1,3}}{GROUPS.format(group)})(?:{point}\d*)?|{point}\d+){EXPONENT}"
    for decimal, point, group in _SIDES
}
BRACKETS = r"^([^\d(]{0,4})\((.*)\)$"  # negative number in accounting, with or without a currency before it
ENOUGH = 0.9  # minimum share of numbers among the cells of a numeric column


@dataclass(frozen=True)
class Numbers:
    """Numbers of a column, null where a value is missing, and how they were written (for the card).

    `how` is empty if there was nothing to decide.
    """

    values: pl.Series
    how: dict[str, str]


def read_numbers(frame: Frame, column: str, decimal: Decimal | None) -> Numbers:
    """The numbers of a column, as Float64 with nulls. One reading must fit all cells.

    Raises SeriesError with the line, the text and the flag that decides.
    """
    cells = frame.columns[column]
    if cells.dtype != pl.String:
        return _typed(frame, column, cells)
    plain = cells.str.strip_chars().cast(pl.Float64, strict=False)
    if decimal != "," and plain.null_count() == 0 and plain.is_finite().all():
        if decimal is None and _may_group(frame, cells):
            _refuse_ambiguous(frame, column, cells)
        return Numbers(plain, {})
    return _Reading(frame, column, decimal).read()


def looks_numeric(cells: pl.Series) -> bool:
    """Whether at least 90 % of the non-blank cells are numbers in some notation."""
    if cells.dtype != pl.String:
        return cells.dtype.is_numeric()
    filled = cells.filter(~_missing(_clean(cells)))
    if filled.is_empty():
        return False
    clean = _clean(filled).str.replace(BRACKETS, "-$1$2")
    numbers = clean.str.contains(PARTS) & ~clean.str.contains(r"^0\d+$")  # 007 is an identifier
    return bool(int(numbers.sum()) >= ENOUGH * len(filled))


def _typed(frame: Frame, column: str, cells: pl.Series) -> Numbers:
    if not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
        raise SeriesError(f"{frame.name}: column {shown(column)} holds {cells.dtype}, not numbers")
    values = cells.cast(pl.Float64).fill_nan(None)
    wrong = (values.is_infinite().fill_null(value=False)).arg_true()
    if len(wrong):
        raise SeriesError(f"{frame.where(int(wrong[0]), column)}: {shown(values[int(wrong[0])])} is not finite")
    return Numbers(values, {})


def _clean(cells: pl.Series) -> pl.Series:
    ascii_only = cells.fill_null("").str.contains(r"^[ -~]*$").all()
    text = cells.fill_null("")
    text = text if ascii_only else text.str.replace_many(list(SIGNS), list(SIGNS.values()))
    return text.str.strip_chars(" \t\r\n'\"")


def _missing(clean: pl.Series) -> pl.Series:
    return clean.str.to_lowercase().is_in(MISSING)


def _may_group(frame: Frame, cells: pl.Series) -> bool:
    """Whether every point may be a thousands separator: 1.234 in a file whose delimiter is not the comma."""
    if frame.dialect.get("delimiter") in ("comma", None) or not cells.str.contains(".", literal=True).any():
        return False
    return bool(cells.str.contains(r"^\s*[-+]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)\s*$").all())


def _refuse_ambiguous(frame: Frame, column: str, cells: pl.Series) -> None:
    row = int(cells.str.contains(r"[.,]").arg_true()[0])
    text = cells[row].strip()
    raise SeriesError(
        f"{frame.where(row, column)}: {shown(text)} may have a decimal or thousands, and no other cell tells which; "
        "type --decimal . or --decimal ,"
    )


class _Reading:
    """Conversion of one column from text to numbers."""

    def __init__(self, frame: Frame, column: str, decimal: Decimal | None) -> None:
        self.frame, self.column, self.decimal = frame, column, decimal
        self.cells = frame.columns[column]
        clean = _clean(self.cells)
        self.missing = _missing(clean)
        self.clean = clean.str.replace(BRACKETS, "-$1$2")
        self.how: dict[str, str] = {}

    def read(self) -> Numbers:
        parts = self.clean.str.extract_groups(PARTS).struct.unnest()
        self._refuse(parts["number"].is_null() & ~self.missing, "is not a number")
        self._check_units(parts)
        number = parts["number"]
        decimal = self.decimal or self._decide(number)
        self._refuse(~number.str.contains(READINGS[decimal]).fill_null(value=True), self._expected(decimal))
        values = _to_float(number, decimal)
        signs = parts.select((pl.col("sign") == "-") ^ (pl.col("sign2") == "-") ^ (pl.col("after") == "-")).to_series()
        values = pl.select(pl.when(signs.fill_null(value=False)).then(-values).otherwise(values)).to_series()
        self._refuse(values.is_infinite().fill_null(value=False), "is too large for a number")
        if decimal == ",":
            self.how["decimal"] = ","
        if number.str.contains(r"\d[ '_]\d|\d%s\d{3}" % ("," if decimal == "." else r"\.")).any():
            self.how["thousands"] = "separated"
        return Numbers(values, self.how)

    def _refuse(self, wrong: pl.Series, problem: str) -> None:
        rows = wrong.arg_true()
        if not len(rows):
            return
        row, text = int(rows[0]), self.cells[int(rows[0])]
        units = ""
        if row == 0 and len(rows) == 1 and problem.startswith("is not"):
            units = "; if this line holds units, type --units-line; if it holds the names, --header-line"
        raise SeriesError(f"{self.frame.where(row, self.column)}: {shown(text.strip())} {problem}{units}")

    def _check_units(self, parts: pl.DataFrame) -> None:
        """Require one currency or unit for the column, and a percent sign or unit on all numbers or on none."""
        there = parts["number"].is_not_null()
        currency = pl.Series(parts["currency"].fill_null(""))
        unit = parts["unit"].fill_null("").str.strip_chars()
        is_currency = unit.str.contains(rf"^(?:{CURRENCIES})$")
        for name, texts in (("currency", currency), ("unit", unit)):
            found = texts.filter(there & (texts != "")).unique(maintain_order=True).to_list()
            if len(found) > 1:
                other = (there & (texts != "") & (texts != found[0])).fill_null(value=False)
                self._refuse(other, f"has another unit than the others: {listed(found)}; write one of them alone")
            if found and name == "unit" and not is_currency.filter(there & (texts != "")).all():
                self._refuse(there & (texts == ""), f"has no {found[0]} as the others have")
            if found:
                self.how[name] = found[0]

    def _decide(self, number: pl.Series) -> Decimal:
        fits = {decimal: number.str.contains(reading) for decimal, reading in READINGS.items()}
        whole: list[Decimal] = [decimal for decimal in fits if fits[decimal].all()]
        if len(whole) == 1:
            return whole[0]
        if whole and number.str.contains(r"[.,]").any() and not self._is_plain(number):
            _refuse_ambiguous(self.frame, self.column, self.cells.fill_null(""))
        return max(fits, key=lambda decimal: int(fits[decimal].sum()))

    def _is_plain(self, number: pl.Series) -> bool:
        """Whether there are only points, in a file whose delimiter is the comma: then a point is the decimal point."""
        commas = number.str.contains(",", literal=True).any()
        return not commas and self.frame.dialect.get("delimiter") in ("comma", None)

    def _expected(self, decimal: Decimal) -> str:
        other = "," if decimal == "." else "."
        word = {".": "point", ",": "comma"}[decimal]
        source = f"--decimal {decimal} says" if self.decimal else "the other cells say"
        return f"is not a number with a decimal {word}, as {source}; or type --decimal {other}"


def _to_float(number: pl.Series, decimal: Decimal) -> pl.Series:
    text = number.str.replace_all(r"[ '_,]" if decimal == "." else r"[ '_.]", "")
    text = text.str.replace(",", ".", literal=True) if decimal == "," else text
    return text.str.replace(r"[dD]", "e").cast(pl.Float64, strict=False)
