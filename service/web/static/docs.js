// The API's documents: Swagger UI, with the key that the page has asked for.

import { fetchJSON } from "./api.js";
import { keyHeader } from "./key.js";

const spec = await fetchJSON("openapi.json");
// Swagger UI resolves a server of a document that it is handed, not one that it fetches, against nothing.
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
