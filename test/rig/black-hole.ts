import { once } from 'node:events';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** An RTSP URL where connections are taken and nothing is ever answered, until the test is over. */
export async function blackHole(): Promise<{ url: string; connected: Promise<unknown> }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
    onTestOver.push(() => socket.destroy());
  });
  const onTestOver: (() => void)[] = [() => server.close()];
  onTestFinished(() => {
    for (const end of onTestOver) end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `rtsp://127.0.0.1:${address.port}/hole`, connected: once(server, 'connection') };
}
