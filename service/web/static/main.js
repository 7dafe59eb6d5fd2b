// The page: its state (model, series, end of the window, forecast) and the updates between them.

import { fetchJSON, pathOf } from "./api.js";
import { ForecastChart, pointText } from "./chart.js";
import { codeFor } from "./code.js";
import { copy, download } from "./copying.js";
import { drawResiduals, showDetails, showRefused } from "./details.js";
import { byId, element, fill } from "./dom.js";
import { ask } from "./forecast.js";
import { createOwnData } from "./own_data.js";
import { createPicker } from "./picker.js";
import { hasOtherTarget, seriesOf } from "./series.js";
import { showTable, tableText } from "./numbers_table.js";
import { firstShown, viewOf } from "./view.js";
import { chartText, comparisonText, decimalsOf, description, headline, quality, rowText, rowTime, warnings } from "./words.js";

const LIVE = "";
const FOLLOW = 2000; // milliseconds between requests for the live version
const state = { name: "", version: LIVE, info: null, accuracy: null, card: null, own: null, series: null, notes: [], end: 0, answer: null, turn: 0, seen: "" };

const chart = new ForecastChart(byId("chart"), { onDrag: dragTo, onPoint: showPoint });
const picker = createPicker((name) => chooseModel(name));
const ownData = createOwnData({
  onSeries: (own) => setOwn(own),
  onEmpty: () => setOwn(null),
  onProblem: (words) => {
    Object.assign(state, { own: null, series: null });
    refuse(words);
  },
});

async function start() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const { models } = await fetchJSON(pathOf.names("", 100));
  const first = models.find(({ name }) => name === wanted) ?? models.find(({ version }) => version !== null) ?? models[0];
  if (first === undefined) return refuse("No model is published yet. Train one: python -m training --data FILE.");
  await chooseModel(wanted || first.name).catch((error) => (wanted ? chooseModel(first.name) : Promise.reject(error)));
  byId("page").hidden = false;
  setInterval(follow, FOLLOW);
}

async function chooseModel(name) {
  Object.assign(state, { version: LIVE, seen: "", own: null, notes: [] });
  ownData.clear();
  picker.show(name);
  try {
    await load(name, LIVE);
    history.replaceState(null, "", `#${name}`);
    show();
  } catch (error) {
    refuse(error.message);
    throw error;
  }
}

// Loads the card of a version, and updates everything that depends on it.
async function load(name, version) {
  const info = await fetchJSON(pathOf.model(name, version));
  const accuracy = await fetchJSON(pathOf.score(name)).catch(() => null);
  Object.assign(state, { name, version, info, accuracy, card: info.card });
  showVersions();
  return info;
}

function showVersions() {
  const { info, version } = state;
  const older = info.kept.filter((kept) => kept !== info.version).map((kept) => [kept, `version ${kept}`]);
  const live = info.version === null ? "none is live" : `version ${info.version} (live)`;
  fill(byId("version"), [[LIVE, live], ...older], String(version));
  showRefused(info);
}

// Shows the card's series or the user's own, with a forecast from its end.
function show() {
  const { card, own } = state;
  if (card === null) return refuseModel();
  state.series = own?.series ?? seriesOf(state);
  state.notes = own?.notes ?? [];
  const count = state.series.values.length;
  byId("description").textContent = description(state);
  byId("quality").textContent = quality(state);
  showDetails(state);
  if (byId("details").open) drawResiduals(state);
  state.end = count;
  byId("end-row").hidden = true;
  if (count < card.window) return refuse(`${state.name} needs ${card.window} values; ${count === 1 ? "this is one" : `these are ${count}`}.`);
  const slider = byId("end");
  Object.assign(slider, { min: firstShown(card, state.series) + card.window, max: count, value: count });
  byId("end-row").hidden = Number(slider.min) >= count;
  return forecastNow();
}

function refuseModel() {
  state.series = null;
  byId("headline").textContent = state.name;
  for (const id of ["description", "quality"]) byId(id).textContent = "";
  byId("details").open = true;
  refuse(`No version of ${state.name} can be served.`);
}

// Requests a forecast; only the response to the newest request is used.
async function forecastNow(isSecondTry = false) {
  const turn = ++state.turn;
  const { card } = state;
  try {
    const answer = await ask(state);
    if (turn !== state.turn) return;
    state.answer = answer;
    byId("picture").hidden = false;
    problem("");
    draw();
    if (answer.version !== card.version) await follow();
  } catch (error) {
    if (turn !== state.turn) return;
    // 422 although the request fits the card: a version with another window may be live now.
    if (error.status === 422 && !isSecondTry) return readAgain(turn, error);
    refuse(error.message);
  }
}

async function readAgain(turn, refused) {
  const before = state.card;
  try {
    await load(state.name, state.version);
  } catch {
    return refuse(refused.message);
  }
  if (turn !== state.turn) return;
  if (state.card?.version === before.version) return refuse(refused.message);
  announce(`Version ${state.card.version} is live now.`);
  show();
}

