// What both vendors share: a JSON server, Vietnam's time, seeded chance.
import { createServer } from "node:http";

/** Listens on a free port of 127.0.0.1. `answer(request)` returns `{ status, body, headers }`, or null to break the connection. */
export async function listen(answer) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const url = new URL(incoming.url, "http://vendor");
    const request = {
      method: incoming.method,
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      text: Buffer.concat(chunks).toString("utf8"),
    };
    let answered;
    try {
      answered = await answer(request);
    } catch (error) {
      console.error(`vendor: ${request.method} ${request.path}: ${error.stack}`);
      answered = { status: 500, body: { message: "the vendor is broken" } };
    }
    if (process.env.PLAY_LOG) console.error(new Date().toISOString(), request.method, request.path, answered?.status ?? "lost");
    if (!answered) return incoming.socket.destroy();
    const body = JSON.stringify(answered.body);
    outgoing.writeHead(answered.status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      ...answered.headers,
    });
    outgoing.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() ?? server.close() };
}

/** Vietnam's wall time, `2026-12-02T15:30:00.123`. */
export const vietnam = (ms) => new Date(ms + 7 * 3_600_000).toISOString().slice(0, -1);

/** The moment that a parameter names; without an offset it is Vietnam's. */
export const moment = (text) => Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}+07:00`);

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
