// Tables: convert rows of cells to columns of times, numbers or text.

import { split, usualWidth } from "./dialect.js";
import { isMissing, readColumn, Unreadable } from "./numbers.js";
import { readTimes } from "./times.js";

// Parses a table to {columns: [{name, kind, cells, …}], lines, notes}; kind: time, number or text. Throws Unreadable.
export function readTable(text, { decimal = "", order = "" } = {}) {
  const notes = [];
  const rows = split(text);
  const width = usualWidth(rows);
  while (width > 1 && rows.length > 0 && rows[0].cells.filter(Boolean).length === 1 && rows[0].cells.length < width) {
    notes.push(`Line ${rows[0].line}, “${rows.shift().cells[0]}”, was taken for a title.`);
  }
  if (rows.length === 0) throw new Unreadable("There is no table in this.");
  const names = isHeader(rows) ? namesOf(rows.shift(), rows, width) : [];
  checkWidth(rows, width);
  if (names.length > 0 && rows.length > 2 && looksLikeUnits(rows)) {
    notes.push(`Line ${rows[0].line}, “${rows.shift().cells.filter(Boolean).join(", ")}”, was taken for units.`);
  }
  if (rows.length === 0) throw new Unreadable("The table has names of columns and no rows.");
  const lines = rows.map((row) => row.line);
  const columns = Array.from({ length: width }, (_, place) => {
    const cells = rows.map((row) => row.cells[place] ?? "");
    return describe(names[place] || `column_${place + 1}`, cells, lines, { decimal, order });
  }).filter((column) => column.cells.some((cell) => cell !== ""));
  return { columns, lines, notes };
}

// Column names. There may be fewer names than columns if the first column has row numbers, as in files from R, or if
// every row ends with a delimiter.
function namesOf({ cells, line }, rows, width) {
  const twice = cells.find((name, place) => name !== "" && cells.indexOf(name) !== place);
  if (twice !== undefined) throw new Unreadable(`Line ${line}: the column “${twice}” is there more than once; rename one of them.`);
  if (cells.length !== width - 1) return cells;
  if (rows.every((row) => (row.cells[width - 1] ?? "") === "")) return cells;
  if (rows.every((row, place) => row.cells[0] === String(place + 1))) return ["", ...cells];
  throw new Unreadable(`Line ${rows[0].line} has ${width} cells under ${cells.length} columns; a cell that holds the delimiter needs quotes around it.`);
}

function checkWidth(rows, width) {
  const wide = rows.find(({ cells }) => cells.slice(width).some((cell) => cell !== ""));
  if (wide !== undefined) {
    throw new Unreadable(`Line ${wide.line} has ${wide.cells.length} cells where the others have ${width}; a cell that holds the delimiter needs quotes around it.`);
  }
}

// Whether the first line is a header: none of its cells is a number or a date, or one is empty.
function isHeader(rows) {
  return !rows[0].cells.some((cell) => isValue(cell)) || rows[0].cells.includes("");
}

function isValue(cell) {
  return readTimes([cell]) !== null || (!isMissing(cell) && readColumn([cell]).wrong < 0) || /^\d+$/.test(cell);
}

function looksLikeUnits(rows) {
  return !rows[0].cells.some((cell) => isValue(cell)) && rows[1].cells.some((cell) => isValue(cell));
}

function describe(name, cells, lines, { decimal, order }) {
  const times = readTimes(cells, name, order);
  if (times !== null) return { name, kind: "time", cells, ...times };
  refuseBrokenTimes(name, cells, lines);
  const { values, decimal: sign, wrong } = readColumn(cells, decimal);
  const readable = values.filter((value) => !Number.isNaN(value)).length;
  if (readable > 0 && readable >= values.length / 2) return { name, kind: "number", cells, values, decimal: sign, wrong };
  return { name, kind: "text", cells };
}

// Rejects a column of dates with a few invalid cells, instead of treating it as text.
function refuseBrokenTimes(name, cells, lines) {
  const isNone = cells.map((cell) => readTimes([cell]) === null);
  const wrong = isNone.indexOf(true);
  if (isNone.filter(Boolean).length > cells.length / 5) return;
  throw new Unreadable(`Line ${lines[wrong]}, column “${name}”: ${cells[wrong] === "" ? "the time is missing" : `“${cells[wrong].slice(0, 40)}” is no time, as the others are`}.`);
}
