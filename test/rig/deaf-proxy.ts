import type { Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.ts';

/** Packet type of SUBACK (MQTT 5, section 2.1.2), in the upper half of the first byte. */
const SUBACK = 9;

/** Before a broker: of the first connection, the broker's answers to subscriptions are lost, and nothing else. */
export class DeafProxy extends TcpProxy {
  /** Connections that were made. */
  connections = 0;

  protected answer(client: Socket, broker: Socket): void {
    const isDeaf = this.connections++ === 0;
    let rest = Buffer.alloc(0);
    broker.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let length = packetLength(rest); length !== null; length = packetLength(rest)) {
        const packet = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (!isDeaf || (packet[0] ?? 0) >> 4 !== SUBACK) client.write(packet);
      }
    });
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
