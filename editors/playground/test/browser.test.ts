/// The whole in Chromium: the page as it is built, `couler` as it is on the PATH.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { type Browser, chromium, type Page } from "playwright-core";

const onPath = (name: string) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)).find(existsSync);
const browserPath = process.env.COULER_CHROMIUM ?? onPath("chromium");
const command = onPath("couler");
const pageFolder = process.env.COULER_PLAYGROUND ?? (command && join(command, "../../share/couler/playground"));
const missing = [
  browserPath === undefined ? "a browser (Debian's chromium, or COULER_CHROMIUM)" : "",
  command === undefined ? "couler on the PATH" : "",
  pageFolder === undefined || !existsSync(join(pageFolder, "main.js")) ? "the page (make playground)" : "",
].filter((one) => one !== "");
const skip = missing.length > 0 ? `needs ${missing.join(", ")}` : false;

const folder = mkdtempSync(join(tmpdir(), "couler-page-"));
const servers: ChildProcess[] = [];
let browser: Browser;
let page: Page;
const complaints: string[] = [];

/// A playground of its own for each test that wants one; its page, loaded.
async function open(...words: string[]): Promise<void> {
  const server = spawn(command!, ["playground", "--no-browser", ...words], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  servers.push(server);
  const [address] = (await createInterface(server.stdout!)[Symbol.asyncIterator]().next()).value.split("\n");
  const context = await browser.newContext({ viewport: { width: 1360, height: 820 }, colorScheme: "light" });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  page.on("pageerror", (error) => void complaints.push(String(error)));
  await page.goto(address);
  await page.locator(".tok-keyword").first().waitFor();
}

before(async () => {
  if (skip) return console.log(`skipped: ${skip}`);
  const own = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // its sandbox does not work for root
  browser = await chromium.launch({ executablePath: browserPath, args: own });
}, { timeout: 120_000 });
after(async () => {
  await browser?.close();
  for (const server of servers) server.kill("SIGINT");
  await Promise.all(servers.map((server) => server.exitCode ?? new Promise((done) => server.on("exit", done))));
  rmSync(folder, { recursive: true });
});

const picture = () => page.locator("#picture");
const textOf = async () => (await page.locator(".cm-line").allTextContents()).join("\n");
const seen = (text: string | RegExp, place = ".cm-content") => page.locator(place).filter({ hasText: text }).first().waitFor();
async function succeeded(): Promise<void> {
  await page.locator("#output .badge:not(.running)").waitFor();
  assert.equal(await page.locator("#output .badge").textContent(), "succeeded", `${await page.locator("#output").innerText()}\n${await textOf()}`);
}
/// Puts the cursor at the end of the line with this text.
async function goTo(text: string): Promise<void> {
  await page.locator(".cm-line", { hasText: text }).first().click();
  await page.keyboard.press("End");
}
async function problems(text: string): Promise<void> {
  await page.locator("#messages", { hasText: text }).waitFor();
}
test("the page loads: colours, lenses, the graph, no problems", { skip }, async () => {
  await open();
  await problems("no problems");
  await page.locator(".lenses button", { hasText: "run" }).first().waitFor();
  await page.waitForFunction(() => (document.getElementById("picture") as HTMLImageElement).naturalWidth > 100);
  assert.equal(await page.locator("#program").inputValue(), "hello/hello.cwl");
  assert.ok((await page.locator("#program option").count()) > 5);
});

test("a mistake is shown, and mended by its fix", { skip }, async () => {
  await goTo("let result = tabulate");
  const before = await picture().getAttribute("src");
  await page.keyboard.press("Enter");
  await page.keyboard.insertText("let again = tabulat(letters, counts.times)");
  await problems("1 error");
  assert.equal(await picture().getAttribute("src"), before); // the last one stays
  await page.locator("#graph-frame.old").waitFor();
  await page.locator(".cm-lintRange-error").first().hover();
  await page.locator(".cm-diagnosticAction", { hasText: "tabulate" }).first().click();
  await seen("let again = tabulate(letters");
  await problems("1 warning"); // it is not used yet
  await page.waitForFunction((old) => (document.getElementById("picture") as HTMLImageElement).src !== old, before);
  assert.equal(await page.locator("#graph-frame.old").count(), 0);
});

test("completion offers names, and inserts a call with its place for arguments", { skip }, async () => {
  await goTo("let again");
  await page.keyboard.press("Enter");
  await page.keyboard.type("let more = coun");
  const offer = page.locator(".cm-tooltip-autocomplete li", { has: page.getByText("count", { exact: true }) });
  await offer.waitFor();
  await offer.click();
  await seen("let more = count(");
  await page.keyboard.type("text");
  await page.locator(".cm-lsp-signature-tooltip").or(page.locator(".cm-tooltip-autocomplete")).first().waitFor();
  await page.keyboard.press("Escape");
  assert.match(await textOf(), /let more = count\(text\)/);
  await page.keyboard.press("Control+Shift+k"); // the line goes
});

test("hover, definition, rename and format", { skip }, async () => {
  await page.locator(".cm-line", { hasText: "let counts" }).locator(".tok-function", { hasText: "count" }).hover();
  await page.locator(".cm-lsp-documentation, .cm-lsp-hover-tooltip").first().waitFor();
  await page.locator(".cm-line", { hasText: "let counts" }).locator(".tok-function", { hasText: "count" }).click();
  await page.keyboard.press("F12");
  await page.locator(".cm-activeLine", { hasText: "task count" }).waitFor();
  await page.keyboard.press("F2");
  await page.locator(".cm-lsp-rename-panel input, .cm-panel input").first().fill("tally");
  await page.keyboard.press("Enter");
  await seen("task tally");
  await seen("{ tally(text, letter) }");
  await goTo("let letters");
  await page.keyboard.insertText("        ");
  await page.locator("#format").click();
  await page.waitForFunction(() => ![...document.querySelectorAll(".cm-line")].some((line) => line.textContent?.endsWith(" ")));
});

test("the menu changes what is under the cursor", { skip }, async () => {
  await page.locator(".cm-line", { hasText: 'let letters = ["a"' }).locator(".tok-string").first().click();
  await page.keyboard.press("Control+.");
  const menu = page.getByRole("menu");
  await menu.waitFor();
  assert.ok((await menu.getByRole("menuitem").count()) > 0);
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "detached" });
  assert.ok(await page.evaluate(() => document.activeElement?.classList.contains("cm-content")));
});

