// The API key: prompted for after a 401, kept in session storage until the tab is closed, never in the URL.

const STORED = "lagcast.key";
let key = "";
let asking = null; // promise of the open dialog, shared by all waiting requests

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

// Opens the key dialog. Resolves when a key is entered; the caller then repeats its request.
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
