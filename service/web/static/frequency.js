// Frequencies: pandas aliases from cards to words, and date formats that suit a frequency.

const UNITS = [
  [/^(us|ms)$/, "step", 1e-3],
  [/^(s|S)$/, "second", 1],
  [/^(min|T)$/, "minute", 60],
  [/^(h|H)$/, "hour", 3600],
  [/^B$/, "business day", 86400],
  [/^(D|d)$/, "day", 86400],
  [/^(W|w)$/, "week", 7 * 86400],
  [/^M[SED]?$/, "month", 30.44 * 86400],
  [/^Q[SED]?$/, "quarter", 91.3 * 86400],
  [/^[YA][SED]?$/, "year", 365.25 * 86400],
];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY = 86_400_000;

// Parses an alias such as 15min or W-SUN to {unit, count, seconds}; the unit is "step" if rows have no time.
export function frequencyOf(alias) {
  const found = /^(\d*)([A-Za-z]+)/.exec(alias ?? "");
  const known = found && UNITS.find(([pattern]) => pattern.test(found[2]));
  if (!known) return { unit: "step", count: 1, seconds: null };
  const count = Number(found[1] || 1);
  return { unit: known[1], count, seconds: count * known[2] };
}

// A number of steps in words: "12 months", "1 day"; "12 values" for a multiple such as 15 minutes.
export function stretch(steps, { unit, count }) {
  if (count > 1) return steps === 1 ? `${count} ${unit}s` : `${steps} values`;
  return steps === 1 ? `1 ${unit}` : `${steps} ${unit}s`;
}

// "the next 12 months", "the next value"
export function next(steps, { unit, count }) {
  if (unit === "step") return steps === 1 ? "the next value" : `the next ${steps} values`;
  if (count > 1 && steps > 1) return `the next ${steps} values, ${count} ${unit}s apart`;
  return steps === 1 && count === 1 ? `the next ${unit}` : `the next ${stretch(steps, { unit, count })}`;
}

// How often: "monthly", "every 15 minutes".
export function often({ unit, count }) {
  if (unit === "step") return "in order";
  if (count > 1) return `every ${count} ${unit}s`;
  return { day: "daily", "business day": "business days" }[unit] ?? `${unit}ly`;
}

// Axis label: the parts of the date that differ at this distance between labels, in seconds.
export function tickText(ms, distance) {
  const date = new Date(ms);
  const [year, month] = [date.getUTCFullYear(), MONTHS[date.getUTCMonth()]];
  if (distance >= 360 * 86400) return String(year);
  if (distance >= 28 * 86400) return `${month} ${year}`;
  if (distance >= 86400 || ms % DAY === 0) return `${date.getUTCDate()} ${month}`;
  return date.toISOString().slice(11, distance >= 60 ? 16 : 19);
}

// ms: UTC milliseconds of a wall clock.
export function dateText(ms, { unit }) {
  const date = new Date(ms);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (unit === "year") return String(year);
  if (unit === "quarter") return `Q${Math.floor(month / 3) + 1} ${year}`;
  if (unit === "month") return `${MONTHS[month]} ${year}`;
  const day = `${date.getUTCDate()} ${MONTHS[month]} ${year}`;
  if (ms % DAY === 0 && !/hour|minute|second|step/.test(unit)) return day;
  return `${day}, ${date.toISOString().slice(11, unit === "second" ? 19 : 16)}`;
}
