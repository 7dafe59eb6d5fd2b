// HTTP client of the service: sends the API key, parses JSON responses, throws readable errors.

import { askForKey, keyHeader } from "./key.js";

export class ServiceProblem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: no response
  }
}

// Paths are relative: the page works below any path prefix.
export async function fetchJSON(path, content) {
  const answer = await send(path, content).catch(() => null);
  if (answer === null) throw new ServiceProblem("The service does not answer.", 0);
  if (answer.status === 401) {
    await askForKey();
    return fetchJSON(path, content);
  }
  const found = await answer.json().catch(() => null);
  if (!answer.ok) throw new ServiceProblem(inWords(found) ?? `The service answered ${answer.status}.`, answer.status);
  return found;
}

function send(path, content) {
  const headers = keyHeader();
  if (content === undefined) return fetch(path, { headers });
  return fetch(path, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(content),
  });
}

function inWords(answer) {
  const detail = answer?.detail;
  if (!Array.isArray(detail)) return detail;
  return detail.map(({ loc, msg }) => [loc.slice(1).join(" "), msg].filter(Boolean).join(": ")).join("; ");
}

export const pathOf = {
  names: (prefix, limit) => `models?cards=false&limit=${limit}&prefix=${encodeURIComponent(prefix)}`,
  model: (name, version) => `models/${name}${query(version)}`,
  versions: (name) => `models/${name}/versions`,
  score: (name) => `score/${name}`,
  forecast: (name, version) => `forecast/${name}${query(version)}`,
};

function query(version) {
  return version === "" ? "" : `?version=${version}`;
}
