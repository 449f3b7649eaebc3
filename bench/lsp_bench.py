"""`run.py --only lsp`: the language server beside others, in one session each, on generated programs of
1,000 and 10,000 lines in the language of each. Peers are those on the PATH or beside `--peers`: gopls
(`go install golang.org/x/tools/gopls@latest`), clangd (Debian), ty (PyPI) and yaml-language-server (npm)
with the schema of Argo workflows, which hera (PyPI, in `--peers`) knows.

An edit breaks a name in a random block or mends it again; it is followed at once by a completion in that
block, then by the messages for the new text, then by a hover. Wall time is what a person waits, with what
the server waits by itself (clangd does before it looks at an edit); CPU time is of the server's process.
"""

import pathlib
import random
import shutil
import statistics
import subprocess
import time

import lsp_programs
from lsp_client import Client, Gone

SCHEMA = "import json; from hera.workflows.models import Workflow; print(json.dumps(Workflow.{}()))"
SIZES = (1_000, 10_000)
STARTS = 5
EDITS = 100
SECONDS = 90  # after which a server gets no more edits


class Server:
    def __init__(self, name, program, argv, prepare=None, settings=None):
        self.name, self.program, self.argv, self.prepare, self.settings = name, program, argv, prepare, settings


def beside(python, name):
    """A program on the PATH, or in the folder of a Python."""
    found = shutil.which(name) or shutil.which(name, path=pathlib.Path(python).parent)
    if not found:
        print(f"{name} is left out: it is neither on the PATH nor beside {python}", flush=True)
    return found


def servers(tools, work, options):
    yield Server("couler", lsp_programs.couler, [tools / "couler", "lsp"])
    if found := beside(options.peers, "gopls"):
        yield Server("gopls", lsp_programs.go, [found],
                     lambda folder: (folder / "go.mod").write_text("module parts\n\ngo 1.21\n"))
    if found := beside(options.peers, "ty"):
        yield Server("ty", lsp_programs.python, [found, "server"])
    if found := beside(options.peers, "clangd"):
        yield Server("clangd", lsp_programs.cpp, [found])
    if found := beside(options.peers, "yaml-language-server"):
        schema = work / "argo.json"
        for method in ("model_json_schema", "schema"):  # of pydantic 2 and 1
            made = subprocess.run([options.peers, "-c", SCHEMA.format(method)], capture_output=True)
            if made.returncode == 0:
                schema.write_bytes(made.stdout)
                yield Server("yaml-language-server", lsp_programs.argo, [found, "--stdio"],
                             settings={"yaml": {"schemas": {schema.as_uri(): "*.yaml"}}})
                return
        print(f"yaml-language-server is left out: {options.peers} has no hera to take a schema from", flush=True)


def p99(times):
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


