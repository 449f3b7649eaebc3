// Bundles the extension into dist/, or with --tests its tests into dist/test/.
import { build } from "esbuild";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";

const common = { bundle: true, platform: "node", format: "cjs", target: "node18", logLevel: "warning" };
if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`),
    external: ["vscode", "vscode-oniguruma"],
    outdir: "dist/test",
  });
} else {
  mkdirSync("dist", { recursive: true });
  cpSync("../couler.tmLanguage.json", "dist/couler.tmLanguage.json");
  await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    external: ["vscode"],
    minify: true,
    outfile: "dist/extension.js",
  });
}
