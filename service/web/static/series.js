// Series, the input of a forecast: {name, values, times, targets, isOwn}; times: {ms, stamps} or null.

import { Unreadable } from "./numbers.js";
import { toISO, wallClock } from "./times.js";

const ID_NAMES = ["unique_id", "item_id", "series_id"];
const DAY = 86_400_000;

// The end of a version's training series; older cards only have the window of a golden sample.
export function seriesOf({ card }) {
  const { tail, data, golden } = card;
  const name = [data.column ?? "value", ...(tail?.series ? [tail.series] : [])].join(" of ");
  if (tail === null) return { name, values: golden.at(-1).window, targets: null, times: null, isOwn: false };
  const stamps = tail.times;
  return { name, values: tail.values, targets: tail.targets, times: stamps && { ms: places(stamps), stamps }, isOwn: false };
}

export function places(stamps) {
  const ms = stamps.map(wallClock);
  // When clocks are set back, an hour of wall-clock time repeats: then use UTC, which is ascending.
  return ms.every((time, row) => row === 0 || time > ms[row - 1]) ? ms : stamps.map((stamp) => Date.parse(stamp.replace(/\[.*\]$/, "")));
}

// Whether the target is a different column than the input: then the forecast does not continue the input's line.
export function hasOtherTarget({ data, horizon }) {
  return horizon === 0 || (data.target !== null && data.target !== data.column);
}

export function listSeries(values) {
  return { name: "your values", values, targets: null, times: null, isOwn: true };
}

// Columns that may have the series id: those whose few values repeat.
export function labels({ columns }) {
  return columns.filter(({ kind, cells }) => kind !== "time" && new Set(cells).size <= cells.length / 4);
}

// Guesses the role of each column: time, value, series id. The user can change each choice.
export function guessRoles(table) {
  const { columns } = table;
  const of = (kind) => columns.filter((column) => column.kind === kind);
  const few = labels(table);
  const id = of("text").find(({ name }) => ID_NAMES.includes(name.toLowerCase())) ?? few.find(({ kind }) => kind === "text");
  const isCount = ({ values }) => values.length > 2 && values.every((value, row) => row === 0 || value === values[row - 1] + 1 || value === values[0]);
  const numbers = of("number");
  const value = numbers.length > 1 ? numbers.find((column) => !isCount(column) && !few.includes(column)) ?? numbers.at(-1) : numbers[0];
  return { time: of("time")[0]?.name ?? "", value: value?.name ?? "", id: id?.name ?? "" };
}

export function idsOf({ columns }, roles) {
  return roles.id === "" ? [] : [...new Set(columns.find(({ name }) => name === roles.id).cells)];
}

// The series of a table after its last gap, oldest value first. Appends messages to `notes`. Throws Unreadable.
export function tableSeries(table, roles, notes) {
  const find = (name) => table.columns.find((column) => column.name === name);
  const [value, time, id] = [find(roles.value), find(roles.time), find(roles.id)];
  if (value === undefined) throw new Unreadable("No column of this table holds numbers.");
  if (value.wrong >= 0) throw new Unreadable(`Line ${table.lines[value.wrong]}, column “${value.name}”: “${value.cells[value.wrong].slice(0, 40)}” is not a number like the others.`);
  if (value.decimal === "") throw new Unreadable(`“${value.cells[0]}” may have a decimal or thousands; choose the decimal sign below.`);
  if (time?.order === "either") throw new Unreadable(`“${time.cells[0]}” may have the day or the month first; choose the order of dates below.`);
  let rows = value.values.map((number, row) => ({ number, ms: time?.ms[row], line: table.lines[row], row }));
  if (id !== undefined) rows = rows.filter(({ row }) => id.cells[row] === roles.series);
  if (time !== undefined) rows = inOrder(rows, time.name);
  const whole = afterGaps(rows, time !== undefined, notes);
  const name = id === undefined ? value.name : `${value.name} of ${roles.series}`;
  const shape = { hasZone: time?.hasZone, isDated: whole.every(({ ms }) => ms % DAY === 0) && !time?.hasZone };
  const times = time && { ms: whole.map(({ ms }) => ms), stamps: whole.map(({ ms }) => toISO(ms, shape)) };
  return { name, values: whole.map(({ number }) => number), targets: null, times: times ?? null, isOwn: true };
}

function inOrder(rows, name) {
  const sorted = [...rows].sort((one, other) => one.ms - other.ms);
  const twice = sorted.findIndex(({ ms }, row) => row > 0 && ms === sorted[row - 1].ms);
  if (twice < 0) return sorted;
  throw new Unreadable(`Lines ${sorted[twice - 1].line} and ${sorted[twice].line} have the same time in “${name}”; if several series stand below each other, choose the column that names them.`);
}

// The rows after the last missing value or time: a window must not contain a gap.
function afterGaps(rows, hasTimes, notes) {
  const steps = rows.slice(1).map(({ ms }, row) => ms - rows[row].ms).sort((one, other) => one - other);
  const usual = steps[Math.floor(steps.length / 2)];
  const isGap = (row) => hasTimes && rows[row].ms - rows[row - 1].ms > usual * 1.5 && !isWeekend(rows[row - 1].ms, rows[row].ms);
  let first = 0;
  rows.forEach(({ number, line }, row) => {
    if (Number.isNaN(number)) [first, notes.gap] = [row + 1, `The value on line ${line} is missing; the series begins after it.`];
    else if (row > 0 && isGap(row)) [first, notes.gap] = [row, `Times are missing before line ${line}; the series begins there.`];
  });
  if (first === rows.length) throw new Unreadable(`The value on line ${rows.at(-1).line}, the last one, is missing.`);
  return rows.slice(first);
}

function isWeekend(before, after) {
  return after - before === 3 * DAY && new Date(before).getUTCDay() === 5;
}
