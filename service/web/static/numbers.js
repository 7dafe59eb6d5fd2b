// Numbers: parse table cells and typed lists, format numbers with a suitable number of digits.

const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i; // decimal notation only: no 0x10, no Infinity
const MISSING = /^(|na|n\/a|#n\/a|nan|null|none|-|--|\.|\?)$/i;
const SYMBOLS = /[$€£¥₹]|\b(usd|eur|gbp|chf)\b/gi;
const UNIT = /\s*(%|°?[a-zµ]+(\/[a-z]+)?)$/i;

export class Unreadable extends Error {}

export function isMissing(text) {
  return MISSING.test(text.trim());
}

// Parses a typed list of numbers. Throws Unreadable if it is not one, or if a comma is ambiguous.
export function readList(text) {
  const parts = text.trim().split(/[\s;]+|,(?=\s|$)/).filter((part) => part !== "");
  if (parts.length === 0) throw new Unreadable("At least one number is needed.");
  const hasSemicolons = text.includes(";");
  const hasLists = parts.some((part) => part.split(",").length > 2);
  return parts.flatMap((part) => {
    if (!part.includes(",")) return plain(part);
    if (hasSemicolons) return plain(part.replace(",", "."), part);
    if (hasLists) return part.split(",").filter(Boolean).map((number) => plain(number));
    throw new Unreadable(
      `“${part}” may be one number or two; write ${part.replace(",", ".")}, or ${part.replace(",", "; ")}.`);
  });
}

function plain(text, shown = text) {
  const number = PLAIN.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(number)) throw new Unreadable(`“${shown.slice(0, 40)}” is not a number; write it like 1, 2.5 or -3e2.`);
  return number;
}

// Parses a column of cells to {values, decimal, wrong}; missing values are NaN.
// wrong: row of the first cell that is not a number or has a different unit; -1 if there is none.
// decimal: "." or ","; "" if the cells are ambiguous, then the values are read with a point.
export function readColumn(cells, decimal = "") {
  const texts = cells.map(bare);
  const found = decimal || decimalOf(texts);
  const values = texts.map((text) => (text === "" ? NaN : toNumber(text, found || ".")));
  const units = cells.map((cell, row) => (texts[row] === "" ? null : unitOf(cell)));
  const usual = units.find((unit) => unit !== null);
  const wrong = values.findIndex((value, row) => texts[row] !== "" && (Number.isNaN(value) || units[row] !== usual));
  return { values, decimal: found, wrong };
}

function bare(cell) {
  let text = cell.normalize("NFKC").replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => digit.charCodeAt(0) & 0xf).trim();
  if (isMissing(text)) return "";
  if (!/\d/.test(text)) return text; // a word; a unit has a number beside it
  text = text.replace(/[\u2212\u2013\u2010]/g, "-").replace(SYMBOLS, "").trim();
  if (/^\(.*\)$/.test(text)) text = `-${text.slice(1, -1)}`;
  text = text.replace(/^([+-]?[\d.,]+)[dD]([+-]?\d+)$/, "$1e$2");
  if (!/e[+-]?\d+$/i.test(text)) text = text.replace(UNIT, "");
  return text.replace(/(\d)[\s'’_](?=\d{3})/g, "$1").trim();
}

// The unit of a cell: "%", "kg" or "$"; "" if it has none.
function unitOf(cell) {
  const text = cell.normalize("NFKC").trim();
  return (text.match(SYMBOLS) ?? []).join() || (/\d[de][+-]?\d+$/i.test(text) ? "" : UNIT.exec(text)?.[1].toLowerCase() ?? "");
}

function decimalOf(texts) {
  let isAmbiguous = false;
  for (const text of texts) {
    const [point, comma] = [text.lastIndexOf("."), text.lastIndexOf(",")];
    if (point >= 0 && comma >= 0) return point > comma ? "." : ",";
    const sign = comma >= 0 ? "," : ".";
    const count = text.split(sign).length - 1;
    if (count > 1) return sign === "," ? "." : ",";
    if (count === 1 && !/^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(text)) return sign;
    isAmbiguous ||= count === 1;
  }
  return isAmbiguous ? "" : ".";
}

function toNumber(text, decimal) {
  const [, whole, rest] = decimal === "." ? /^([^.]*)(.*)$/s.exec(text) : /^([^,]*)(.*)$/s.exec(text);
  const other = decimal === "." ? "," : ".";
  if (whole.includes(other) && !whole.replace(/^[+-]/, "").split(other).slice(1).every((group) => /^\d{3}$/.test(group))) return NaN;
  const joined = whole.replaceAll(other, "") + rest.replace(decimal, ".");
  return PLAIN.test(joined) ? Number(joined) : NaN;
}

// Number of decimals for a value with this uncertainty: two significant digits of the uncertainty.
export function decimalsFor(uncertainty) {
  if (!(uncertainty > 0)) return null;
  return Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(uncertainty))));
}

// Formats a number. decimals: null for four significant digits, or all digits before the decimal point.
export function format(number, decimals = null) {
  if (number === null || number === undefined || Number.isNaN(number)) return "–";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return number.toExponential(2);
  const options = decimals === null
    ? { maximumSignificantDigits: Math.max(4, Math.trunc(size).toString().length) }
    : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat("en", options).format(number).replace(/^-/, "−");
}
