"""A client of a language server over its standard input and output, with a clock: what
lsp_bench.py drives couler and its peers with."""

import json
import os
import queue
import subprocess
import threading
import time


class Gone(Exception):
    """The server ended, or said nothing for too long."""


class Client:
    def __init__(self, argv, folder, settings=None, patience=120):
        self.folder, self.settings, self.patience = folder, settings or {}, patience
        self.replies, self.published, self.versions = {}, {}, {}
        self.inbox = queue.SimpleQueue()
        self.last = 0
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(word) for word in argv], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, bufsize=0
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Takes messages with the time at which each was whole."""
        stream = os.fdopen(os.dup(self.process.stdout.fileno()), "rb", buffering=1 << 16)
        try:
            while True:
                length = 0
                while (line := stream.readline().strip()):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                if not length:
                    break
                body = stream.read(length)
                self.inbox.put((time.perf_counter(), json.loads(body)))
        except (OSError, ValueError):
            pass
        self.inbox.put((time.perf_counter(), None))

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        return time.perf_counter()

    def notify(self, method, params):
        return self.send({"method": method, "params": params})

    def ask(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        return self.last

    def pump(self, done):
        """Takes what comes until `done(time)` gives something; that."""
        end = time.perf_counter() + self.patience
        while True:
            try:
                now, message = self.inbox.get(timeout=max(end - time.perf_counter(), 0.001))
            except queue.Empty:
                raise Gone(f"nothing for {self.patience} s") from None
            if message is None:
                raise Gone("the server ended")
            self.take(now, message)
            found = done(now)
            if found is not None:
                return found

    def take(self, now, message):
        if "method" not in message:
            self.replies[message.get("id")] = (now, message)
        elif message["method"] == "textDocument/publishDiagnostics":
            params = message["params"]
            self.published[params["uri"]] = (now, params["diagnostics"])
        elif "id" in message:
            result = None
            if message["method"] == "workspace/configuration":
                result = [self.settings.get(one.get("section", "")) for one in message["params"]["items"]]
            self.send({"id": message["id"], "result": result})

    def reply(self, asked):
        """When the reply came, and its result."""
        now, message = self.replies.pop(asked) if asked in self.replies else self.pump(
            lambda _: self.replies.pop(asked, None))
        if "error" in message:
            raise Gone(f"an error: {message['error'].get('message')}")
        return now, message.get("result")

    def messages(self, uri, holds):
        """When messages for a document were published for which `holds`."""
        def look(_):
            if uri in self.published and holds(self.published[uri][1]):
                return self.published[uri][0]
            return None
        self.published.pop(uri, None)
        return self.pump(look)

    def initialize(self, options=None):
        asked = self.ask("initialize", {
            "processId": os.getpid(),
            "rootUri": self.folder.as_uri(),
            "workspaceFolders": [{"uri": self.folder.as_uri(), "name": self.folder.name}],
            "initializationOptions": options or {},
            "capabilities": {
                "general": {"positionEncodings": ["utf-16"]},
                "workspace": {"configuration": True, "workspaceFolders": True},
                "textDocument": {
                    "synchronization": {"dynamicRegistration": False},
                    "publishDiagnostics": {"versionSupport": True},
                    "completion": {"completionItem": {"snippetSupport": True}},
                    "hover": {"contentFormat": ["markdown"]},
                },
            },
        })
        now, result = self.reply(asked)
        self.notify("initialized", {})
        if self.settings:
            self.notify("workspace/didChangeConfiguration", {"settings": self.settings})
        return now - self.began, result

    def usage(self):
        """CPU seconds of the process and the children that it waited for, and its memory in MB:
        the most it had, and what it has now."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        cpu = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        sizes = {}
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in ("VmHWM", "VmRSS"):
                    sizes[name] = int(value.split()[0]) / 1024
        return cpu, sizes["VmHWM"], sizes["VmRSS"]

    def close(self):
        try:
            self.reply(self.ask("shutdown", None))
            self.notify("exit", None)
            self.process.wait(10)
        except (Gone, OSError, subprocess.TimeoutExpired):
            pass
        self.process.kill()
        self.process.wait()
