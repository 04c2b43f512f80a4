import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';

/**
 * An MQTT broker inside this process, on a free port that only this machine reaches. It speaks MQTT 3.1.1 (aedes 1.2
 * refuses 5), so messages on it do not expire.
 */
export class EmbeddedBroker {
  #broker: Aedes | null = null;
  #server: Server | null = null;

  /** Starts the broker; gives the URL to connect to. */
  async start(): Promise<{ url: string }> {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle);
    this.#broker = broker;
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { url: `mqtt://127.0.0.1:${port}` };
  }

  /** Disconnects everybody and closes the port. */
  async stop(): Promise<void> {
    const broker = this.#broker;
    const server = this.#server;
    this.#broker = null;
    this.#server = null;
    if (broker) await new Promise<void>((resolve) => broker.close(() => resolve()));
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
