import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server of this machine: each connection is one to the server, and both end together. */
export abstract class TcpProxy {
  readonly #server: Server;
  protected readonly sockets = new Set<Socket>();

  /** @param port the server's */
  constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      for (const socket of [client, server]) {
        this.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.sockets.delete(socket);
          (socket === client ? server : client).destroy();
        });
      }
      client.on('data', (bytes) => void server.write(bytes));
      this.answer(client, server);
    });
  }

  /** Hands on to the client what the server answers. */
  protected abstract answer(client: Socket, server: Socket): void;

  /** Gives the port it listens on. */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
