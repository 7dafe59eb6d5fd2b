// Details of a version: its errors beside the baselines', its residuals, its card.

import { byId, element } from "./dom.js";
import { frequencyOf, often } from "./frequency.js";
import { format } from "./numbers.js";
import { unitOf } from "./words.js";

const METRICS = [["mae", "MAE"], ["rmse", "RMSE"], ["max_abs_error", "largest error"], ["r2", "R²"], ["mase", "MASE"], ["smape", "sMAPE, %"], ["rmsse", "RMSSE"]];
const WHO = [["model", "this version"], ["persistence", "last value repeated"], ["linear", "linear regression"], ["seasonal_naive", "last season repeated"]];
let plot = null;

export function showDetails({ card, info }) {
  showErrors(card.evaluation);
  byId("facts").replaceChildren(...Object.entries(facts(card)).filter(([, fact]) => fact !== "").flatMap(([what, fact]) => [element("dt", what), element("dd", fact)]));
  showRefused(info);
}

function showErrors(evaluation) {
  const rows = errorRows(evaluation);
  const metrics = METRICS.filter(([metric]) => rows.some(([, errors]) => (errors[metric] ?? null) !== null));
  byId("errors").querySelector("thead tr").replaceChildren(element("td"), ...metrics.map(([, words]) => element("th", words, { scope: "col" })));
  byId("errors").querySelector("tbody").replaceChildren(...rows.map(([words, errors]) => element("tr", [
    element("th", words, { scope: "row" }),
    ...metrics.map(([metric]) => element("td", format(errors[metric]))),
  ])));
}

// Rows of the table of errors as [words, metrics]; older cards have neither steps nor a deviation.
function errorRows({ steps = [], series = 1, deviation = null, ...evaluation }) {
  const [model, ...baselines] = WHO.filter(([who]) => evaluation[who]).map(([who, words]) => [words, evaluation[who]]);
  return [
    model,
    ...(steps.length > 1 ? steps.map((errors, k) => [`its step ${k + 1}`, errors]) : []),
    ...(series > 1 && deviation ? [[`its standard deviation over ${series} series`, deviation]] : []),
    ...baselines,
  ];
}

// Reasons of refused and unknown versions, and the problem of an unusable pin.
export function showRefused({ refused, unknown = [], pin_problem: pin = null }) {
  const words = [
    ...(pin === null ? [] : [`The pin is not obeyed: ${pin}`]),
    ...unknown.map(({ version, reason }) => `Version ${version} could not be tested yet: ${reason}`),
    ...refused.map(({ version, reason }) => `Version ${version} is refused: ${reason}`),
  ];
  byId("refused").replaceChildren(...words.map((text) => element("li", text)));
}

function facts(card) {
  const { data } = card;
  const coverage = (card.intervals?.coverage ?? []).map(({ level, share, values, low, high, mean_width: width }) =>
    `${level} %: ${format(100 * share)} % of ${values} values (by chance ${Math.round(100 * low)} to ${Math.round(100 * high)} %), ${format(width)} wide on average`);
  return {
    "Input": data.column ?? "x",
    "Target": data.target ?? data.column ?? "y",
    "Unit": unitOf(card),
    "Frequency": data.frequency === null ? "no dates" : `${often(frequencyOf(data.frequency))} (${data.frequency})`,
    "Window": `${card.window} values`,
    "Horizon": `${card.horizon} ${card.horizon === 1 ? "row" : "rows"} from the window's last value to the first target`,
    "Steps": `${card.steps} ahead`,
    "Trained on": `${data.source}, ${data.rows} rows`,
    "Published weights": card.fitted_on ? `fitted on ${card.fitted_on}; the errors are of a fit without the held-out rows` : "",
    "Read as": data.read ? readAs(data.read) : "",
    "Range of inputs": `${format(card.input_range[0])} to ${format(card.input_range[1])}`,
    "Intervals held": coverage.join("; "),
    "Network": `${card.network}, seed ${card.seed}`,
    "Published": new Date(card.created).toLocaleString("en-GB"),
    "SHA-256 of the rows": data.sha256,
  };
}

function readAs({ dialect = {}, series = 1, order = "", gaps = "none", duplicates = "none" }) {
  return [
    ...[dialect.format, dialect.delimiter, order].filter(Boolean),
    ...(series === 1 ? [] : [`${series} series`]),
    ...(gaps === "none" ? [] : [`gaps ${gaps}`]),
    ...(duplicates === "none" ? [] : [`duplicates ${duplicates}`]),
  ].join(", ");
}

// Called when the details are open: closed elements have no width to draw in.
export function drawResiduals({ card }) {
  const host = byId("residuals");
  plot?.destroy();
  plot = null;
  const rows = card.held_out.length > 0 ? card.held_out : card.fitted;
  byId("residuals-caption").textContent = rows.length === 0 ? "This version's card has no rows to show residuals of."
    : `Residuals, forecast minus actual value, over the actual value: ${rows.length} ${card.held_out.length > 0 ? "held-out rows" : "rows that it was fitted on"}.`;
  host.hidden = rows.length === 0;
  if (rows.length === 0 || host.clientWidth === 0) return;
  const sorted = [...rows].sort((one, other) => one.target - other.target);
  const residuals = sorted.map(({ target, prediction }) => prediction - target);
  const most = Math.max(...residuals.map(Math.abs)) || 1;
  host.setAttribute("aria-label", `Residuals of ${rows.length} rows, at most ${format(most)} off.`);
  plot = new globalThis.uPlot(options(host.clientWidth, most), [sorted.map(({ target }) => target), residuals], host);
}

function options(width, most) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--quiet"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, values: (_, ticks) => ticks.map((tick) => format(tick)) };
  return {
    width,
    height: 200,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: [-most * 1.1, most * 1.1] } },
    axes: [axis, { ...axis, size: 64 }],
    series: [{}, { paths: () => null, points: { show: true, size: 6, width: 0, fill: colour("--accent") } }],
  };
}
