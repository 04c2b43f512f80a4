import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { connectServiceManager, watchdogPeriodMs } from '../../src/platform/systemd.ts';

/** Stands where systemd stands: binds the datagram socket of NOTIFY_SOCKET and prints what it is told. */
const RECEIVER = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps('bound'), flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

const IMPORTS = `
import { setTimeout } from 'node:timers/promises';
import { systemClock as clock } from './src/core/clock.ts';
import { ProgressLedger } from './src/platform/health.ts';
import { connectServiceManager } from './src/platform/systemd.ts';
import { Watchdog } from './src/platform/watchdog.ts';
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const manager = await connectServiceManager(process.env, logger);
`;

/** What the service manager was told by a process that runs `script`, in order, up to `STATUS=end`. */
async function told(script: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-notify-'));
  const path = join(folder, 'socket');
  const receiver = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let daemon: ReturnType<typeof spawn> | undefined;
  try {
    const messages: string[] = [];
    for await (const line of createInterface({ input: receiver.stdout })) {
      const message: string = JSON.parse(line);
      if (message !== 'bound') messages.push(message.trimEnd());
      else {
        const node = ['--import', 'tsx', '--input-type=module', '-e', IMPORTS + script];
        daemon = spawn(process.execPath, node, {
          env: { PATH: process.env.PATH, ...env, NOTIFY_SOCKET: path },
          stdio: ['ignore', 'inherit', 'inherit'],
        });
        // A daemon that fails says nothing more: the messages end with what it had said.
        daemon.once('exit', (code) => code !== 0 && receiver.kill());
      }
      if (messages.at(-1) === 'STATUS=end') break;
    }
    return messages;
  } finally {
    daemon?.kill();
    receiver.kill();
    await rm(folder, { recursive: true });
  }
}

const python = spawnSync('python3', ['--version']).status === 0;

it.skipIf(!python)('tells the service manager of its state (needs python3)', async () => {
  const script = `
manager.ready();
manager.status('two\\nlines');
manager.alive();
manager.stopping();
manager.status('end');
`;
  expect(await told(script)).toEqual(['READY=1', 'STATUS=two lines', 'WATCHDOG=1', 'STOPPING=1', 'STATUS=end']);
});

it.skipIf(!python)(
  'gives no sign of life while a part makes no progress, and again when it does (needs python3)',
  async () => {
    const script = `
let signs = 0;
const counted = { ...manager, alive() { signs += 1; manager.alive(); } };
const until = async (condition) => { while (!condition()) await setTimeout(10); };
const ledger = new ProgressLedger(clock, 400);
const watchdog = new Watchdog({ clock, ledger, manager: counted, logger, checkEveryMs: 1e6 });
const camera = setInterval(() => ledger.report('camera'), 20);
setInterval(() => ledger.report('mqtt'), 20);
watchdog.start();
await until(() => signs >= 3);
clearInterval(camera);
await until(() => ledger.stalledParts().includes('camera'));
manager.status('stalled');
await setTimeout(300);
const before = signs;
manager.status('goes on');
ledger.report('camera');
await until(() => signs > before);
await watchdog.stop();
manager.status('end');
process.exit();
`;
    const messages = await told(script, { WATCHDOG_USEC: '100000' });
    const stalled = messages.indexOf('STATUS=stalled');
    const goesOn = messages.indexOf('STATUS=goes on');
    expect(messages.slice(0, stalled)).toContain('WATCHDOG=1');
    expect(messages.slice(stalled + 1, goesOn)).toEqual([]);
    expect(messages.slice(goesOn)).toContain('WATCHDOG=1');
  },
);

it('does nothing without a service manager', async () => {
  const manager = await connectServiceManager({ WATCHDOG_USEC: '1000' }, silentLogger);
  manager.ready();
  manager.status('x');
  manager.alive();
  manager.stopping();
  expect(manager.watchdogMs).toBeNull();
});

it('lets a socket that is not there pass', async () => {
  const errors: object[] = [];
  const logger: Logger = { ...silentLogger, error: (fields) => errors.push(fields) };
  const manager = await connectServiceManager({ NOTIFY_SOCKET: '/nowhere/socket' }, logger);
  manager.ready();
  expect(errors).toEqual([]);
});

it.each([
  [{}, null],
  [{ WATCHDOG_USEC: '30000000' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, null],
  [{ WATCHDOG_USEC: '0' }, null],
  [{ WATCHDOG_USEC: 'x' }, null],
])('%j wants a sign of life every %j ms', (env, periodMs) => {
  expect(watchdogPeriodMs(env, 7)).toBe(periodMs);
});
