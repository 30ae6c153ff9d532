// node build.mjs PLUGIN.js -o PLUGIN.wasm [--wit FOLDER]
//
// Bundles a plugin with what it imports and makes a component of it. It exports
// `probe` or `notifier`, which says as which. The tools are those of the folder in
// which this runs, or of one above it: `npm install` brings them.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", short: "o" },
    wit: { type: "string", default: "wit" },
  },
});
if (positionals.length !== 1 || !values.out) {
  console.error("usage: node build.mjs PLUGIN.js -o PLUGIN.wasm [--wit FOLDER]");
  process.exit(64);
}

const { rolldown } = await tool("rolldown/dist/index.mjs");
const { componentize } = await tool("@bytecodealliance/componentize-js/src/componentize.js");

const sdk = fileURLToPath(new URL("src/index.js", import.meta.url));
const bundle = await rolldown({
  input: resolve(positionals[0]),
  // The host provides these.
  external: /^(wasi|watchkeeper):/,
  resolve: { alias: { "watchkeeper-sdk": sdk } },
  treeshake: { moduleSideEffects: (_, external) => !external },
});
const made = await bundle.generate({ format: "esm", codeSplitting: false });
await bundle.close();
const { code, exports } = made.output[0];
const kind = ["probe", "notifier"].find((name) => exports.includes(name));
if (!kind) {
  console.error(`${positionals[0]} exports neither probe nor notifier`);
  process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), "watchkeeper-"));
try {
  const sourcePath = join(folder, "plugin.js");
  await writeFile(sourcePath, code);
  const { component } = await componentize({
    sourcePath,
    witPath: resolve(values.wit),
    worldName: `watchkeeper-${kind}`,
    // Plugins answer no HTTP requests.
    disableFeatures: ["fetch-event"],
  });
  await mkdir(dirname(resolve(values.out)), { recursive: true });
  await writeFile(values.out, component);
  console.log(`${values.out}: a ${kind}, ${component.length} bytes`);
} finally {
  await rm(folder, { recursive: true });
}

async function tool(path) {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const file = join(folder, "node_modules", path);
    if (existsSync(file)) {
      return import(pathToFileURL(file).href);
    }
    if (folder === dirname(folder)) {
      console.error(`${path} is not installed: run \`npm ci\``);
      process.exit(1);
    }
  }
}
