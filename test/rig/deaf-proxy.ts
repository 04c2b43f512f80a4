import type { Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';
import { TcpProxy } from './tcp-proxy.ts';

const MQTT_5 = { protocolVersion: 5 };

/** Before a broker: of the first connection, the broker's answers to subscriptions are lost, and nothing else. */
export class DeafProxy extends TcpProxy {
  /** Connections that were made. */
  connections = 0;

  protected answer(client: Socket, broker: Socket): void {
    const isDeaf = this.connections++ === 0;
    const packets = parser(MQTT_5);
    packets.on('packet', (packet) => {
      if (!isDeaf || packet.cmd !== 'suback') client.write(generate(packet, MQTT_5));
    });
    // What cannot be read would be missed otherwise.
    packets.on('error', (error) => client.destroy(error));
    broker.on('data', (bytes) => void packets.parse(bytes));
  }
}
