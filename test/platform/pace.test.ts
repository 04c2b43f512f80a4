import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { type CameraPace, PaceReporter } from '../../src/platform/pace.ts';
import { hottestC } from '../../src/platform/temperature.ts';

it('tells frames a second and the mean latency since the last time', async () => {
  let nowMs = 1000;
  const naps: (() => void)[] = [];
  const reports: Readonly<Record<string, CameraPace>>[] = [];
  let told = () => {};
  const reporter = new PaceReporter({
    cameras: ['door', 'yard'],
    everyMs: 10_000,
    report: async (cameras) => {
      reports.push(cameras);
      told();
    },
    clock: {
      now: () => nowMs,
      monotonic: () => nowMs,
      sleep: (_ms, signal) =>
        new Promise((end, fail) => {
          naps.push(end);
          if (signal?.aborted) fail(signal.reason);
          signal?.addEventListener('abort', () => fail(signal.reason));
        }),
    },
    logger: silentLogger,
  });
  reporter.start();
  for (let n = 0; n < 50; n++)
    reporter.frame({ camera: 'door', latencyMs: { detect: 20, decide: n % 2 === 0 ? 5 : 15 } });
  const pass = async () => {
    nowMs += 10_000;
    await vi.waitFor(() => expect(naps).not.toEqual([]));
    await new Promise<void>((resolve) => {
      told = resolve;
      naps.shift()?.();
    });
  };
  await pass();
  await pass();
  await reporter.stop();
  const nothing = { fps: 0, latencyMs: null };
  expect(reports).toEqual([
    { door: { fps: 5, latencyMs: 30 }, yard: nothing },
    { door: nothing, yard: nothing },
  ]);
});

it('reads the hottest zone, passing over what is switched off', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-thermal-'));
  for (const [zone, temp] of Object.entries({
    thermal_zone0: '41500\n',
    thermal_zone1: '52340\n',
    cooling_device0: '99000',
  })) {
    await mkdir(join(folder, zone));
    await writeFile(join(folder, zone, 'temp'), temp);
  }
  await mkdir(join(folder, 'thermal_zone2'));
  await mkdir(join(folder, 'thermal_zone3'));
  await writeFile(join(folder, 'thermal_zone3', 'temp'), '-256000\n');
  expect(await hottestC(folder)).toBe(52.3);
  await rm(folder, { recursive: true });
  expect(await hottestC(folder)).toBeNull();
});