test("a run shows its steps, its outputs and its report", { skip }, async () => {
  await page.locator("#run").click();
  await succeeded();
  assert.match((await page.locator("#output .outputs").textContent()) ?? "", /most4/);
  assert.equal(await page.locator("#output .steps tr.succeeded").count(), 4);
  if (process.env.COULER_SCREENSHOT) await photograph(process.env.COULER_SCREENSHOT);
  const [report] = await Promise.all([page.context().waitForEvent("page"), page.locator("#output a", { hasText: "Report" }).click()]);
  await report.locator("h1", { hasText: "hello" }).waitFor();
  assert.equal(await report.evaluate(() => window.origin), "null"); // it can do nothing in the page's name
  await report.close();
  await page.locator("#run").click();
  await page.waitForFunction(() => document.querySelectorAll("#output .steps tr.reused").length === 4);
});

/// For the manual: a mistake with its fix, the graph, a run.
async function photograph(path: string): Promise<void> {
  await goTo("let again");
  await page.keyboard.press("Enter");
  await page.keyboard.insertText("let last = tabulat(letters, counts.times)");
  await problems("1 error");
  await page.locator(".cm-lintRange-error").first().hover();
  await page.locator(".cm-diagnosticAction").first().waitFor();
  await page.screenshot({ path });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: path.replace(/(\.\w+)$/, "-dark$1") });
  await page.emulateMedia({ colorScheme: "light" });
  await page.keyboard.press("Escape");
  while ((await textOf()).includes("let last")) await page.keyboard.press("Control+z");
}

