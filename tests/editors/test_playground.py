"""`couler playground` without a browser: what it serves, to whom, and that nothing is left behind. Needs nothing but Python."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from websocket import Refused, WebSocket, http

ROOT = Path(__file__).resolve().parents[2]
HELLO = (ROOT / "editors/playground/hello/hello.cwl").read_text()
SLOW = """couler 1
task wait(word: string) -> (said: string) {
    run python \"\"\"
        import os, time
        open(word, "w").write(str(os.getpid()))
        time.sleep(600)
        said = word
        \"\"\"
}
workflow slow(word: string) -> (said: string) {
    let waited = wait(word)
    return (said: waited.said)
}
"""


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not (value := holds()):
        if time.monotonic() > end:
            raise AssertionError("this took too long")
        time.sleep(0.02)
    return value


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class Page(WebSocket):
    """A page's talk: requests of its own and of its language client, and what it was told."""

    def __init__(self, playground):
        super().__init__(playground.port, f"/session?token={playground.token}")
        self.told = []
        self.last = 0

    def ask(self, method, **params):
        self.last += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}))
        while True:
            message = json.loads(self.receive())
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    raise ValueError(message["error"]["message"])
                return message["result"]
            self.told.append(message)

    def wait(self, method, fits=lambda params: True):
        while True:
            for message in self.told:
                if message.get("method") == method and fits(message["params"]):
                    self.told.remove(message)
                    return message["params"]
            self.told.append(json.loads(self.receive()))

    def finished(self, command="run", **params):
        """The lines of a command, by stream, and how it ended."""
        self.ask("playground/start", command=command, **params)
        ended = self.wait("playground/ended")
        lines = {"out": [], "err": []}
        for message in self.told:
            if message.get("method") == "playground/lines":
                lines[message["params"]["stream"]] += message["params"]["lines"]
        self.told.clear()
        return lines, ended

    def document(self, uri, text):
        self.ask("initialize", capabilities={}, rootUri=None)
        document = {"uri": uri, "languageId": "couler", "version": 1, "text": text}
        self.send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}}))


