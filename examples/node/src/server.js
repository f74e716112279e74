// node:http in front of wasi:http/handler. Each request has an instance of its own.
import { createServer } from "node:http";
import { future } from "@bytecodealliance/preview3-shim/future";
import { types } from "@bytecodealliance/preview3-shim/http";
import { StreamReader } from "@bytecodealliance/preview3-shim/stream";

const text = new TextEncoder();
const noTrailers = () => Promise.resolve({ tag: "ok", val: undefined });
/** What concerns one connection and not the message. The guest may not set them either. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"]);

/** Answers one request: `{ status, headers, body }`, the body as an asynchronous iterable of bytes. */
export async function answer(handle, { method, path, authority, headers, body }) {
  const entries = headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
  const fields = types.Fields.fromList(entries.map(([name, value]) => [name, [text.encode(value)]]));
  const [request] = types.Request.new(fields, body && new StreamReader(body), noTrailers(), null);
  request.setMethod(method.toLowerCase());
  request.setScheme({ tag: "HTTP" });
  request.setAuthority(authority);
  request.setPathWithQuery(path);
  const response = await handle(request);
  const status = response.getStatusCode();
  const fieldsOut = response.getHeaders().copyAll();
  const { tx, rx } = future();
  const [contents] = types.Response.consumeBody(response, rx);
  async function* bytes() {
    try {
      for (let chunk; contents && (chunk = await contents.read()) !== null; ) yield chunk;
    } finally {
      tx.write({ tag: "ok", val: undefined });
    }
  }
  return { status, headers: fieldsOut.map(([name, value]) => [name, Buffer.from(value).toString("latin1")]), body: bytes() };
}

/** Listens, and returns the server. `instance` makes an instance's handler. */
export function serve(instance, host, port) {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) => values.map((v) => [name, v]));
      const empty = incoming.headers["content-length"] === undefined && !incoming.headers["transfer-encoding"];
      const answered = await answer(await instance(), {
        method: incoming.method,
        path: incoming.url,
        authority: incoming.headers.host ?? `${host}:${port}`,
        headers,
        body: empty ? undefined : incoming,
      });
      for (const [name, value] of answered.headers) outgoing.appendHeader(name, value);
      outgoing.writeHead(answered.status);
      for await (const chunk of answered.body) outgoing.write(chunk);
      outgoing.end();
    } catch (error) {
      console.error(`a request failed: ${error.stack ?? error}`);
      // Never 404: after that KiotViet sends nothing again.
      if (!outgoing.headersSent) outgoing.writeHead(503);
      outgoing.end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
