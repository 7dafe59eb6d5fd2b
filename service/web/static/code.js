// Code examples: the current request as a curl command and as a Python program.

import { pathOf } from "./api.js";
import { questionOf } from "./forecast.js";
import { hasKey } from "./key.js";

export function codeFor({ name, version, card, series, end }) {
  const url = new URL(pathOf.forecast(name, version), document.baseURI).href;
  const question = questionOf(card, series, end);
  return { curl: curl(url, question), python: python(url, question) };
}

function curl(url, question) {
  const lines = [`curl '${url}'`, "-H 'Content-Type: application/json'"];
  if (hasKey()) lines.push('-H "Authorization: Bearer $LAGCAST_API_KEY"');
  return [...lines, `-d '${JSON.stringify(question)}'`].join(" \\\n  ");
}

function python(url, question) {
  const headers = hasKey()
    ? '{"Content-Type": "application/json", "Authorization": f"Bearer {os.environ[\'LAGCAST_API_KEY\']}"}'
    : '{"Content-Type": "application/json"}';
  const fields = Object.entries(question).map(([key, value]) => `    "${key}": ${JSON.stringify(value).replaceAll(",", ", ")},`);
  return `import json
${hasKey() ? "import os\n" : ""}from urllib.request import Request, urlopen

question = {
${fields.join("\n")}
}
request = Request("${url}", json.dumps(question).encode(), ${headers})
with urlopen(request) as answer:
    forecast = json.load(answer)
print(forecast["forecast"])
`;
}
