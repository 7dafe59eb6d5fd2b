// A forecast: builds the request, and converts the response to rows of the series.

import { fetchJSON, pathOf } from "./api.js";
import { frequencyOf } from "./frequency.js";
import { hasOtherTarget, places } from "./series.js";

const LEVELS = [80, 95];

// Available levels of prediction intervals; a level needs a rank within the number of calibration windows.
export function levelsOf({ intervals }) {
  if (intervals === null) return [];
  const windows = intervals.calibration_windows;
  return LEVELS.filter((level) => Math.ceil((windows + 1) * level / 100) <= windows);
}

// The request body for the window that ends before row `end`.
export function questionOf(card, series, end) {
  const window = series.values.slice(end - card.window, end);
  const isSingle = card.input.shape.length === 2 && card.input.shape[1] === 1;
  const levels = levelsOf(card);
  return {
    [card.input.name]: isSingle ? window[0] : window,
    ...(levels.length > 0 ? { levels } : {}),
    ...(isDated(card, series) ? { time: series.times.stamps[end - 1] } : {}),
  };
}

export function isDated(card, series) {
  return series.times !== null && card.data.frequency !== null && fitsFrequency(card, series);
}

// Whether rows are about as far apart as the model's frequency says; months differ in length.
export function fitsFrequency({ data }, { times }) {
  const { seconds } = frequencyOf(data.frequency);
  const steps = times.ms.slice(1).map((ms, row) => (ms - times.ms[row]) / 1000).sort((one, other) => one - other);
  const usual = steps[Math.floor(steps.length / 2)];
  return seconds === null || usual === undefined || (usual > seconds / 1.6 && usual < seconds * 1.6);
}

export async function ask({ name, version, card, series, end }) {
  const question = questionOf(card, series, end);
  return understood(await fetchJSON(pathOf.forecast(name, version), question), card, series, end);
}

// Rows of the forecast: {x, stamp, value, bounds: {level: [lower, upper]}, actual}.
function understood(answer, card, series, end) {
  const ms = answer.timestamps && places(answer.timestamps);
  const actuals = series.targets ?? (hasOtherTarget(card) ? [] : series.values);
  const rows = answer.forecast.map((value, step) => {
    const place = end - 1 + card.horizon + step;
    const bounds = Object.entries(answer.intervals).map(([level, { lower, upper }]) => [level, [lower[step], upper[step]]]);
    return {
      x: ms ? ms[step] / 1000 : place,
      stamp: answer.timestamps?.[step] ?? null,
      place,
      value,
      bounds: Object.fromEntries(bounds),
      actual: end < series.values.length ? actuals[place] ?? null : null,
    };
  });
  return { rows, version: answer.version, extrapolated: answer.extrapolated, end, levels: Object.keys(answer.intervals) };
}

// Comparison with actual values: their number, the mean absolute error, the number inside each interval.
export function comparison({ rows, levels }) {
  const known = rows.filter(({ actual }) => actual !== null);
  if (known.length === 0) return null;
  const error = known.reduce((sum, { value, actual }) => sum + Math.abs(value - actual), 0) / known.length;
  const inside = levels.map((level) => [level, known.filter(({ actual, bounds }) => bounds[level][0] <= actual && actual <= bounds[level][1]).length]);
  return { count: known.length, error, inside };
}
