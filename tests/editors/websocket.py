"""As much of a WebSocket client (RFC 6455) as the tests of `couler playground` need."""
import base64
import os
import socket
import struct


class Refused(Exception):
    def __init__(self, status):
        super().__init__(f"refused with {status}")
        self.status = status


def http(port, request, host=None, headers=()):
    """Sends `request` ("GET / HTTP/1.1") and gives the status, the headers and the body."""
    lines = [request, f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close", *headers]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while more := connection.recv(1 << 16):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    return int(first.split()[1]), {name.lower(): value.strip() for name, value in (f.split(":", 1) for f in fields)}, body


class WebSocket:
    def __init__(self, port, target, origin="", host=""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.buffer = b""
        lines = [
            f"GET {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
        if origin is not None:
            lines.append(f"Origin: {origin or f'http://127.0.0.1:{port}'}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(1 << 16)
            if not more:
                raise Refused(0)
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status != 101:
            self.socket.close()
            raise Refused(status)

    def frame(self, opcode, payload, length=None):
        size = len(payload) if length is None else length
        short = size if size < 126 else 126 if size < 1 << 16 else 127
        extended = b"" if size < 126 else struct.pack("!H", size) if size < 1 << 16 else struct.pack("!Q", size)
        self.socket.sendall(bytes([0x80 | opcode, 0x80 | short]) + extended + b"\0\0\0\0" + payload)  # masked by zeros

    def send(self, text):
        self.frame(1, text.encode())

    def take(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        """The next text; EOFError where the server parts."""
        text = b""
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self.take(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self.take(8))
            payload = self.take(size)
            opcode = first & 15
            if opcode == 8:
                raise EOFError
            if opcode == 9:
                self.frame(10, payload)
            if opcode in (0, 1):
                text += payload
                if first & 0x80:
                    return text.decode()

    def close(self):
        self.socket.close()
