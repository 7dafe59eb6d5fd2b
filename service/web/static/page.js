// The page: uses the public routes and shows their answers.

const SVG = "http://www.w3.org/2000/svg";
const PLOT = { left: 58, right: 350, top: 12, bottom: 168 };
const LIVE = "";
const LONGEST_LIST = 12;
const SMALLEST_PLAIN = 0.01;

const form = document.getElementById("ask");
const models = new Map(); // name → {info, section, prediction}

async function fetchJSON(path, options) {
  const answer = await fetch(path, options).catch(() => null);
  if (answer === null) throw new Error("The service does not answer.");
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(problemIn(content) ?? `The service answered ${answer.status}.`);
  return content;
}

function problemIn(content) {
  const detail = content?.detail;
  if (typeof detail === "string") return detail;
  return detail?.map((problem) => `${problem.loc.slice(1).join(" ")}: ${problem.msg}`).join("; ");
}

async function start() {
  const { models: infos } = await fetchJSON("models");
  for (const info of infos) addModel(info);
  const cards = infos.map((info) => info.card).filter((card) => card !== null);
  const longest = cards.reduce((one, other) => (other.window > one.window ? other : one), cards[0]);
  const values = document.getElementById("values");
  if (longest?.window <= LONGEST_LIST) values.value = longest.golden[0].window.map(format).join(", ");
  document.getElementById("hint").textContent =
    "Numbers with commas or blanks between them; each model takes as many of the last ones as its window has.";
}

function addModel(info) {
  const section = document.getElementById("model").content.cloneNode(true).firstElementChild;
  section.id = info.name;
  section.querySelector("h2").textContent = info.name;
  const select = section.querySelector("select");
  select.setAttribute("aria-label", `Version of the ${info.name}`);
  select.addEventListener("change", () => choose(info.name, select.value));
  document.getElementById("models").append(section);
  models.set(info.name, { info, section, chosen: LIVE, turn: 0 });
  show(info.name);
}

async function choose(name, version) {
  const model = models.get(name);
  model.chosen = version;
  try {
    await load(name);
    if (model.asked !== undefined) await ask(name, model.asked);
  } catch (error) {
    model.section.querySelector(".problem").textContent = error.message;
  }
}

async function load(name) {
  const model = models.get(name);
  model.info = await fetchJSON(`models/${name}${query(model)}`);
  model.prediction = undefined;
  model.section.querySelector(".problem").textContent = "";
  show(name);
}

function query({ chosen }) {
  return chosen === LIVE ? "" : `?version=${chosen}`;
}

function showVersions({ info, section, chosen }) {
  const older = info.kept.filter((version) => version !== info.version).map((version) => new Option(version, version));
  const live = new Option(info.version === null ? "none is live" : `${info.version} (live)`, LIVE);
  const options = [live, ...older];
  section.querySelector("select").replaceChildren(...options);
  section.querySelector("select").value = chosen;
  const refused = info.refused.map(({ version, reason }) => element("li", `version ${version} is not live: ${reason}`));
  section.querySelector(".refused").replaceChildren(...refused);
}

function show(name) {
  const { info: { card }, section } = models.get(name);
  showVersions(models.get(name));
  section.querySelectorAll("figure, .scroll").forEach((part) => part.toggleAttribute("hidden", card === null));
  if (card === null) return; // no version can be served; the refused ones say why
  const { evaluation: found } = card;
  const rows = ["model", "persistence", "linear"].map((who) => {
    const row = element("tr");
    const metrics = ["rmse", "mae", "max_abs_error", "r2", "mase"].map((metric) => element("td", format(found[who][metric])));
    const head = element("th", who === "model" ? name : who);
    head.scope = "row";
    row.append(head, ...metrics);
    return row;
  });
  section.querySelector("tbody").replaceChildren(...rows);
  section.querySelector(".caption").textContent =
    `On the last ${found.held_out_rows} rows, which it had not seen, beside two baselines:`;
  section.querySelector(".verdict").textContent = found.loses_to.length === 0
    ? "It beats both baselines." : `It loses to ${found.loses_to.join(" and to ")}.`;
  const facts = {
    "trained": new Date(card.created).toLocaleString(),
    "on": `${card.data.source}${card.data.column ? `, ${card.data.column}` : ""}, ${card.data.rows} rows`,
    ...(card.data.read ? { "read as": readAs(card.data) } : {}),
    "inputs from": `${format(card.input_range[0])} to ${format(card.input_range[1])}`,
    "recipe": `${card.config.recipe}, ${card.config.epochs} epochs, seed ${card.seed}`,
  };
  section.querySelector("dl").replaceChildren(
    ...Object.entries(facts).flatMap(([what, fact]) => [element("dt", what), element("dd", fact)]));
  draw(name);
}

