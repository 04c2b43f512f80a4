import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly logger: Logger;
}

/** Serves the metrics at /metrics, for Prometheus to fetch. Nothing else, and no names. */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  #server: Server | undefined;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Where it listens; undefined before `start`. */
  get url(): string | undefined {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address ? `http://${this.#options.host}:${address.port}/metrics` : undefined;
  }

  /** Throws METRICS_UNAVAILABLE when the address cannot be listened on. */
  async start(): Promise<void> {
    const { host, logger, metrics, port } = this.#options;
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      metrics.text().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        (error: unknown) => {
          logger.error({ part: 'metrics', error }, `metrics cannot be told: ${messageOf(error)}`);
          response.writeHead(500).end();
        },
      );
    });
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (error) {
      throw new EyelineError('METRICS_UNAVAILABLE', `metrics: cannot listen on ${host}:${port}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#server = server;
    logger.info({ part: 'metrics', url: this.url }, `metrics at ${this.url}`);
  }

  /** Ends it with all its connections. Never rejects. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