class Session:
    """What one server took for one program; times in ms."""

    def __init__(self, server, folder, lines):
        self.folder, self.server = folder, server
        self.program = server.program(lines)
        (folder / self.program.name).write_text(self.program.text)
        if server.prepare:
            server.prepare(folder)
        self.uri = (folder / self.program.name).as_uri()
        self.times = {"start": [], "open": [], "edit": [], "completion": [], "hover": []}
        self.cpu = {}
        for _ in range(STARTS - 1):
            client = self.started()
            client.close()
        client = self.started()
        try:
            self.opened(client)
            self.edited(client)
            _, self.peak, self.memory = client.usage()
        finally:
            client.close()

    def started(self):
        client = Client(self.server.argv, self.folder, self.server.settings)
        seconds, _ = client.initialize()
        self.times["start"].append(seconds * 1000)
        self.cpu["start"] = min(self.cpu.get("start", 1e9), client.usage()[0])
        return client

    def opened(self, client):
        began = client.notify("textDocument/didOpen", {"textDocument": {
            "uri": self.uri, "languageId": self.program.language, "version": 1, "text": self.program.text}})
        self.times["open"].append((client.messages(self.uri, lambda _: True) - began) * 1000)

    def edited(self, client):
        pick = random.Random(3)
        program, broken = self.program, False
        end = time.perf_counter() + SECONDS
        cpu = client.usage()[0]
        for edit in range(EDITS):
            if not broken:
                block = pick.randrange(len(program.edits))
            line, begin, stop = program.edits[block]
            whole = program.lines[line][begin:stop]
            old, new = (program.broken, whole) if broken else (whole, program.broken)
            broken = not broken
            began = client.notify("textDocument/didChange", {
                "textDocument": {"uri": self.uri, "version": edit + 2},
                "contentChanges": [{"range": {"start": {"line": line, "character": begin},
                                              "end": {"line": line, "character": begin + len(old)}},
                                    "text": new}]})
            line, _, stop = program.completes[min(block, len(program.completes) - 1)]
            completion = client.ask("textDocument/completion", {
                "textDocument": {"uri": self.uri}, "position": {"line": line, "character": stop}})
            now = client.messages(self.uri, lambda found: bool(found) == broken)
            self.times["edit"].append((now - began) * 1000)
            now, result = client.reply(completion)
            self.times["completion"].append((now - began) * 1000)
            if not (result["items"] if isinstance(result, dict) else result):
                raise Gone("nothing to complete")
            line, stop, _ = program.hovers[min(block, len(program.hovers) - 1)]
            began = time.perf_counter()
            now, result = client.reply(client.ask("textDocument/hover", {
                "textDocument": {"uri": self.uri}, "position": {"line": line, "character": stop + 1}}))
            self.times["hover"].append((now - began) * 1000)
            if not result:
                raise Gone("nothing to hover over")
            if not broken and time.perf_counter() > end:
                break
        self.cpu["edit"] = (client.usage()[0] - cpu) / len(self.times["edit"])


TARGETS = {("start", 1_000): 100, ("start", 10_000): 100, ("edit", 1_000): 50, ("edit", 10_000): 250,
           ("completion", 10_000): 20, ("hover", 10_000): 20}


def bench_lsp(table, tools, work, repeat, options):
    print(f"{'least, median and 99 % in ms':36}" + "".join(f"{one:>24}" for one in (
        "start", "open to messages", "edit to messages", "completion", "hover")) + "   CPU ms: start, edit    MB")
    found = list(servers(tools, work, options))
    for lines in SIZES:
        for server in found:
            folder = work / f"{server.name}-{lines}"
            folder.mkdir()
            try:
                session = Session(server, folder, lines)
            except Gone as why:
                print(f"{server.name}, {lines:,} lines: {why}", flush=True)
                table.add(f"{server.name}: {why}", {"cpu": 0, "wall": 0, "mb": 0}, ok=server.name != "couler")
                continue
            cells = [f"{min(t):.1f} {statistics.median(t):.1f} {p99(t):.1f}" for t in session.times.values()]
            print(f"{server.name + f', {lines:,} lines':36}" + "".join(f"{cell:>24}" for cell in cells) +
                  f"{session.cpu['start'] * 1000:12.0f} {session.cpu['edit'] * 1000:8.1f}"
                  f"{session.peak:9.0f}", flush=True)
            row = {"what": f"{server.name}, {lines} lines", "times": session.times, "cpu": session.cpu,
                   "mb": session.peak, "ok": True}
            if server.name == "couler":
                row["missed"] = missed(session, lines)
                row["ok"] = not row["missed"]
                for one in row["missed"]:
                    print(f"    <-- {one}", flush=True)
            table.rows.append(row)


def missed(session, lines):
    result = [f"{what}: 99 % is over {most} ms" for (what, size), most in TARGETS.items()
              if size == lines and p99(session.times[what]) > most]
    if lines == 1_000 and session.peak > 80:
        result.append("memory is over 80 MB")
    return result
