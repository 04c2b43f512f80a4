import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { benchEvents } from '../../src/commands/bench/events.ts';
import { silentLogger } from '../../src/core/logger.ts';

it('events go through the spool and a mosquitto started for it, and all arrive once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-bench-events-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { signal } = new AbortController();
  const options = { broker: null, rate: 100, seconds: 1, folder, logger: silentLogger, signal };
  const result = await benchEvents(options);
  expect(result).toMatchObject({ asked: 100, handedOver: 100, received: 100, lost: 0, twice: 0 });
  expect(result.latencyMs.p50).toBeLessThanOrEqual(result.latencyMs.max ?? 0);
});
