// server/web/kinecast.d.ts says what kinecast.js has, no more and no less; and a bundler takes both.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
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
  const taken = all(source, /const \{ (.+) \} = this\.settings;/g).join(", ");
  const used = [...taken.replace(/ = [^,]+/g, "").split(", "), ...all(source, /this\.settings\.(\w+)/g)];
  assert.deepEqual(sorted(members("Settings")), sorted(used));
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

test("the documents' samples are taken by TypeScript and by the bundler, as they stand", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kinecast-samples-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ["kinecast.js", "kinecast.d.ts"])
    await copyFile(new URL(name, HERE), join(folder, name));
  const text = await readFile(new URL("../../docs/page.md", import.meta.url), "utf8");
  const samples = all(text, /^```(?:java|type)script\n(.*?)^```/gms);
  assert.equal(samples.length, 2);
  const paths = samples.map((_, number) => join(folder, `app${number}.ts`));
  for (const [number, sample] of samples.entries()) {
    // Where the file is kept beside the program, and not fetched from a server.
    await writeFile(paths[number], sample.replace("http://localhost:8083/web/kinecast.js", "./kinecast.js"));
  }
  const { compilerOptions } = JSON.parse(
    await readFile(new URL("typed/tsconfig.json", import.meta.url), "utf8"),
  );
  // What a sample shows need not be used by it.
  const options = { compilerOptions: { ...compilerOptions, noUnusedLocals: false }, include: ["*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", import.meta.url));
  const check = () => promisify(execFile)(tsc, ["--project", folder]);
  await check();
  const bundled = await build({
    entryPoints: paths,
    bundle: true,
    format: "esm",
    outdir: folder,
    write: false,
  });
  assert.ok(bundled.outputFiles.every(({ text }) => text.includes("RTCPeerConnection")));
  await writeFile(paths[1], `${samples[1]}\nkinecast.start("a camera");`);
  await assert.rejects(check, ({ stdout }) =>
    /app1\.ts.*not assignable to parameter of type 'MediaStream'/.test(stdout),
  );
});
