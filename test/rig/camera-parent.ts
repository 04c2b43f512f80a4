import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CameraSupervisor } from '../../src/capture/camera-supervisor.ts';
import { cameraForker } from '../../src/capture/fork-camera.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';

/** Starts a program that watches a camera; gives it and its camera's process id. */
export async function cameraParent(source: string): Promise<{ parent: ChildProcess; camera: number }> {
  const self = fileURLToPath(import.meta.url);
  const parent = spawn(process.execPath, ['--import', 'tsx', self, 'watch', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: parent.stdout })) return { parent, camera: Number(line) };
  throw new Error('no process was started');
}

/** Resolves when no process has this id any more; a test's time-out ends the wait. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(20);
  }
}

if (process.argv[2] === 'watch') {
  const supervisor = new CameraSupervisor({
    camera: {
      id: 'file',
      source: process.argv[3] ?? '',
      backend: 'auto',
      transport: 'tcp',
      fps: 10,
      loop: true,
      openTimeoutMs: 60_000,
      stallTimeoutMs: 60_000,
      enabled: true,
    },
    detectorInput: { width: 320, height: 240 },
    retry: { firstDelayMs: 1000, maxDelayMs: 1000, factor: 1, jitter: 0 },
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    spawn: cameraForker(process.env),
  });
  supervisor.start();
  process.stdout.write(`${supervisor.stats.pid}\n`);
}
