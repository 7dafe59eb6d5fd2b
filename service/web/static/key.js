// The API key: asked for when the service wants one, kept until the tab is closed, never in the URL.

const STORED = "lagcast.key";
let key = "";
let asking = null; // one dialog for all requests that wait

try {
  key = sessionStorage.getItem(STORED) ?? "";
} catch {
  // Without session storage the key is kept in memory alone.
}

export function keyHeader() {
  return key === "" ? {} : { Authorization: `Bearer ${key}` };
}

export function hasKey() {
  return key !== "";
}

// Resolves when a key has been given; the request is then tried again.
export function askForKey() {
  asking ??= show(hasKey()).finally(() => { asking = null; });
  return asking;
}

function show(isWrong) {
  const dialog = document.getElementById("key");
  const [form, input] = [dialog.querySelector("form"), dialog.querySelector("input")];
  dialog.querySelector(".problem").textContent = isWrong ? "The service does not know this key." : "";
  input.setAttribute("aria-invalid", String(isWrong));
  input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      keep(input.value.trim());
      dialog.close();
      resolve();
    }, { once: true });
  });
}

function keep(given) {
  key = given;
  try {
    sessionStorage.setItem(STORED, key);
  } catch {
    // As above.
  }
}
