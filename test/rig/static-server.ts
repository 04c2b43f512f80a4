import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';

export interface ServedRequest {
  readonly path: string;
  readonly status: number;
  /** Bytes of the body sent. */
  readonly bytes: number;
  readonly range: string | null;
}

/** What a server does wrong with a file; null answers as it should. */
export type Fault = (request: IncomingMessage, response: ServerResponse, file: Buffer) => boolean;

/** A web server for a folder: ETag, conditional requests and ranges (RFC 9110), and faults on request. */
export class StaticServer {
  readonly requests: ServedRequest[] = [];
  readonly #root: string;
  readonly #server: Server;
  /** Called for every file; true when it has answered itself. */
  fault: Fault | null = null;

  private constructor(root: string) {
    this.#root = root;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(root: string): Promise<StaticServer> {
    const server = new StaticServer(root);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return `http://127.0.0.1:${address.port}/`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
    const file = await readFile(join(this.#root, path)).catch(() => null);
    const range = request.headers.range ?? null;
    const end = (status: number, headers: Record<string, string | number>, body: Buffer) => {
      this.requests.push({ path, status, bytes: body.length, range });
      response.writeHead(status, headers).end(body);
    };
    if (file === null) return end(404, {}, Buffer.alloc(0));
    if (this.fault?.(request, response, file)) return;
    const etag = `"${createHash('sha1').update(file).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) return end(304, { etag }, Buffer.alloc(0));
    const from = /^bytes=(\d+)-$/.exec(range ?? '');
    if (from && request.headers['if-range'] === etag) {
      const start = Number(from[1]);
      if (start >= file.length) return end(416, { 'content-range': `bytes */${file.length}` }, Buffer.alloc(0));
      const part = file.subarray(start);
      const headers = { etag, 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` };
      return end(206, { ...headers, 'content-length': part.length }, part);
    }
    end(200, { etag, 'content-length': file.length }, file);
  }
}
