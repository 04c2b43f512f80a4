import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { EyelineError } from '../../core/errors.ts';
import { until } from './until.ts';

const BINARIES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'];
const READY_MS = 10_000;

export interface LocalMosquitto {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A mosquitto on a free port of this machine, with its configuration in `folder`. Throws TOOL_MISSING, and BENCH_FAILED when
 * it does not answer.
 */
export async function startMosquitto(folder: string): Promise<LocalMosquitto> {
  const binary = BINARIES.find((path) => existsSync(path));
  if (binary === undefined) {
    throw new EyelineError('TOOL_MISSING', 'mosquitto is not installed; --broker names a broker that runs already');
  }
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  // Its queue of a subscriber that is behind must not lose what is to be counted.
  await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`);
  const child = spawn(binary, ['-c', file], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    await until(() => accepts(port), READY_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `mqtt://127.0.0.1:${port}`, stop };
}

/** A port of 127.0.0.1 nobody listens on; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** Whether anybody listens on a port of 127.0.0.1. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