class Playground:
    def __init__(self, *words, folder, page):
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(self.temporary), "COULER_PLAYGROUND": str(page)}
        self.process = subprocess.Popen(["couler", "playground", "--no-browser", *words], cwd=folder, env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#([0-9a-f]{32})", self.address)
        if not found:
            raise AssertionError(f"no address: {self.address!r}")
        self.port, self.token = int(found[1]), found[2]

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


class PlaygroundTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="couler-playground-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.stub = self.folder / "page"
        (self.stub / "examples/hello").mkdir(parents=True)
        (self.stub / "examples/hello/hello.cwl").write_text(HELLO)
        (self.stub / "index.html").write_text('<meta name="style-nonce" content="{{nonce}}">')
        (self.stub / "main.js").write_text("// stub")
        self.started = []

    def tearDown(self):
        for one in self.started:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()
                one.process.stdout.close()

    def playground(self, *words):
        self.started.append(Playground(*words, folder=self.folder, page=self.stub))
        return self.started[-1]

    def page(self, playground):
        made = Page(playground)
        self.addCleanup(made.close)
        return made

    # What is served, and to whom.

    def test_files(self):
        port = self.playground().port
        status, headers, body = http(port, "GET / HTTP/1.1")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        nonce = re.search(rb'content="([0-9a-f]{32})"', body)[1].decode()
        self.assertIn(f"'nonce-{nonce}'", headers["content-security-policy"])
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertNotIn("unsafe", headers["content-security-policy"])
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertNotEqual(http(port, "GET / HTTP/1.1")[2], body)  # a nonce serves once
        self.assertEqual(http(port, "GET /main.js HTTP/1.1")[2], b"// stub")
        status, headers, body = http(port, "HEAD /main.js HTTP/1.1")
        self.assertEqual((status, headers["content-length"], body), (200, "7", b""))

    def test_nothing_else_is_there(self):
        (self.folder / "secret.html").write_text("secret")
        port = self.playground().port
        for path in ("/../secret.html", "/%2e%2e/secret.html", "//secret.html", "/..%2fsecret.html", "/examples/hello/hello.cwl",
                     str(self.folder / "secret.html"), "/.", "/report/", "/report/../index.html", "/report/" + "0" * 32):
            self.assertEqual(http(port, f"GET {path} HTTP/1.1")[0], 404, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            self.assertEqual(http(port, f"{method} / HTTP/1.1")[0], 405, method)
        self.assertEqual(http(port, "POST / HTTP/1.1", headers=["Content-Length: 5"])[0], 400)
        self.assertEqual(http(port, "what is this")[0], 400)
        self.assertEqual(http(port, "GET / HTTP/1.1", headers=["X: " + "x" * 20000])[0], 400)

    def test_only_this_host_and_origin(self):
        playground = self.playground()
        port = playground.port
        target = f"/session?token={playground.token}"
        self.assertEqual(http(port, "GET / HTTP/1.1", host=f"localhost:{port}")[0], 200)
        for host in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", f"[::1]:{port}"):
            self.assertEqual(http(port, "GET / HTTP/1.1", host=host)[0], 403, host)
            with self.assertRaises(Refused) as refused:
                WebSocket(port, target, host=host, origin=f"http://{host}")
            self.assertEqual(refused.exception.status, 403)
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", f"http://localhost:{port}", None):
            with self.assertRaises(Refused) as refused:
                WebSocket(port, target, origin=origin)
            self.assertEqual(refused.exception.status, 403, origin)
        for target in ("/session", "/session?token=", f"/session?token={'0' * 32}", f"/session?token={playground.token}0",
                       f"/session?token={playground.token[:-1]}"):
            with self.assertRaises(Refused) as refused:
                WebSocket(port, target)
            self.assertEqual(refused.exception.status, 403, target)
        self.assertEqual(http(port, f"GET /session?token={playground.token} HTTP/1.1")[0], 426)
        WebSocket(port, f"/session?token={playground.token}", host=f"localhost:{port}", origin=f"http://localhost:{port}").close()

    def test_loopback_only(self):
        port = self.playground().port
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for row in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
                local, state = row.split()[1], row.split()[3]
                if state == "0A" and int(local.split(":")[1], 16) == port:
                    self.assertEqual(local.split(":")[0], "0100007F")

    # A page's talk.

    def test_language_server(self):
        page = self.page(self.playground())
        opened = page.ask("playground/open")
        self.assertEqual((opened["name"], opened["text"], opened["examples"]), ("hello/hello.cwl", HELLO, True))
        page.document(opened["uri"], HELLO.replace("count(text, letter) }", "count(text, leter) }"))
        found = page.wait("textDocument/publishDiagnostics", lambda params: params["diagnostics"])["diagnostics"]
        self.assertIn("leter", found[0]["message"])
        actions = page.ask("textDocument/codeAction", textDocument={"uri": opened["uri"]}, range=found[0]["range"],
                           context={"diagnostics": []})
        self.assertIn("letter", json.dumps(actions))
        changed = {"textDocument": {"uri": opened["uri"], "version": 2}, "contentChanges": [{"text": HELLO}]}
        page.send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": changed}))
        svg = page.ask("couler/graph", textDocument={"uri": opened["uri"]})["svg"]
        self.assertIn("tabulate", svg)
        self.assertNotIn("<script", svg)

    def test_run_plan_test(self):
        playground = self.playground()
        page = self.page(playground)
        page.ask("playground/open")
        lines, ended = page.finished("run", inputs=["text=a bad cafe, aaa"])
        events = [json.loads(line) for line in lines["out"]]
        self.assertEqual(ended["code"], 0, lines)
        self.assertEqual(events[0]["event"], "run-started")
        self.assertEqual([one["outputs"]["most"] for one in events if one["event"] == "outputs"], [6])
        status, headers, body = http(playground.port, f"GET {ended['report']} HTTP/1.1")
        self.assertEqual(status, 200)
        self.assertIn(b"tabulate", body)
        self.assertIn("sandbox allow-scripts;", headers["content-security-policy"])
        self.assertNotIn("allow-same-origin", headers["content-security-policy"])
        page.ask("playground/save", text=HELLO.replace('"o"]', '"o", "x"]'))
        lines, ended = page.finished("run", workflow="hello", inputs=["text=a bad cafe, aaa"])
        self.assertEqual(sum('"reused"' in line for line in lines["out"]), 3)  # the three letters of before
        lines, ended = page.finished("plan")
        self.assertEqual(ended, {"code": 0})
        self.assertIn("tabulate", "\n".join(lines["out"]))
        self.assertEqual(page.finished("test")[1]["code"], 0)
        page.close()
        until(lambda: not list(playground.temporary.glob("couler-*/hello")))
        self.assertEqual(http(playground.port, "GET /report/" + "0" * 32 + " HTTP/1.1")[0], 404)
        self.assertEqual(playground.end(), 0)
        self.assertEqual(list(playground.temporary.iterdir()), [])

    def test_words_are_no_options(self):
        page = self.page(self.playground())
        page.ask("playground/open")
        with self.assertRaisesRegex(ValueError, "not among the commands"):
            page.ask("playground/start", command="exec")
        with self.assertRaisesRegex(ValueError, "name=value"):
            page.ask("playground/start", command="run", inputs=["--force"])
        for words in ({"workflow": "--help"}, {"inputs": [f"--report={self.folder}/x.html"]}, {"inputs": ["text=a;touch x"]}):
            lines, ended = page.finished("run", **words)
            self.assertNotIn("usage:", "\n".join(lines["out"]))
        self.assertEqual(ended["code"], 0)
        self.assertFalse((self.folder / "x.html").exists())

    def test_own_files(self):
        program = self.folder / "own.cwl"
        program.write_text(HELLO.replace("workflow hello", "workflow own"))
        program.chmod(0o640)
        (self.folder / "other.cwl").write_text(HELLO)
        page = self.page(self.playground("own.cwl"))
        opened = page.ask("playground/open")
        self.assertEqual((opened["name"], opened["examples"]), ("own.cwl", False))
        self.assertEqual(opened["programs"], ["own.cwl", "other.cwl"])
        self.assertEqual(opened["uri"], f"{opened['root']}/own.cwl")
        for name in ("../own.cwl", str(program), "page/index.html", "own.cwl/", "/etc/passwd"):
            with self.assertRaisesRegex(ValueError, "no program"):
                page.ask("playground/open", name=name)
        text = program.read_text().replace("lazy", "small")
        self.assertEqual(page.ask("playground/save", text=text), {"changed": False})
        self.assertEqual((program.read_text(), program.stat().st_mode & 0o777), (text, 0o640))
        program.write_text("changed")
        self.assertEqual(page.ask("playground/save", text=text), {"changed": True})
        self.assertEqual(program.read_text(), "changed")
        self.assertEqual(page.ask("playground/save", text=text, over=True), {"changed": False})
        self.assertEqual(program.read_text(), text)
        self.assertEqual(page.ask("playground/start", command="run")["words"], ["couler", "run", "own.cwl"])
        self.assertEqual(page.wait("playground/ended")["code"], 0)
        self.assertTrue((self.folder / ".couler").is_dir())  # as on the command line

    def test_folder(self):
        (self.folder / "work/deep/.hidden").mkdir(parents=True)
        for name in ("b.cwl", "deep/a.cwl", "deep/.hidden/no.cwl"):
            (self.folder / "work" / name).write_text(HELLO)
        (self.folder / "work/latin.cwl").write_bytes(b"couler 1 // \xe9\n")
        page = self.page(self.playground("work/"))
        self.assertEqual(page.ask("playground/open")["programs"], ["b.cwl", "deep/a.cwl", "latin.cwl"])
        opened = page.ask("playground/open", name="deep/a.cwl")
        self.assertEqual(opened["uri"], f"{opened['root']}/deep/a.cwl")
        with self.assertRaisesRegex(ValueError, "no UTF-8"):
            page.ask("playground/open", name="latin.cwl")

    # The ends of things.

    def slow(self, page, word):
        page.ask("playground/open")
        page.ask("playground/save", text=SLOW, over=True)
        pid = self.folder / word
        page.ask("playground/start", command="run", inputs=[f"word={pid}"])
        with self.assertRaisesRegex(ValueError, "under way"):
            page.ask("playground/start", command="plan")
        return int(until(lambda: pid.exists() and pid.read_text()))

    def test_cancel(self):
        page = self.page(self.playground())
        step = self.slow(page, "a")
        page.ask("playground/cancel")
        self.assertNotEqual(page.wait("playground/ended")["code"], 0)
        self.assertFalse(alive(step))
        self.assertEqual(page.finished("plan", inputs=["word=x"])[1]["code"], 0)  # and then another

    def test_a_closed_page_ends_its_run(self):
        playground = self.playground()
        page, other = self.page(playground), self.page(playground)
        step = self.slow(page, "a")
        staying = self.slow(other, "b")
        page.close()
        until(lambda: not alive(step))
        self.assertTrue(alive(staying))

    def test_interrupt_ends_all(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            playground = self.playground()
            pages = [self.page(playground) for _ in range(3)]
            steps = [self.slow(page, f"{number}-{i}") for i, page in enumerate(pages)]
            idle = socket.create_connection(("127.0.0.1", playground.port))
            self.assertEqual(playground.end(number), 0)
            idle.close()
            self.assertEqual([alive(step) for step in steps], [False] * 3)
            self.assertEqual(list(playground.temporary.iterdir()), [])
            with self.assertRaises(EOFError):
                pages[0].wait("playground/nothing")

    def test_killed(self):
        playground = self.playground()
        step = self.slow(self.page(playground), "a")
        playground.process.kill()
        playground.process.wait()
        until(lambda: not alive(step))

    # Clients that do not behave.

    def test_many_pages(self):
        playground = self.playground()
        pages = [self.page(playground) for _ in range(32)]
        for page in pages:
            self.assertEqual(page.ask("playground/open")["name"], "hello/hello.cwl")
        with self.assertRaises(Refused) as refused:
            Page(playground)
        self.assertEqual(refused.exception.status, 503)
        pages.pop().close()
        until(lambda: len(list(playground.temporary.glob("couler-*/hello"))) == 31)
        self.page(playground).ask("playground/open")

    def test_slow_and_silent_clients(self):
        playground = self.playground()
        silent = [socket.create_connection(("127.0.0.1", playground.port)) for _ in range(50)]
        for one in silent:
            one.sendall(b"GET / HT")
        page = self.page(playground)
        opened = page.ask("playground/open")
        page.document(opened["uri"], HELLO + "// more\n" * 20000)
        deaf = self.page(playground)  # asks without end and reads nothing
        uri = deaf.ask("playground/open")["uri"]
        deaf.document(uri, HELLO * 50)
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "textDocument/semanticTokens/full",
                              "params": {"textDocument": {"uri": uri}}})
        deaf.socket.settimeout(1)
        try:
            for _ in range(20000):
                deaf.send(request)
        except OSError:
            pass  # it was parted with, or is not read from any more
        before = time.monotonic()
        self.assertEqual(http(playground.port, "GET / HTTP/1.1")[0], 200)
        page.ask("textDocument/documentSymbol", textDocument={"uri": opened["uri"]})
        self.assertLess(time.monotonic() - before, 30)
        for one in silent:
            one.close()

    def test_malformed_frames(self):
        playground = self.playground()
        for opcode, payload, length in ((2, b"binary", None), (1, b"\xff\xfe", None), (1, b"", 1 << 40), (3, b"x", None), (1, b"x" * (17 << 20), None)):
            page = self.page(playground)
            with self.assertRaises((EOFError, OSError)):
                page.frame(opcode, payload, length)
                page.receive()
        page = self.page(playground)
        for text in ("", "{", "[]", "1", '{"jsonrpc":"2.0","id":"x","method":"playground/nothing"}', '{"method":"playground/open","params":[]}',
                     '{"id":{},"method":7}', '{"playground/": 1}'):
            page.send(text)
        self.assertEqual(page.ask("playground/open", name=None)["name"], "hello/hello.cwl")
        with self.assertRaisesRegex(ValueError, "there is no `playground/x`"):
            page.ask("playground/x")

    # What does not start.

    def fails(self, *words, page):
        environment = {**os.environ, "COULER_PLAYGROUND": str(page)}
        ended = subprocess.run(["couler", "playground", "--no-browser", *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stderr

    def test_no_page(self):
        code, text = self.fails(page=self.folder / "none")
        self.assertEqual(code, 1)
        self.assertIn("error[CW0905]: cannot read", text)
        self.assertIn("`make playground` makes it", text)

    def test_no_file_and_no_port(self):
        self.assertRegex(self.fails("none.cwl", page=self.stub)[1], "CW0905.*cannot read `none.cwl`: no such file")
        self.assertEqual(self.fails("--port", "70000", page=self.stub)[0], 2)
        port = str(self.playground().port)
        code, text = self.fails("--port", port, page=self.stub)
        self.assertEqual(code, 1)
        self.assertIn(f"error[CW0903]: option `--port` expects a port that can be listened at: {port} cannot, address already in use", text)


if __name__ == "__main__":
    unittest.main()
