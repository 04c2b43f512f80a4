import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Packet type of SUBACK (MQTT 5, section 2.1.2), in the upper half of the first byte. */
const SUBACK = 9;

/** Before a broker: of the first connection, the broker's answers to subscriptions are lost, and nothing else. */
export class DeafProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that were made. */
  connections = 0;

  /** @param port the broker's */
  constructor(port: number) {
    this.#server = createServer((client) => {
      const isDeaf = this.connections++ === 0;
      const broker = connect(port, '127.0.0.1');
      for (const socket of [client, broker]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          (socket === client ? broker : client).destroy();
        });
      }
      client.on('data', (bytes) => void broker.write(bytes));
      let rest = Buffer.alloc(0);
      broker.on('data', (bytes) => {
        rest = Buffer.concat([rest, bytes]);
        for (let length = packetLength(rest); length !== null; length = packetLength(rest)) {
          const packet = rest.subarray(0, length);
          rest = rest.subarray(length);
          if (!isDeaf || (packet[0] ?? 0) >> 4 !== SUBACK) client.write(packet);
        }
      });
    });
  }

  /** Gives the URL it listens on. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Length of the packet these bytes begin with; null while they do not hold all of it. */
function packetLength(bytes: Buffer): number | null {
  let length = 0;
  for (let index = 1; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    length += (byte & 127) << (7 * (index - 1));
    if (byte < 128) return bytes.length < index + 1 + length ? null : index + 1 + length;
  }
  return null;
}
