// Data of the chart: one point per time, with the series, the forecast and the forecasts of held-out rows.

import { isDated } from "./forecast.js";
import { frequencyOf } from "./frequency.js";
import { hasOtherTarget, places } from "./series.js";

const FEWEST = 60; // least number of points to show, if the series has them

// First row to show: with all older points, the forecast would be a dot at the end of a long line.
export function firstShown(card, series) {
  const shown = Math.max(FEWEST, 6 * card.steps, card.window + 4 * card.steps);
  return Math.max(0, series.values.length - shown);
}

export function viewOf({ card, series, end, answer }) {
  const isTime = isDated(card, series);
  const x = (place) => (isTime ? series.times.ms[place] / 1000 : place);
  const points = new Map();
  const put = (at, found) => points.set(at, { ...points.get(at), ...found, x: at });
  const isContinued = !hasOtherTarget(card);
  const shown = series.targets ?? series.values;
  for (let place = firstShown(card, series); place < series.values.length; place += 1) {
    const came = place >= end ? { came: shown[place] } : { observed: shown[place] };
    put(x(place), place === end - 1 && end < shown.length ? { ...came, came: shown[place] } : came);
  }
  if (!series.isOwn && isTime) putHeldOut(card, put, points);
  if (answer !== null) putForecast(answer, put, isContinued ? { x: x(end - 1), value: shown[end - 1] } : null);
  const sorted = [...points.values()].sort((one, other) => one.x - other.x);
  return {
    points: sorted,
    isTime,
    frequency: isTime ? frequencyOf(card.data.frequency) : { unit: "step", count: 1 },
    placeText: (place) => placeText(place, series.values.length),
    endX: x(end - 1),
    lastX: lastX(card, x, series.values.length),
    isSingle: answer?.rows.length === 1 && !isContinued,
    forecastRow: answer === null ? -1 : sorted.findIndex((point) => point.x === answer.rows[0].x),
  };
}

// End of the x axis: the end of a forecast from the last value, so that the width is constant while dragging.
function lastX({ horizon, steps }, x, count) {
  const step = count > 1 ? (x(count - 1) - x(Math.max(0, count - 13))) / Math.min(12, count - 1) : 1;
  return x(count - 1) + step * (horizon + steps - 1);
}

// Label of a value without a date: its distance from the last value of the series.
function placeText(place, count) {
  const steps = Math.round(place) - (count - 1);
  return steps === 0 ? "last" : steps > 0 ? `+${steps}` : `−${-steps}`;
}

function putHeldOut({ held_out: rows }, put, points) {
  if (rows.length === 0 || rows[0].time === null) return;
  const ms = places(rows.map(({ time }) => time));
  rows.forEach(({ prediction }, row) => {
    if (points.has(ms[row] / 1000)) put(ms[row] / 1000, { heldOut: prediction });
  });
}

function putForecast({ rows, levels }, put, start) {
  // The forecast starts at the last value of the series, so that the line and the bands have no gap.
  if (start !== null) {
    const ends = levels.flatMap((level) => [[`low${level}`, start.value], [`high${level}`, start.value]]);
    put(start.x, { forecast: start.value, ...Object.fromEntries(ends) });
  }
  for (const { x, value, bounds } of rows) {
    const [[low80, high80], [low95, high95]] = [bounds["80"] ?? [null, null], bounds["95"] ?? [null, null]];
    put(x, { forecast: value, low80, high80, low95, high95, isForecast: true });
  }
}
