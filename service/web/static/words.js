// Texts of the page: headline, forecast, warnings, and the description of a version's accuracy.

import { comparison, fitsFrequency } from "./forecast.js";
import { dateText, frequencyOf, next, often, stretch } from "./frequency.js";
import { decimalsFor, format } from "./numbers.js";
import { hasOtherTarget } from "./series.js";
import { wallClock } from "./times.js";

const DIGITS = 6; // float32 has seven significant digits; the last one is not reliable
const BASELINES = {
  persistence: "repeating the last value",
  linear: "a straight line through the window (linear regression)",
  seasonal_naive: "repeating the value of a season ago",
};

export function headline({ card, series }) {
  const name = hasOtherTarget(card) ? card.data.target ?? "y" : series.name;
  const what = `${name.slice(0, 1).toUpperCase()}${name.slice(1, 60)}`;
  if (card.horizon === 0) return `${what} at the end of the window`;
  return `${what}, ${next(card.steps, frequencyOf(card.data.frequency))}`;
}

// Decimals of a forecast: from its narrowest interval, else from the typical error on the held-out rows.
export function decimalsOf({ card, answer }) {
  const level = answer?.levels[0];
  const halves = level === undefined ? [] : answer.rows.map(({ bounds }) => (bounds[level][1] - bounds[level][0]) / 2);
  const decimals = decimalsFor(halves.length > 0 ? Math.min(...halves) : card.evaluation.model.mae);
  const largest = Math.max(...(answer?.rows ?? []).map(({ value }) => Math.abs(value)), 1);
  return decimals === null ? null : Math.min(decimals, Math.max(0, DIGITS - 1 - Math.floor(Math.log10(largest))));
}

export function unitOf({ data }) {
  const own = data.target === null || data.target === data.column;
  const { unit, currency } = (own ? data.read?.numbers : data.read?.target_numbers) ?? {};
  return currency ?? unit ?? "";
}

export function rowTime(row, { frequency, placeText }) {
  return row.stamp === null ? placeText(row.place) : dateText(wallClock(row.stamp), frequency);
}

// Text of one forecast row as {value, rest}: "446", "± 14 at 80 % in Jan 1961".
export function rowText(row, { card, answer }, view, decimals) {
  const bounds = row.bounds["80"] ?? row.bounds["95"];
  const level = row.bounds["80"] ? "80" : "95";
  const spread = bounds ? `± ${format((bounds[1] - bounds[0]) / 2, decimals)} with ${level} % probability` : "this version has no intervals";
  return { time: row.stamp === null ? `${answer.rows.indexOf(row) + 1} ahead`.replace(/^1 ahead$/, card.horizon === 0 ? "at the last value" : "next value") : rowTime(row, view), value: format(row.value, decimals), unit: unitOf(card), spread };
}

export function comparisonText({ answer, series }, decimals) {
  const found = comparison(answer);
  if (found === null) return "";
  const inside = found.inside.map(([level, count]) => `${count} of ${found.count} inside the ${level} % interval`);
  const mean = found.count === 1 ? "" : " on average";
  return `Compared with what really came, this forecast is ${format(found.error, decimals)} off${mean}${inside.length > 0 ? `; ${inside.join(", ")}` : ""}.`
    + (series.isOwn ? "" : " The model has seen these values in training: expect more of an error on new ones.");
}

// Warnings about the forecast: one sentence each.
export function warnings({ card, series, answer, notes }) {
  if (answer === null) return [];
  const found = [...notes];
  if (answer.extrapolated) found.push(`${unlike(card)} Such a forecast can be far off.`);
  if (series.times !== null && !fitsFrequency(card, series)) {
    found.push(`The model's values are ${often(frequencyOf(card.data.frequency))}, and yours are not: the forecast is of steps without dates.`);
  }
  if (card.evaluation.loses_to.length > 0) found.push(loses(card.evaluation));
  return found;
}

// A network that scales each window by itself follows any level, but not any shape.
function unlike({ shapes, input_range: range }) {
  if (shapes != null) return "The shape of these values is unlike those that the model was trained on.";
  const [low, high] = range.map((value) => format(value));
  return `Some of these values lie outside of what the model was trained on, ${low} to ${high}.`;
}

function loses({ model, loses_to: better, ...others }) {
  const names = better.map((name) => `${BASELINES[name]}, off by ${format(others[name].mae)}`);
  return `On the held-out rows a simpler forecast was better: ${names.join("; ")}. The model was off by ${format(model.mae)}.`;
}

// Description of the model in one or two sentences.
export function description({ card }) {
  const frequency = frequencyOf(card.data.frequency);
  const sees = card.input.shape.length === 2 && card.window === 1 ? "one value" : `the last ${stretch(card.window, frequency).replace("step", "value")}`;
  const gives = card.horizon === 0 ? "answers for the same row"
    : card.horizon === 1 ? `forecasts ${next(card.steps, frequency)}` : `forecasts ${card.steps === 1 ? "the value" : `${card.steps} values`}, from ${stretch(card.horizon, frequency)} later on`;
  const target = hasOtherTarget(card) && card.data.target ? ` of ${card.data.target}` : "";
  const values = frequency.unit === "step" ? "Values in order" : `Values ${often(frequency)}`;
  return `${values}; the network (${card.network}) sees ${sees} and ${gives}${target}.`;
}

export function quality({ card, accuracy }) {
  const { held_out_rows: rows, model, persistence, linear } = card.evaluation;
  const baselines = `${BASELINES.persistence} by ${format(persistence.mae)}, ${BASELINES.linear} by ${format(linear.mae)}`;
  return `On the ${rows} held-out rows its first step was off by ${format(model.mae)} on average; ${baselines}.${live(card, accuracy)}`;
}

// Sentence about the live accuracy: errors of the version on the actual values sent to /score.
function live({ version }, accuracy) {
  const score = accuracy?.scores.find((each) => each.version === version);
  if (!score || score.actuals === 0) return "";
  const naive = score.persistence ? `; ${BASELINES.persistence} by ${format(score.persistence.mae)}` : "";
  const share = score.coverage["80"];
  const inside = share === undefined ? "" : `; ${Math.round(100 * share)} % lay in the 80 % interval`;
  return ` On ${score.actuals} actual values sent since the service started, all steps, it was off by ${format(score.mae)}${naive}${inside}.`;
}

// Text alternative of the chart for screen readers.
export function chartText(state, view, decimals) {
  const { series, answer } = state;
  const count = `${series.values.length} ${series.values.length === 1 ? "value" : "values"} of ${series.name}`;
  if (answer === null) return `Chart of ${count}; there is no forecast.`;
  const [first, last] = [answer.rows[0], answer.rows.at(-1)].map((row) => `${format(row.value, decimals)} at ${rowTime(row, view)}`);
  const rest = answer.rows.length > 1 ? `, to ${last}` : "";
  return `Chart of ${count}, and the forecast: ${first}${rest}. The table below has all numbers.`;
}
