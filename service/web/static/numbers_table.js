// The forecast as a table: on the page, as tab-separated text to copy, as CSV to download.

import { byId, element } from "./dom.js";
import { format } from "./numbers.js";
import { rowTime } from "./words.js";

export function showTable({ answer }, view, decimals) {
  const body = byId("numbers").querySelector("tbody");
  const head = byId("numbers").querySelector("thead tr");
  if (answer === null) return body.replaceChildren();
  const hasActuals = answer.rows.some(({ actual }) => actual !== null);
  const titles = [view.isTime ? "When" : "Step", "Forecast", ...answer.levels.map((level) => `${level} % interval`), ...(hasActuals ? ["What came"] : [])];
  head.replaceChildren(...titles.map((title) => element("th", title, { scope: "col" })));
  body.replaceChildren(...answer.rows.map((row) => element("tr", [
    element("th", time(row, view), { scope: "row" }),
    element("td", element("strong", format(row.value, decimals))),
    ...answer.levels.map((level) => element("td", row.bounds[level].map((end) => format(end, decimals)).join(" to "))),
    ...(hasActuals ? [element("td", format(row.actual, decimals))] : []),
  ])));
}

function time(row, view) {
  return row.stamp === null ? rowTime(row, view) : element("time", rowTime(row, view), { datetime: row.stamp.replace(/\[.*\]$/, "") });
}

// The table as text for other programs: all digits, ISO 8601 time stamps.
export function tableText({ answer }, delimiter) {
  const head = ["time", "forecast", ...answer.levels.flatMap((level) => [`lower_${level}`, `upper_${level}`]), "actual"];
  const rows = answer.rows.map(({ stamp, value, bounds, actual }, step) =>
    [stamp ?? step + 1, value, ...answer.levels.flatMap((level) => bounds[level]), actual ?? ""]);
  const hasActuals = rows.some((row) => row.at(-1) !== "");
  const cut = (row) => (hasActuals ? row : row.slice(0, -1));
  return [head, ...rows].map((row) => cut(row).join(delimiter)).join("\r\n") + "\r\n";
}
