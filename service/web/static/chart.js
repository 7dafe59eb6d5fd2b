// The chart: the series over time, the forecast after it, its intervals, and the actual values.

import { dateText, tickText } from "./frequency.js";
import { format } from "./numbers.js";

const FONT = "12px system-ui, sans-serif";
const UTC = "Etc/UTC";

// A chart in `host`. shape: {points, xLabel, isTime, frequency}; onDrag(x) and onPoint(row) are pointer callbacks.
export class ForecastChart {
  constructor(host, { onDrag, onPoint }) {
    this.host = host;
    this.onDrag = onDrag;
    this.onPoint = onPoint;
    this.plot = null;
    this.kind = "";
    new ResizeObserver(() => this.resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  draw(view) {
    this.view = view;
    const kind = `${view.isTime} ${view.frequency.unit}`;
    if (this.plot === null || kind !== this.kind) this.create(kind);
    else this.plot.setData(columns(view), true);
  }

  redraw() {
    if (this.view) this.create(this.kind);
  }

  resize() {
    if (this.plot && this.host.clientWidth > 0) this.plot.setSize(this.size());
  }

  size() {
    const width = this.host.clientWidth;
    return { width, height: Math.round(Math.min(440, Math.max(260, width * 0.46))) };
  }

  create(kind) {
    this.plot?.destroy();
    this.kind = kind;
    this.plot = new globalThis.uPlot(this.options(), columns(this.view), this.host);
    this.plot.root.querySelector("canvas").setAttribute("aria-hidden", "true");
    this.follow(this.plot.over);
  }

  options() {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [ink, quiet, line, accent] = ["--text", "--quiet", "--line", "--accent"].map(colour);
    const [wide, narrow, warm] = ["--band-95", "--band-80", "--warm"].map(colour);
    const axis = { stroke: quiet, font: FONT, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const hidden = { width: 0, stroke: "transparent", points: { show: false } };
    const dots = (fill) => ({ show: (plot, row) => plot.data[row].filter((value) => value != null).length <= 40, size: 5, fill, stroke: fill });
    return {
      ...this.size(),
      legend: { show: false },
      cursor: { drag: { setScale: false, x: false, y: false }, y: false, points: { show: false } },
      tzDate: (seconds) => globalThis.uPlot.tzDate(new Date(seconds * 1000), UTC),
      scales: { x: { time: this.view.isTime, range: (_, low, high) => withMargin(low, Math.max(high, this.view.lastX)) } },
      axes: [
        { ...axis, size: 32, grid: { show: false }, space: 80, values: (_, ticks, __, ___, distance) => ticks.map((tick) => this.tick(tick, distance)) },
        { ...axis, size: (plot, labels) => 16 + 7 * Math.max(2, ...(labels ?? []).map((label) => label.length)), values: (_, ticks) => ticks.map((tick) => format(tick)) },
      ],
      series: [
        {},
        { ...hidden }, { ...hidden }, { ...hidden }, { ...hidden },
        { stroke: quiet, width: 1.5, dash: [3, 3], points: { show: false }, spanGaps: false },
        { stroke: ink, width: 1.75, points: dots(ink) },
        { stroke: warm, width: 2, points: { show: true, size: 6, fill: colour("--panel"), stroke: warm } },
        { stroke: accent, width: 2.5, points: dots(accent) },
      ],
      bands: [{ series: [4, 3], fill: wide }, { series: [2, 1], fill: narrow }],
      hooks: { draw: [(plot) => this.markEnd(plot, quiet), (plot) => this.drawSingle(plot, wide, narrow)], setCursor: [(plot) => this.onPoint(plot.cursor.idx)] },
    };
  }

  tick(at, distance) {
    if (this.view.isTime) return tickText(at * 1000, distance);
    return Number.isInteger(at) ? this.view.placeText(at) : "";
  }

  // A line where the window ends.
  markEnd(plot, stroke) {
    const at = Math.round(plot.valToPos(this.view.endX, "x", true));
    const { top, height } = plot.bbox;
    const { ctx } = plot;
    ctx.save();
    Object.assign(ctx, { strokeStyle: stroke, lineWidth: devicePixelRatio });
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
    ctx.restore();
  }

  // A single forecast value that does not continue the line has no width: draw its intervals as bars.
  drawSingle(plot, wide, narrow) {
    if (!this.view.isSingle) return;
    const [x, narrowLow, narrowHigh, wideLow, wideHigh] = plot.data.slice(0, 5).map((column) => column[this.view.forecastRow]);
    const bar = (low, high, fill) => {
      if (low == null) return;
      const [from, to] = [plot.valToPos(high, "y", true), plot.valToPos(low, "y", true)];
      plot.ctx.fillStyle = fill;
      plot.ctx.fillRect(plot.valToPos(x, "x", true) - 5 * devicePixelRatio, from, 10 * devicePixelRatio, to - from);
    };
    bar(wideLow, wideHigh, wide);
    bar(narrowLow, narrowHigh, narrow);
  }

  // Dragging over the chart moves the end of the series.
  follow(over) {
    const at = (event) => this.plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      this.onDrag(at(event));
    });
    over.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) this.onDrag(at(event));
    });
  }
}

// Range of the x axis, with room for half a point at the right; a single point gets a range of one.
function withMargin(low, high) {
  return [low, high > low ? high + (high - low) * 0.015 : low + 1];
}

// uPlot's columns: x, four interval bounds, forecasts of held-out rows, observed values, actual values, forecast.
function columns({ points }) {
  const keys = ["x", "low80", "high80", "low95", "high95", "heldOut", "observed", "came", "forecast"];
  return keys.map((key) => points.map((point) => point[key] ?? null));
}

export function pointText(point, { isTime, frequency, placeText }, decimals) {
  const parts = [isTime ? dateText(point.x * 1000, frequency) : placeText(point.x)];
  const add = (label, value) => value != null && parts.push(`${label} ${format(value, decimals)}`);
  add("observed", point.observed);
  if (point.isForecast) add("forecast", point.forecast);
  if (point.isForecast && point.low80 != null) parts.push(`80 % ${format(point.low80, decimals)} to ${format(point.high80, decimals)}`);
  if (point.observed == null) add("came", point.came);
  add("had been forecast", point.heldOut);
  return parts.join(" · ");
}