function readAs({ read, frequency }) {
  const { dialect = {}, series = 1, order, gaps = "none", duplicates = "none" } = read;
  return [
    [dialect.format, dialect.delimiter].filter(Boolean).join(", "),
    series === 1 ? "" : `${series} series`,
    frequency ? `frequency ${frequency}` : "no frequency",
    order ?? "",
    gaps === "none" ? "" : `gaps ${gaps}`,
    duplicates === "none" ? "" : `duplicates ${duplicates}`,
  ].filter(Boolean).join("; ");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = document.getElementById("problem");
  problem.textContent = "";
  form.elements.values.setAttribute("aria-invalid", "true");
  const text = form.elements.values.value.trim();
  const values = text.split(/[\s,;]+/).filter((part) => part !== "").map(Number);
  if (values.some((value) => !Number.isFinite(value))) {
    problem.textContent = "These are not all numbers; write them like 1, 2.5, -3e2.";
  } else if (values.length === 0) {
    problem.textContent = "At least one number is needed.";
  } else {
    form.elements.values.removeAttribute("aria-invalid");
    const asked = [...models.values()].filter(({ info }) => info.card !== null);
    await Promise.all(asked.map(({ info }) => ask(info.name, contentFor(info.card, values))));
  }
});

// What a model is asked with: the last values, as many as its window has, or undefined where there are too few.
function contentFor({ window, input }, values) {
  if (values.length < window) return undefined;
  return isSingleValue(input) ? values.at(-1) : values.slice(-window);
}

function isSingleValue({ shape }) {
  return shape.length === 2 && shape[1] === 1;
}

async function ask(name, content) {
  const model = models.get(name);
  const turn = ++model.turn;
  const problem = model.section.querySelector(".problem");
  let [prediction, words] = [undefined, content === undefined ? `needs ${model.info.card.window} values` : ""];
  if (content !== undefined) {
    try {
      prediction = await predict(name, content);
    } catch (error) {
      words = error.message;
    }
  }
  if (turn !== model.turn) return; // a newer request was made in the meantime
  Object.assign(model, { asked: content, prediction });
  problem.textContent = words;
  model.section.querySelector("output").textContent = prediction ? String(prediction.prediction) : "-";
  model.section.querySelector(".badge").hidden = !prediction?.extrapolated;
  draw(name);
}

async function predict(name, content) {
  const model = models.get(name);
  const answer = await fetchJSON(`predict/${name}${query(model)}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ [model.info.card.input.name]: content }),
  });
  if (answer.version !== model.info.card.version) await load(name); // another version has gone live
  return answer;
}

// Residuals over the target, and the request's prediction on the same axis.
function draw(name) {
  const { info: { card }, section, prediction } = models.get(name);
  const plot = section.querySelector(".plot");
  const caption = section.querySelector("figcaption");
  plot.replaceChildren();
  plot.toggleAttribute("hidden", card.fitted.length === 0);
  if (card.fitted.length === 0) {
    caption.textContent = "This version's card has no fitted rows to show.";
    return;
  }
  const points = card.fitted.map(({ target, prediction: predicted }) => [target, predicted - target]);
  const targets = points.map(([target]) => target);
  const [low, high] = [Math.min(...targets), Math.max(...targets)];
  const at = prediction === undefined ? [] : [prediction.prediction];
  const [first, last] = [Math.min(low, ...at), Math.max(high, ...at)];
  const most = Math.max(...points.map(([, residual]) => Math.abs(residual))) || 1;
  const x = (value) => PLOT.left + (last > first ? (value - first) / (last - first) : 0.5) * (PLOT.right - PLOT.left);
  const y = (residual) => (PLOT.top + PLOT.bottom) / 2 - (residual / most) * (PLOT.bottom - PLOT.top - 8) / 2;
  plot.append(
    shape("path", { class: "axis", fill: "none", d: `M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}` }),
    shape("line", { class: "zero", x1: PLOT.left, x2: PLOT.right, y1: y(0), y2: y(0) }),
    label(format(most), PLOT.left - 6, y(most) + 4, "end"), label("0", PLOT.left - 6, y(0) + 4, "end"),
    label(format(-most), PLOT.left - 6, y(-most) + 4, "end"),
    label(format(first), PLOT.left, PLOT.bottom + 16, "start"), label(format(last), PLOT.right, PLOT.bottom + 16, "end"),
    label("target", (PLOT.left + PLOT.right) / 2, PLOT.bottom + 28, "middle"),
    ...points.map(([target, residual]) => shape("circle", { class: "point", cx: x(target), cy: y(residual), r: 2.5 })),
  );
  if (prediction !== undefined) {
    const place = x(prediction.prediction);
    plot.append(
      shape("line", { class: "request", x1: place, x2: place, y1: PLOT.top, y2: PLOT.bottom }),
      label("this request", place, PLOT.top - 2, place < 140 ? "start" : place > 270 ? "end" : "middle", "request-label"),
    );
  }
  plot.setAttribute("aria-label",
    `Residuals of ${points.length} fitted rows: prediction minus target, at most ${format(most)} off`);
  caption.textContent = "Prediction minus target, over the target, for the rows that this version was fitted on.";
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function label(text, x, y, anchor, kind = "") {
  const made = shape("text", { x, y, "text-anchor": anchor, class: kind });
  made.textContent = text;
  return made;
}

function format(number) {
  if (number === null) return "-";
  const isTiny = number !== 0 && Math.abs(number) < SMALLEST_PLAIN;
  return isTiny ? number.toExponential(1) : String(Number(number.toPrecision(4)));
}

start().catch((error) => { document.getElementById("problem").textContent = error.message; });
