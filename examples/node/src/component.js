// The component as JavaScript: translated once for each build of it, instantiated for each request.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "@bytecodealliance/jco-transpile";
import { stderr } from "@bytecodealliance/preview3-shim/cli";
import { monotonicClock, systemClock } from "@bytecodealliance/preview3-shim/clocks";
import { types } from "@bytecodealliance/preview3-shim/http";
import { random } from "@bytecodealliance/preview3-shim/random";

/** The translation of `component`, in a directory of its own under `cache`: about two seconds, once. */
async function translated(component, cache) {
  const digest = createHash("sha256").update(await readFile(component)).digest("hex");
  const directory = join(cache, digest.slice(0, 16));
  const script = join(directory, "plugin.js");
  if (await readFile(script).catch(() => null)) return directory;
  const part = `${directory}.${process.pid}`;
  const { files } = await transpile(component, {
    name: "plugin",
    outDir: part,
    instantiation: "async",
    asyncMode: "jspi",
    asyncExports: ["0.3.0", "0.3.0-rc-2026-03-15"].map((wasi) => `wasi:http/handler@${wasi}#handle`),
    emitTypescriptDeclarations: false,
  });
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  await rename(part, directory).catch(() => rm(part, { recursive: true }));
  return directory;
}

/** A function that makes an instance and returns its `handle`. `world` holds store, atomics, client and variables. */
export async function load(component, cache, world) {
  const directory = await translated(component, cache);
  const { instantiate } = await import(pathToFileURL(join(directory, "plugin.js")));
  const modules = new Map();
  const module = async (name) => {
    if (!modules.has(name)) modules.set(name, WebAssembly.compile(await readFile(join(directory, name))));
    return modules.get(name);
  };
  const imports = {
    "wasi:cli/stderr": stderr,
    "wasi:clocks/monotonic-clock": monotonicClock,
    "wasi:clocks/system-clock": systemClock,
    "wasi:config/store": {
      get: (name) => world.variables[name],
      getAll: () => Object.entries(world.variables),
    },
    "wasi:http/client": world.client,
    "wasi:http/types": types,
    "wasi:keyvalue/atomics": world.atomics,
    "wasi:keyvalue/store": world.store,
    "wasi:random/random": random,
  };
  return async () => (await instantiate(module, imports)).handler.handle;
}
