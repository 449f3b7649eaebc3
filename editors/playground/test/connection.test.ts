import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection, fileName } from "../src/connection";

class Socket extends EventTarget {
  static readonly OPEN = 1;
  readyState = 1;
  readonly sent: { id: string; method: string; params: object }[] = [];
  send(body: string) {
    this.sent.push(JSON.parse(body));
  }
  answer(message: object) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }
}
Object.assign(globalThis, { WebSocket: Socket });

function connected() {
  const socket = new Socket();
  const ends: string[] = [];
  const connection = new Connection(socket as unknown as WebSocket, () => ends.push("ended"));
  return { socket, connection, ends };
}

test("what is said before it is open is said then", async () => {
  const { socket, connection } = connected();
  const answer = connection.request("open", { name: "a" });
  assert.equal(socket.sent.length, 0);
  socket.dispatchEvent(new Event("open"));
  assert.deepEqual([socket.sent[0].method, socket.sent[0].params], ["playground/open", { name: "a" }]);
  socket.answer({ id: socket.sent[0].id, result: { text: "t" } });
  assert.deepEqual(await answer, { text: "t" });
});

test("each message goes to whom it is for", async () => {
  const { socket, connection } = connected();
  socket.dispatchEvent(new Event("open"));
  const told: unknown[] = [];
  const passed: unknown[] = [];
  connection.onNotification = (method, params) => told.push([method, params]);
  connection.subscribe((body) => passed.push(JSON.parse(body)));
  socket.answer({ method: "playground/ended", params: { code: 0 } });
  socket.answer({ id: 1, result: null });
  socket.answer({ method: "textDocument/publishDiagnostics", params: {} });
  assert.deepEqual(told, [["ended", { code: 0 }]]);
  assert.equal(passed.length, 2);
  const refused = connection.request("start");
  socket.answer({ id: socket.sent[0].id, error: { code: -1, message: "a command is under way" } });
  await assert.rejects(refused, /under way/);
});

test("a rename that reaches into other files is refused as a whole", () => {
  const { socket, connection } = connected();
  socket.dispatchEvent(new Event("open"));
  const passed: { error?: { message: string }; result?: unknown }[] = [];
  connection.subscribe((body) => passed.push(JSON.parse(body)));
  for (const id of [1, 2]) connection.send(JSON.stringify({ id, method: "textDocument/rename", params: { textDocument: { uri: "file:///a.cwl" } } }));
  socket.answer({ id: 1, result: { changes: { "file:///a.cwl": [], "file:///m%20n.cwl": [] } } });
  socket.answer({ id: 2, result: { changes: { "file:///a.cwl": [] } } });
  assert.match(passed[0].error?.message ?? "", /m n\.cwl/);
  assert.equal(passed[0].result, undefined);
  assert.ok(passed[1].result);
});

test("what waits for an answer learns of the end", async () => {
  const { socket, connection, ends } = connected();
  const answer = connection.request("open");
  socket.dispatchEvent(new Event("close"));
  await assert.rejects(answer, /ended/);
  assert.deepEqual(ends, ["ended"]);
  assert.equal(fileName("file:///a/b%20c.cwl"), "b c.cwl");
});
