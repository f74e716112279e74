// The host: node src/main.js config.json
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "./component.js";
import { outbound } from "./outbound.js";
import { answer, serve } from "./server.js";
import { openStore } from "./store.js";

const file = resolve(process.argv[2] ?? "config.json");
const config = JSON.parse(await readFile(file, "utf8"));
const here = (path) => resolve(dirname(file), path);
const { variables } = config;

const store = openStore(here(config.store ?? "kvgf.sqlite"));
const instance = await load(here(config.component), here(config.cache ?? ".translated"), {
  variables,
  client: outbound(variables),
  ...store,
});

const separator = config.listen.lastIndexOf(":");
const host = config.listen.slice(0, separator);
const server = await serve(instance, host, Number(config.listen.slice(separator + 1)));
console.error(`listening on ${host}:${server.address().port}`);

/** What waits is processed, lost webhooks are registered again, missed sales are fetched: once a minute. */
async function drain() {
  try {
    const answered = await answer(await instance(), {
      method: "POST",
      path: "/api/drain",
      authority: config.listen,
      headers: [["authorization", `Bearer ${variables.drain_token || variables.admin_token}`]],
    });
    for await (const _ of answered.body);
    if (answered.status !== 200) console.error(`the drain answered ${answered.status}`);
  } catch (error) {
    console.error(`the drain failed: ${error.message}`);
  }
}
const timer = setInterval(drain, 1000 * (config.drain_seconds ?? 60));
drain();

/** Requests that were accepted are answered. What the guest has not finished by then the next start takes up. */
function stop() {
  clearInterval(timer);
  const exit = () => {
    store.close();
    process.exit(0);
  };
  server.close(exit);
  server.closeIdleConnections();
  setTimeout(exit, 10_000);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
