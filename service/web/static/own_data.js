// Form for the user's own data: typed numbers, or a pasted or dropped table with a choice of columns.

import { readFile } from "./dialect.js";
import { byId, fill } from "./dom.js";
import { Unreadable, readList } from "./numbers.js";
import { guessRoles, idsOf, labels, listSeries, tableSeries } from "./series.js";
import { readTable } from "./table.js";

const PAUSE = 250; // milliseconds after the last key press before the text is parsed
const KEPT = 200_000; // characters of a dropped file that the field shows; all of the file is used

// Callbacks: onSeries({series, notes}) for valid data, onProblem(words) for invalid data, onEmpty() without data.
export function createOwnData({ onSeries, onProblem, onEmpty }) {
  const [area, file, panel, choices] = ["data", "file", "own", "choices"].map(byId);
  const selects = Object.fromEntries(["time", "value", "id", "series", "decimal", "order"].map((name) => [name, byId(`choose-${name}`)]));
  let [text, timer, roles] = ["", 0, null];

  function use(content) {
    [text, roles] = [content, null];
    read();
  }

  function read() {
    byId("own-back").hidden = text.trim() === "";
    choices.hidden = true;
    area.removeAttribute("aria-invalid");
    if (text.trim() === "") return onEmpty();
    try {
      onSeries(isList(text) ? { series: listSeries(readList(text)), notes: [] } : fromTable());
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      area.setAttribute("aria-invalid", "true");
      onProblem(error.message);
    }
  }

  function fromTable() {
    const table = readTable(text, { decimal: selects.decimal.value, order: selects.order.value });
    roles ??= guessRoles(table);
    const ids = idsOf(table, roles);
    if (!ids.includes(roles.series)) roles.series = ids[0] ?? "";
    showChoices(table, ids);
    const notes = [...table.notes];
    const series = tableSeries(table, roles, notes);
    return { series, notes: notes.gap ? [...notes, notes.gap] : notes };
  }

  function showChoices(table, ids) {
    const named = (kind) => table.columns.filter((column) => kind.includes(column.kind)).map(({ name }) => [name, name]);
    fill(selects.value, named(["number"]), roles.value);
    fill(selects.time, [...named(["time"]), ["", "none: rows are in order"]], roles.time);
    fill(selects.id, [["", "none: one series"], ...labels(table).map(({ name }) => [name, name])], roles.id);
    fill(selects.series, ids.map((name) => [name, name]), roles.series);
    const shown = {
      value: named(["number"]).length > 1,
      time: named(["time"]).length > 0,
      id: labels(table).length > 0,
      series: ids.length > 1,
      decimal: selects.decimal.value !== "" || table.columns.some(({ decimal }) => decimal === ""),
      order: selects.order.value !== "" || table.columns.some(({ order }) => order === "either"),
    };
    for (const [name, isShown] of Object.entries(shown)) selects[name].closest("label").hidden = !isShown;
    choices.hidden = !Object.values(shown).includes(true);
  }

  for (const [name, select] of Object.entries(selects)) {
    select.addEventListener("change", () => {
      if (["time", "value", "id", "series"].includes(name)) roles[name] = select.value;
      read();
    });
  }
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => use(area.value), PAUSE);
  });
  byId("own-back").addEventListener("click", () => {
    clear();
    onEmpty();
  });

  function clear() {
    clearTimeout(timer);
    [area.value, file.value, selects.decimal.value, selects.order.value] = ["", "", "", ""];
    [text, roles] = ["", null];
    area.removeAttribute("aria-invalid");
    choices.hidden = byId("own-back").hidden = true;
  }

  async function open(chosen) {
    if (chosen === undefined) return;
    try {
      const content = await readFile(chosen);
      clearTimeout(timer);
      area.value = content.length > KEPT ? `${content.slice(0, KEPT)}\n…` : content;
      use(content);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      onProblem(error.message);
    }
  }

  file.addEventListener("change", () => open(file.files[0]));
  acceptDrops(panel, open);
  return { clear, reread: () => text.trim() !== "" && read() };
}

// A file may be dropped anywhere on the page.
function acceptDrops(panel, open) {
  const mark = (isOver) => (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    panel.classList.toggle("over", isOver);
  };
  document.addEventListener("dragover", mark(true));
  document.addEventListener("dragleave", mark(false));
  document.addEventListener("drop", (event) => {
    mark(false)(event);
    open(event.dataTransfer.files[0]);
  });
}

// Whether a text is a list of numbers (one line, or lines of numbers separated by blanks) and not a table.
function isList(text) {
  const lines = text.trim().split(/\r\n|\n|\r/);
  return lines.length === 1 || lines.every((line) => /^\s*([+-]?[\d.]+(e[+-]?\d+)?\s*)*[,;]?\s*$/i.test(line));
}
