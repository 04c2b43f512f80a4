import type { Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.ts';

/** A TCP connection to a server of this machine that can be held up, as a network does: nothing is lost, all comes late. */
export class PausingProxy extends TcpProxy {
  protected answer(client: Socket, server: Socket): void {
    server.on('data', (bytes) => void client.write(bytes));
  }

  pause(): void {
    for (const socket of this.sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.sockets) socket.resume();
  }
}