test("a plan, a test and a lens", { skip }, async () => {
  await page.locator("#plan").click();
  await seen("tabulate", "#output .text");
  await page.locator(".lenses button", { hasText: "run test" }).click();
  await page.locator("#output .line", { hasText: "couler test hello.cwl" }).waitFor();
  await succeeded();
  await page.getByRole("button", { name: "run hello" }).click();
  await page.locator("#output .line", { hasText: "couler run hello.cwl hello" }).waitFor();
  await succeeded();
});

test("inputs reach the run, and what is none is said", { skip }, async () => {
  await page.locator("#result summary").click();
  await page.locator("#inputs").fill("text");
  await page.locator("#run").click();
  await seen("An input is written name=value", "#notice");
  await page.locator("#inputs").fill("text=a; $(b) 'c' aa");
  await page.locator("#run").click();
  await succeeded();
  assert.match((await page.locator("#output .outputs").textContent()) ?? "", /most3/);
});

test("what is written survives a reload; another example is picked; the theme is kept", { skip }, async () => {
  await page.reload();
  await seen("task tally");
  await page.locator("#program").selectOption({ label: "digits" });
  await seen("workflow digits");
  await problems("no problems");
  await page.locator(".tok-namespace, .tok-function", { hasText: "train" }).first().click();
  await page.keyboard.press("F12"); // in another file of the example
  await seen("task train");
  assert.equal(await page.locator("#program").inputValue(), "digits/model.cwl");
  await page.locator("#theme").click();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
});

test("a file of one's own is written when it is saved, and asked about when it changed", { skip }, async () => {
  const file = join(folder, "own.cwl");
  const text = readFileSync(join(pageFolder!, "examples/hello/hello.cwl"), "utf8").replaceAll("\n", "\r\n");
  writeFileSync(file, text);
  await open("own.cwl");
  assert.equal(await page.locator("#save").isDisabled(), true);
  await goTo("let letters");
  await page.keyboard.insertText(" // these");
  await page.locator("#run-label", { hasText: "Save and run" }).waitFor();
  await page.keyboard.press("Control+s");
  await page.locator("#run-label", { hasText: /^Run$/ }).waitFor();
  assert.equal(readFileSync(file, "utf8"), text.replace('"o"]', '"o"] // these')); // and no other byte
  writeFileSync(file, "changed");
  await page.keyboard.insertText("!");
  page.once("dialog", (dialog) => void dialog.dismiss());
  await page.locator("#save").click();
  await page.waitForTimeout(300);
  assert.equal(readFileSync(file, "utf8"), "changed");
  page.once("dialog", (dialog) => void dialog.accept());
  await page.locator("#save").click();
  await page.waitForFunction(() => (document.getElementById("save") as HTMLButtonElement).disabled);
  assert.match(readFileSync(file, "utf8"), /these!/);
});

test("a run is cancelled, and the page says when the playground has ended", { skip }, async () => {
  writeFileSync(join(folder, "slow.cwl"), 'couler 1\ntask wait() -> (done: bool) {\n    run python """\n        import time\n        time.sleep(600)\n        done = True\n        """\n}\nworkflow slow() -> (done: bool) {\n    let waited = wait()\n    return (done: waited.done)\n}\n');
  await open("slow.cwl");
  await page.keyboard.press("Control+Enter");
  await page.locator("#output .steps tr.running").waitFor();
  await page.locator("#cancel").click();
  await page.locator("#output .badge.cancelled").waitFor();
  servers.at(-1)?.kill("SIGINT");
  await page.locator("#notice").waitFor();
});

test("nothing was refused by the page's own policy", { skip }, () => {
  assert.deepEqual(complaints.filter((one) => !/WebSocket|ERR_CONNECTION/.test(one)), []);
});
