// server/web/kinecast.d.ts says what kinecast.js has, no more and no less; and a bundler takes both.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import "./browser.js"; // What Node lacks.
import * as client from "../../server/web/kinecast.js";

const HERE = new URL("../../server/web/", import.meta.url);
const told = await readFile(new URL("kinecast.d.ts", HERE), "utf8");
const source = await readFile(new URL("kinecast.js", HERE), "utf8");

const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found);
const sorted = (names) => [...new Set(names)].sort();
const block = (name) =>
  told.match(new RegExp(`export (?:class|interface) ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s"))[1];
const members = (name) => all(block(name), /^ {2}(\w+)(?=[?:(<])/gm);

test("what can be imported", () => {
  assert.deepEqual(
    sorted(all(told, /^export (?:class|const|function|let) (\w+)/gm)),
    Object.keys(client).sort(),
  );
});

test("what a client has", () => {
  const made = new client.Kinecast("http://127.0.0.1:8083");
  const inherited = ["addEventListener", "removeEventListener", "dispatchEvent"];
  const own = [...Object.keys(made), ...Object.getOwnPropertyNames(client.Kinecast.prototype), ...inherited];
  // It is there from `start` on.
  assert.ok(!("stream" in made) && /^ {4}this\.stream = stream/m.test(source));
  assert.deepEqual(sorted(members("Kinecast")), sorted([...own, "stream"]));
});

test("its events, states, settings and book", () => {
  assert.deepEqual(sorted(members("KinecastEvents")), sorted(all(source, /#emit\("(\w+)"/g)));
  const states = sorted(all(told.match(/export type State =(.*?);\n\n/s)[1], /"(\w+)"/g));
  const said = [...all(source, /#say\("(\w+)"/g), "new"];
  assert.deepEqual(
    states.filter((name) => name !== "analyzers_restarted"),
    sorted(said),
  );
  const used = source.match(/const \{ (token.+) \} = this\.settings/)[1];
  assert.deepEqual(sorted(members("Settings")), sorted(used.replace(/ = [^,]+/g, "").split(", ")));
  assert.deepEqual(sorted(members("Book")), Object.keys(new client.Kinecast("").book).sort());
});

test("a bundler takes it, with its types beside it", async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `import { Kinecast } from "./kinecast.js";
        globalThis.made = new Kinecast("http://127.0.0.1:8083", { analyzers: ["pose"] }).settings;`,
      resolveDir: fileURLToPath(HERE),
      loader: "ts",
    },
    bundle: true,
    minify: true,
    format: "esm",
    metafile: true,
    write: false,
  });
  assert.deepEqual(
    Object.keys(metafile.inputs).map((path) => path.split("/").at(-1)),
    ["kinecast.js", "<stdin>"],
  );
  const [{ text }] = outputFiles;
  assert.ok(text.length < source.length);
  await import(`data:text/javascript,${encodeURIComponent(text)}`);
  assert.deepEqual(globalThis.made, { options: {}, analyzers: ["pose"] });
});
