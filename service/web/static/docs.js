// Swagger UI with the API key that the page stored.

import { fetchJSON } from "./api.js";
import { keyHeader } from "./key.js";

const spec = await fetchJSON("openapi.json");
// Swagger UI resolves relative server URLs only in documents that it fetches itself, so this one is complete.
const servers = [{ url: new URL(".", location.href).pathname.replace(/\/$/, "") || "/" }];

globalThis.SwaggerUIBundle({
  dom_id: "#swagger-ui",
  spec: { ...spec, servers },
  deepLinking: true,
  presets: [globalThis.SwaggerUIBundle.presets.apis, globalThis.SwaggerUIBundle.SwaggerUIStandalonePreset],
  requestInterceptor: (request) => {
    request.headers = { ...keyHeader(), ...request.headers };
    return request;
  },
});
