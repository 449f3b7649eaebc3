import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/// The folder above all: the bundled tests are started in the extension's own.
export const repository = dirname(dirname(process.cwd()));
if (!existsSync(join(repository, "grammar"))) throw new Error("start the tests by `npm test` in editors/vscode");
