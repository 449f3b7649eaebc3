// The TextMate grammar against the language server: what the one calls a keyword, a string, a comment
// or a number has to be one for the other, in every example.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createOnigScanner, createOnigString, loadWASM } from "vscode-oniguruma";
import { IGrammar, INITIAL, parseRawGrammar, Registry } from "vscode-textmate";
import {
  createProtocolConnection,
  DidOpenTextDocumentNotification,
  InitializeRequest,
  ProtocolConnection,
  SemanticTokensRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";

import { repository } from "./places";

let grammar: IGrammar;
let connection: ProtocolConnection;
let legend: string[];

/// Stand-ins for the editor's own grammars, which leave a bracket and a quote open, as real ones may.
function embedded(scope: string): string {
  return JSON.stringify({
    scopeName: scope,
    patterns: [{ begin: "['\"]", end: "never", name: "string.open" }, { match: "\\w+", name: `word.${scope}` }],
  });
}

before(async () => {
  await loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
  const registry = new Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: async (scope) =>
      scope === "source.couler"
        ? parseRawGrammar(readFileSync(join(repository, "editors/couler.tmLanguage.json"), "utf8"), "couler.json")
        : scope === "source.python" || scope === "source.shell"
          ? parseRawGrammar(embedded(scope), `${scope}.json`)
          : null,
  });
  const loaded = await registry.loadGrammar("source.couler");
  assert.ok(loaded);
  grammar = loaded;

  const server = spawn("couler", ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  connection = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  connection.listen();
  const { capabilities } = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  legend = capabilities.semanticTokensProvider?.legend.tokenTypes ?? [];
});

after(async () => {
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  connection.end();
});

/// The scopes of each character of each line.
function scopesOf(text: string): string[][] {
  let stack = INITIAL;
  return text.split("\n").map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    const result: string[] = [];
    for (const token of tokens) {
      for (let i = token.startIndex; i < token.endIndex; ++i) result[i] = token.scopes.join(" ");
    }
    return result;
  });
}

interface Token {
  line: number;
  start: number;
  length: number;
  type: string;
}

async function semanticTokens(uri: string, text: string): Promise<Token[]> {
  await connection.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "couler", version: 1, text },
  });
  const reply = await connection.sendRequest(SemanticTokensRequest.type, { textDocument: { uri } });
  const data = reply?.data ?? [];
  const result: Token[] = [];
  let line = 0;
  let start = 0;
  for (let i = 0; i < data.length; i += 5) {
    line += data[i];
    start = data[i] === 0 ? start + data[i + 1] : data[i + 1];
    result.push({ line, start, length: data[i + 2], type: legend[data[i + 3]] });
  }
  return result;
}

function programs(folder: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".cwl"))
    .map((name) => join(repository, folder, name));
}

const expected: Record<string, RegExp> = {
  keyword: /\b(keyword|constant\.language|storage|support\.type)\b/,
  comment: /\bcomment\b/,
  string: /\b(string|meta\.embedded)\b/,
  regexp: /\bstring\.regexp\b/,
  number: /\b(constant\.numeric|keyword\.other\.unit)\b/,
};

// Goldens of the formatter have words in every place, and names that stand for nothing: of these the
// server knows by the word alone whether it is one of the language's.
const odd = programs("tests/golden/format");
for (const file of [...programs("examples"), ...programs("stdlib"), ...odd]) {
  test(`${file.slice(repository.length + 1)}: as the server sees it`, async () => {
    const text = readFileSync(file, "utf8");
    const scopes = scopesOf(text);
    const lines = text.split("\n");
    const wrong: string[] = [];
    let compared = 0;
    for (const token of await semanticTokens(`file://${file}`, text)) {
      for (let i = token.start; i < token.start + token.length; ++i) {
        const have = scopes[token.line]?.[i] ?? "";
        if (lines[token.line][i] === " " || (token.type === "keyword" && odd.includes(file))) continue;
        if (/\bmeta\.embedded\.block\b/.test(have)) continue; // another language's words
        const want = expected[token.type];
        // A name is no keyword, comment or text, but in what a string interpolates.
        const right = want !== undefined
          ? want.test(have)
          : !/\b(comment|meta\.embedded|keyword\.(other|control)|constant\.numeric)\b/.test(have);
        ++compared;
        if (!right) {
          wrong.push(`${token.line + 1}:${i + 1} ${lines[token.line].slice(token.start, token.start + token.length)}: ` +
            `${token.type} against ${have}`);
          break;
        }
      }
    }
    assert.ok(compared > 50, "the server gives tokens");
    assert.deepEqual(wrong, []);
  });
}

function scopeAt(text: string, what: string, occurrence = 0): string {
  const scopes = scopesOf(text);
  let found = -1;
  for (let i = 0; i <= occurrence; ++i) found = text.indexOf(what, found + 1);
  assert.notEqual(found, -1, what);
  const before = text.slice(0, found).split("\n");
  return scopes[before.length - 1][before[before.length - 1].length];
}

test("scripts are in their own languages, and end where the text ends", () => {
  const text = `couler 1
task a() -> (n: int) {
    run python """
        n = "it's open
        """
    timeout 5 min
}
task b() {
    run sh """echo 'don"t"""
    retry 2
}
`;
  assert.match(scopeAt(text, "n ="), /meta\.embedded\.block\.python word\.source\.python$/);
  assert.match(scopeAt(text, "echo"), /meta\.embedded\.block\.shell word\.source\.shell$/);
  assert.equal(scopeAt(text, "timeout"), "source.couler keyword.other.couler");
  assert.equal(scopeAt(text, "retry"), "source.couler keyword.other.couler");
  assert.equal(scopeAt(text, "min"), "source.couler keyword.other.unit.couler");
});

test("expressions in strings are code again", () => {
  const text = 'couler 1\nfn f(a: int) -> string = "a\\n {string(a + 1)} \\{b} {"in {a}"} c"\n';
  assert.match(scopeAt(text, "string(a"), /meta\.interpolation\.couler source\.couler support\.function\.couler$/);
  assert.match(scopeAt(text, "\\n"), /constant\.character\.escape/);
  assert.doesNotMatch(scopeAt(text, "b}"), /interpolation/);
  assert.match(scopeAt(text, " c"), /string\.quoted\.double\.couler$/);
});

test("an open string ends with its line", () => {
  assert.equal(scopeAt('couler 1\nlet a = "open\nlet b = 1\n', "let b"), "source.couler storage.type.couler");
});

test("words are keywords in their places only", () => {
  const text = `couler 1
schema S {
    limit: int where limit in 0..9
    image: string from "An image"
}
transform t(rows: table<S>) {
    order by rows.limit desc
    limit 20
    image = rows.image
}
`;
  assert.doesNotMatch(scopeAt(text, "limit:"), /keyword/);
  assert.match(scopeAt(text, "where"), /keyword/);
  assert.doesNotMatch(scopeAt(text, "limit in"), /keyword/);
  assert.match(scopeAt(text, "from"), /keyword/);
  assert.doesNotMatch(scopeAt(text, "limit desc"), /keyword/);
  assert.match(scopeAt(text, "desc"), /keyword/);
  assert.match(scopeAt(text, "limit 20"), /keyword/);
  assert.doesNotMatch(scopeAt(text, "image ="), /keyword/);
  assert.match(scopeAt(text, "order by"), /keyword/);
});
