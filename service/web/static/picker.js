// Combobox: finds a model by the first letters of its name.

import { fetchJSON, pathOf } from "./api.js";
import { byId, element } from "./dom.js";

const SHOWN = 12;
const PAUSE = 120; // milliseconds after the last key press before the request

export function createPicker(onChoose) {
  const [input, list, hint] = [byId("model"), byId("model-list"), byId("model-hint")];
  let [chosen, active, turn, timer] = ["", -1, 0, 0];

  async function search() {
    const mine = ++turn;
    const { models } = await fetchJSON(pathOf.names(input.value === chosen ? "" : input.value.trim().toLowerCase(), SHOWN + 1)).catch(() => ({ models: [] }));
    if (mine !== turn || document.activeElement !== input) return;
    const names = models.slice(0, SHOWN).map(({ name }) => name);
    list.replaceChildren(...names.map(option));
    hint.textContent = names.length === 0 ? "No model begins like this." : models.length > SHOWN ? "There are more; type to find one." : "";
    open(names.length > 0);
    activate(names.indexOf(chosen));
  }

  function option(name, place) {
    const made = element("li", name, { role: "option", id: `model-${place}`, "aria-selected": String(name === chosen) });
    made.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      choose(name);
    });
    return made;
  }

  function open(isOpen) {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) activate(-1);
  }

  function activate(place) {
    active = place;
    [...list.children].forEach((item, row) => item.classList.toggle("active", row === place));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `model-${place}`);
      list.children[place].scrollIntoView({ block: "nearest" });
    }
  }

  function choose(name) {
    close();
    if (name !== chosen) onChoose(name);
    show(name);
  }

  function close() {
    turn += 1;
    clearTimeout(timer);
    open(false);
    hint.textContent = "";
    input.value = chosen;
  }

  function show(name) {
    chosen = name;
    input.value = name;
  }

  const keys = {
    ArrowDown: () => (list.hidden ? search() : activate((active + 1) % list.children.length)),
    ArrowUp: () => !list.hidden && activate((active <= 0 ? list.children.length : active) - 1),
    Enter: () => !list.hidden && choose(list.children[Math.max(active, 0)].textContent),
    Escape: close,
  };
  input.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", search);
  input.addEventListener("blur", close);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  return { show };
}
