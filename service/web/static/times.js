// Times: parse columns of dates in common formats, and write ISO 8601 for the service.

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
// Month names in other languages that differ from English in their first three letters.
const FOREIGN = {
  janv: 1, ene: 1, févr: 2, fév: 2, mär: 3, mrz: 3, avr: 4, abr: 4, mai: 5, juin: 6, juil: 7, août: 8, aou: 8, ago: 8,
  okt: 10, dez: 12, déc: 12, dic: 12,
};
const DAY = 86_400_000;
const EXCEL_EPOCH = Date.UTC(1899, 11, 30);
const CLOCK = /^(.*?)[T ,]+(\d{1,2})[:.](\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([ap]m)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?(?:\[[^\]]*\])?$/i;

// Parses a column to {ms, order}; null if a cell is not a date. order: "day-first", "month-first", "either" or "".
// ms: UTC milliseconds; without a time zone, the wall-clock time taken as UTC.
export function readTimes(cells, name = "", order = "") {
  const texts = cells.map((cell) => cell.normalize("NFC").trim());
  if (texts.length === 0 || texts.some((text) => text === "")) return null;
  if (texts.every((text) => /^[+-]?\d+(\.\d*)?$/.test(text))) return numbered(texts, name);
  const readings = (order ? [order] : ["day-first", "month-first"])
    .map((kind) => ({ order: kind, ms: texts.map((text) => moment(text, kind)) }))
    .filter(({ ms }) => ms.every((time) => !Number.isNaN(time)));
  if (readings.length === 0) return null;
  const [first, second] = readings;
  const hasZone = texts.every((text) => /\d{2}.*(z|utc|gmt|[+-]\d{2}:?\d{2})(\[.*\])?$/i.test(text) && CLOCK.test(text));
  if (second === undefined || first.ms.every((time, row) => time === second.ms[row])) {
    return { ms: first.ms, order: second === undefined ? first.order : "", hasZone };
  }
  const [dayFirst, monthFirst] = [isRegular(first.ms), isRegular(second.ms)];
  if (dayFirst === monthFirst) return { ms: first.ms, order: "either", hasZone };
  return dayFirst ? { ...first, hasZone } : { ...second, hasZone };
}

// Whether all times are equally spaced; months count as equally long.
function isRegular(ms) {
  const sorted = [...new Set(ms)].sort((one, other) => one - other); // stacked series repeat the same times
  const days = sorted.slice(1).map((time, row) => (time - sorted[row]) / DAY);
  return new Set(days.map((count) => (count >= 28 && count <= 31 ? "month" : count))).size === 1;
}

function moment(text, order) {
  const clock = CLOCK.exec(text);
  if (clock && clock[1] !== "") {
    const day = dayOf(clock[1].replace(/,$/, "").trim(), order);
    const hours = (Number(clock[2]) % (clock[6] ? 12 : 24)) + (clock[6]?.toLowerCase() === "pm" ? 12 : 0);
    if (Number(clock[2]) > 24 || Number(clock[3]) > 59) return NaN;
    const seconds = Number(clock[4] ?? 0) + Number(`0.${clock[5] ?? 0}`);
    return day + ((hours * 60 + Number(clock[3])) * 60 + seconds) * 1000 - offsetOf(clock[7]);
  }
  return dayOf(text, order);
}

function offsetOf(zone) {
  const found = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? "");
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60_000 : 0;
}

function dayOf(text, order) {
  let found;
  if ((found = /^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})$/.exec(text))) return utc(found[1], found[2], found[3]);
  if ((found = /^(\d{4})[-/M](\d{1,2})$/.exec(text))) return utc(found[1], found[2], 1);
  if ((found = /^(\d{1,2})[-/](\d{4})$/.exec(text))) return utc(found[2], found[1], 1);
  if ((found = /^(?:(\d{4})[-: ]?q([1-4])|q([1-4])[-/ ]?(\d{4}))$/i.exec(text))) {
    return utc(found[1] ?? found[4], (Number(found[2] ?? found[3]) - 1) * 3 + 1, 1);
  }
  if ((found = /^(\d{4})-?W(\d{2})(?:-?([1-7]))?$/i.exec(text))) return week(...found.slice(1).map((part) => Number(part ?? 1)));
  if ((found = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/.exec(text))) {
    const isDayFirst = found[2] === "." || order === "day-first";
    return utc(found[4], found[isDayFirst ? 3 : 1], found[isDayFirst ? 1 : 3]);
  }
  return named(text);
}

// Dates with month names: "3 January 1961", "Jan 3, 1961", "Jan 1961", "Jan-61", with or without a weekday before.
function named(text) {
  const words = text.toLowerCase().split(/[\s,./-]+/).filter(Boolean);
  const month = words.map(monthOf).find((number) => number > 0);
  const numbers = words.filter((word) => /^\d+$/.test(word));
  if (month === undefined || numbers.length === 0 || numbers.length > 2) return NaN;
  const year = numbers.find((number) => number.length === 4) ?? numbers.at(-1);
  const day = numbers.length === 2 ? numbers[numbers.indexOf(year) === 0 ? 1 : 0] : 1;
  return utc(year, month, day);
}

function monthOf(word) {
  const english = MONTHS.indexOf(word.slice(0, 3)) + 1;
  if (english > 0) return english;
  const foreign = Object.keys(FOREIGN).find((name) => word.startsWith(name));
  return foreign === undefined ? 0 : FOREIGN[foreign];
}

function utc(year, month, day) {
  const whole = year.length === 2 ? Number(year) + (Number(year) < 70 ? 2000 : 1900) : Number(year);
  const ms = Date.UTC(whole, Number(month) - 1, Number(day));
  const date = new Date(ms);
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? ms : NaN;
}

function week(year, number, day) {
  const fourth = Date.UTC(year, 0, 4); // 4 January is always in ISO week 1
  return fourth + ((number - 1) * 7 + day - 1 - ((new Date(fourth).getUTCDay() + 6) % 7)) * DAY;
}

// Numbers as times, recognized by range and column name: Excel serial dates, Unix seconds, years.
function numbered(texts, name) {
  const numbers = texts.map(Number);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const isDated = /date|time|^ds$|datum|zeit|fecha|day/i.test(name);
  const found = (ms) => ({ ms, order: "", hasZone: false });
  if (isDated && low >= 18_264 && high <= 73_050) return found(numbers.map((day) => EXCEL_EPOCH + Math.round(day * DAY)));
  for (const factor of [1000, 1, 1e-3]) {
    if (low * factor >= 5e11 && high * factor <= 4e12) return { ...found(numbers.map((time) => time * factor)), hasZone: true };
  }
  if (/year|jahr|ann[ée]e|año|anno|date|^ds$/i.test(name) && low >= 1000 && high <= 2999 && numbers.every(Number.isInteger)) {
    return found(numbers.map((year) => Date.UTC(year, 0, 1)));
  }
  return null;
}

export function toISO(ms, { isDated, hasZone }) {
  const text = new Date(ms).toISOString();
  if (isDated) return text.slice(0, 10);
  return text.replace(".000Z", "Z").slice(0, hasZone ? undefined : -1);
}

// Converts a time stamp from the service to the milliseconds used for display: its wall-clock time taken as UTC.
export function wallClock(stamp) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?(?:\.\d+)?))?/.exec(stamp);
  return Date.parse(`${found[1]}T${found[2] ?? "00:00:00"}Z`);
}
