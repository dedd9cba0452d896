// What went over the wire beneath a client, as Node itself tells it: the client stays as its users have it, with not a header or a hook more.
// Not here: bodies. Exchanges stand in the order in which they were answered.

import { subscribe } from "node:diagnostics_channel";

/** Since the last look: `{ http, method, path, status, call, cost, served }`; `served` is the sandbox's own number of the call. */
const exchanges = [];

subscribe("undici:request:headers", ({ request, response }) => {
  const headers = {};
  for (let i = 0; i < response.headers.length; i += 2) headers[String(response.headers[i]).toLowerCase()] = String(response.headers[i + 1]);
  add("1.1", request.method, request.path, response.statusCode, headers);
});
subscribe("http.client.response.finish", ({ request, response }) => {
  add("1.1", request.method, request.path, response.statusCode, response.headers);
});
subscribe("http2.client.stream.finish", ({ stream, headers }) => {
  const sent = stream.sentHeaders ?? {};
  add("2", sent[":method"], sent[":path"], headers[":status"], headers);
});

/** What was seen since it was last asked. */
export function takeExchanges() {
  return exchanges.splice(0);
}

function add(http, method, path, status, headers) {
  exchanges.push({
    http,
    method,
    path,
    status,
    call: headers["x-pennyworth-call"] ?? null,
    cost: headers["x-pennyworth-cost"] ?? null,
    served: headers["x-sandbox-call"] === undefined ? null : Number(headers["x-sandbox-call"]),
  });
}
