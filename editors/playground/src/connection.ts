import type { Transport } from "@codemirror/lsp-client";

type Params = Record<string, unknown>;
interface Message {
  id?: number | string;
  method?: string;
  params?: Params;
  result?: unknown;
  error?: { code: number; message: string };
}

/// The page's one connection to `couler playground`: JSON-RPC, a message a frame. What begins with
/// `playground/` is the page's own talk, all else the language client's.
export class Connection implements Transport {
  onNotification: (method: string, params: Params) => void = () => {};
  private readonly handlers = new Set<(body: string) => void>();
  private readonly requests = new Map<string, { resolve(result: unknown): void; reject(error: Error): void }>();
  private readonly renames = new Map<number | string, string>(); // id: URI
  private waiting: string[] | undefined = []; // until it is open
  private last = 0;

  constructor(private readonly socket: WebSocket, onEnd: () => void) {
    socket.addEventListener("open", () => {
      this.waiting?.forEach((body) => socket.send(body));
      this.waiting = undefined;
    });
    socket.addEventListener("message", ({ data }) => this.take(String(data)));
    socket.addEventListener("close", () => {
      for (const one of this.requests.values()) one.reject(new Error("The playground has ended."));
      this.requests.clear();
      onEnd();
    });
  }

  /// A request of the page's own.
  request<Result>(method: string, params: Params = {}): Promise<Result> {
    const id = `page-${++this.last}`;
    return new Promise<Result>((resolve, reject) => {
      this.requests.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.send(JSON.stringify({ jsonrpc: "2.0", id, method: `playground/${method}`, params }));
    });
  }

  send(body: string): void {
    if (body.includes('"textDocument/rename"')) {
      const { id, params } = JSON.parse(body) as Message & { params: { textDocument: { uri: string } } };
      if (id !== undefined) this.renames.set(id, params.textDocument.uri);
    }
    if (this.waiting !== undefined) this.waiting.push(body);
    else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(body);
  }

  subscribe(handler: (body: string) => void): void {
    this.handlers.add(handler);
  }
  unsubscribe(handler: (body: string) => void): void {
    this.handlers.delete(handler);
  }

  private take(body: string): void {
    const message = JSON.parse(body) as Message;
    const own = this.requests.get(String(message.id));
    if (own !== undefined && message.method === undefined) {
      this.requests.delete(String(message.id));
      if (message.error !== undefined) own.reject(new Error(message.error.message));
      else own.resolve(message.result);
    } else if (message.method?.startsWith("playground/")) {
      this.onNotification(message.method.slice("playground/".length), message.params ?? {});
    } else {
      const passed = JSON.stringify(this.renamesHere(message));
      this.handlers.forEach((handler) => handler(passed));
    }
  }

  /// The language client changes open files only. A rename that reaches into others must not be half done.
  private renamesHere(message: Message): Message {
    const uri = message.id === undefined ? undefined : this.renames.get(message.id);
    if (uri === undefined || message.method !== undefined) return message;
    this.renames.delete(message.id!);
    const changes = (message.result as { changes?: Record<string, unknown> } | null)?.changes ?? {};
    const others = Object.keys(changes).filter((one) => one !== uri).map(fileName);
    if (others.length === 0) return message;
    return { ...message, result: undefined, error: { code: -32803, message: `it is used in ${others.join(", ")} too, which this page cannot change` } };
  }
}

/// The last part of a URI, as people write it.
export function fileName(uri: string): string {
  return decodeURIComponent(uri.replace(/^.*\//, ""));
}
