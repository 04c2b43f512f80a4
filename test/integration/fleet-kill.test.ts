import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { readFleetState } from '../../src/gallery/sync/fleet-state.ts';
import { fleet } from '../gallery/fleet-device.ts';
import { person } from '../gallery/fleet-rig.ts';
import { temporaryFolder } from '../gallery/gallery-rig.ts';

const TAKER = fileURLToPath(new URL('./fleet-taker.ts', import.meta.url));
const PEOPLE = 400;
const KILLS = 25;

it('a device killed while it takes versions over has one of them whole, and goes on', async () => {
  const { put, release, server, keys } = await fleet();
  const folder = temporaryFolder();
  const crowd = (along: number) => Array.from({ length: PEOPLE }, (_, i) => person(`p${i}`, along));
  const args = [folder, server.url, keys.signing.publicKey, Buffer.from(keys.body).toString('hex')];
  const start = () =>
    fork(TAKER, args, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const look = () => {
    const store = openGalleryStore(join(folder, 'gallery.sqlite'), { logger: silentLogger, clock: systemClock });
    const version = readFleetState((key) => store.state(key))?.version ?? 0;
    const axes = new Set(store.changesSince(0).people.map(({ templates }) => templates[0]?.embedding.indexOf(1)));
    const count = store.listPeople().length;
    store.close();
    return { version, count, axes: [...axes] };
  };
  const nowMs = Date.now();
  // Times spread over what a take-over lasts, the same in each run of the test.
  const delays = fc.sample(fc.integer({ min: 0, max: 400 }), { numRuns: KILLS, seed: 7 });
  const seen = new Set<number>();
  for (const [index, delayMs] of delays.entries()) {
    await put(crowd(index % 8));
    await release({ nowMs });
    const child = start();
    const gone = once(child, 'exit');
    const [message] = await once(child, 'message');
    expect(message).toBe('ready');
    const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
    await gone;
    clearTimeout(timer);
    const { version, count, axes } = look();
    expect(count).toBe(version === 0 ? 0 : PEOPLE);
    // Everybody is of one and the same version.
    expect(axes).toEqual(version === 0 ? [] : [(version - 1) % 8]);
    seen.add(version === index + 1 ? 1 : 0);
  }
  const child = start();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(look()).toMatchObject({ version: KILLS, count: PEOPLE });
  expect(seen.has(0)).toBe(true);
}, 600_000);
