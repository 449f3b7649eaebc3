// Bundles the page into the folder given (the command looks for it in share/couler/playground beside its own
// folder), or with --tests its tests into dist/test/.
import { build } from "esbuild";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const common = { bundle: true, target: "es2022", logLevel: "warning" };
if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  await build({
    ...common,
    platform: "node",
    format: "esm",
    entryPoints: readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`),
    external: ["playwright-core"],
    outdir: "dist/test",
  });
} else {
  const out = process.argv[2];
  if (out === undefined) throw new Error("usage: node build.mjs FOLDER");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({ ...common, format: "esm", minify: true, metafile: true, entryPoints: ["src/main.ts", "src/style.css"], outdir: out });
  const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []));
  const licences = [...packages].sort().flatMap((path) =>
    readdirSync(path).filter((name) => /^licen[cs]e/i.test(name)).map((name) => `${path.slice("node_modules/".length)}\n\n${readFileSync(join(path, name), "utf8")}`));
  writeFileSync(join(out, "licenses.txt"), licences.join("\n\n"));
  for (const name of ["index.html", "favicon.svg"]) cpSync(name, join(out, name));
  cpSync("../../examples", join(out, "examples"), { recursive: true, filter: (path) => !/^\.[^.]|^README\.md$/.test(basename(path)) });
  cpSync("hello", join(out, "examples/hello"), { recursive: true });
}