// Shows an error and removes the previous forecast.
function refuse(words) {
  state.turn += 1;
  state.answer = null;
  problem(words);
  byId("page").hidden = false;
  byId("picture").hidden = byId("result").hidden = state.series === null;
  byId("answer").replaceChildren();
  byId("warnings").replaceChildren();
  if (state.card !== null && state.series !== null) draw();
}

// Shows an error message; beside the data field if the field has the error.
function problem(words) {
  const [place, isOwn] = [byId("problem"), byId("data").value.trim() !== ""];
  byId(isOwn ? "own-hint" : "status").before(place);
  place.textContent = words;
}

function announce(words) {
  byId("status").textContent = words;
}

function draw() {
  const { answer } = state;
  const isCurrent = answer !== null;
  const view = viewOf(state);
  const decimals = decimalsOf(state);
  Object.assign(state, { view, decimals });
  byId("headline").textContent = headline(state);
  byId("answer").replaceChildren(...(isCurrent ? answerParts(view, decimals) : []));
  byId("result").hidden = !isCurrent;
  byId("warnings").replaceChildren(...warnings(state).map((words) => element("li", words)));
  byId("comparison").textContent = isCurrent ? comparisonText(state, decimals) : "";
  byId("chart").setAttribute("aria-label", chartText(state, view, decimals));
  byId("point").textContent = "";
  showLegend(view);
  showTable(state, view, decimals);
  showEnd(view);
  chart.draw(view);
  if (isCurrent) showCode();
}

function answerParts(view, decimals) {
  const { rows } = state.answer;
  const ends = rows.length > 1 ? [rows[0], rows.at(-1)] : [rows[0]];
  return ends.map((row) => {
    const { time, value, unit, spread } = rowText(row, state, view, decimals);
    const number = element("span", [value, ...(unit ? [element("small", ` ${unit}`)] : [])], { class: "value" });
    return element("div", [element("span", time, { class: "when" }), number, element("span", spread, { class: "spread" })]);
  });
}

function showLegend({ points }) {
  const has = (key) => points.some((point) => point[key] != null);
  const shown = { observed: true, forecast: state.answer !== null, "band-80": has("low80"), "band-95": has("low95"), came: has("came"), "held-out": has("heldOut") };
  const isInput = hasOtherTarget(state.card) && state.series.targets === null;
  byId("legend").querySelector(".observed").textContent = isInput ? "input" : "observed";
  for (const [key, isShown] of Object.entries(shown)) byId("legend").querySelector(`.${key}`).hidden = !isShown;
}

function showEnd(view) {
  const { end, series } = state;
  const text = rowTime({ stamp: series.times && view.isTime ? series.times.stamps[end - 1] : null, place: end - 1 }, view);
  byId("end").value = end;
  byId("end").setAttribute("aria-valuetext", text);
  byId("end-text").textContent = text;
}

function showCode() {
  const code = codeFor(state);
  byId("curl").textContent = code.curl;
  byId("python").textContent = code.python;
}

function showPoint(row) {
  const point = row == null ? undefined : state.view?.points[row];
  byId("point").textContent = point ? pointText(point, state.view, state.decimals) : "";
}

function setOwn(own) {
  state.own = own;
  if (state.info !== null) show();
}

function dragTo(x) {
  const { view, series, answer } = state;
  if (answer === null || byId("end-row").hidden) return;
  const xs = series.values.map((_, place) => (view.isTime ? series.times.ms[place] / 1000 : place));
  const nearest = xs.reduce((best, value, place) => (Math.abs(value - x) < Math.abs(xs[best] - x) ? place : best), 0);
  moveEnd(nearest + 1);
}

function moveEnd(to) {
  const slider = byId("end");
  const end = Math.min(Number(slider.max), Math.max(Number(slider.min), to));
  if (end === state.end) return;
  state.end = end;
  forecastNow();
}

// Polls the live version, and shows a new one without a reload.
async function follow() {
  if (document.hidden || state.name === "") return;
  const [{ name }, before] = [state, state.info];
  const found = await fetchJSON(pathOf.versions(name)).catch(() => null);
  const seen = JSON.stringify(found);
  if (found === null || name !== state.name || seen === state.seen) return;
  state.seen = seen;
  const isKept = found.versions.some(({ version, status }) => String(version) === state.version && status === "kept");
  const loaded = await load(name, isKept ? state.version : LIVE).catch(() => null);
  if (loaded === null || name !== state.name || state.info.version === before?.version) return;
  announce(`Version ${state.info.version} is live now.`);
  if (state.version === LIVE) show();
}

byId("version").addEventListener("change", async ({ target }) => {
  try {
    await load(state.name, target.value);
    show();
  } catch (error) {
    refuse(error.message);
  }
});
byId("end").addEventListener("input", ({ target }) => moveEnd(Number(target.value)));
byId("details").addEventListener("toggle", () => state.card && drawResiduals(state));
byId("copy-table").addEventListener("click", ({ target }) => copy(tableText(state, "\t"), target));
byId("download").addEventListener("click", () => download(tableText(state, ","), `${state.name}-forecast.csv`, "text/csv"));
byId("copy-curl").addEventListener("click", ({ target }) => copy(byId("curl").textContent, target));
byId("copy-python").addEventListener("click", ({ target }) => copy(byId("python").textContent, target));

start().catch((error) => refuse(error.message));
