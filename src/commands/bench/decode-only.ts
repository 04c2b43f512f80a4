import { CameraSupervisor } from '../../capture/camera-supervisor.ts';
import { cameraForker } from '../../capture/fork-camera.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { rounded } from '../../core/statistics.ts';
import { RtspServer } from '../demo/rtsp-server.ts';
import { usageOf } from './process-usage.ts';

const SETTLE_MS = 3000;

/**
 * CPU, in cores, of a camera's process that decodes a stream and does nothing else with it: nobody asks for a frame, and
 * nobody looks for motion.
 */
export async function decodeOnlyCores(
  clip: string,
  seconds: number,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const server = new RtspServer({ streams: { door: clip } });
  await server.start();
  let online = () => {};
  const onlineOnce = new Promise<void>((resolve) => {
    online = resolve;
  });
  const supervisor = new CameraSupervisor({
    camera: {
      id: 'decode-only',
      source: server.url('door'),
      backend: 'auto',
      transport: 'tcp',
      loop: false,
      fps: 10,
      openTimeoutMs: 20_000,
      stallTimeoutMs: 10_000,
      enabled: true,
    },
    detectorInput: { width: 320, height: 240 },
    retry: { firstDelayMs: 1000, maxDelayMs: 1000, factor: 1, jitter: 0 },
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    spawn: cameraForker(env),
    onStatus: (status) => status === 'online' && online(),
  });
  try {
    supervisor.start();
    await onlineOnce;
    await systemClock.sleep(SETTLE_MS, signal);
    const { pid } = supervisor.stats;
    if (pid === null) throw new Error('the camera process is gone');
    const [before, startedMs] = [await usageOf(pid), performance.now()];
    await systemClock.sleep(seconds * 1000, signal);
    const after = await usageOf(pid);
    return rounded((after.cpuMs - before.cpuMs) / (performance.now() - startedMs), 4);
  } finally {
    await supervisor.stop();
    await server.stop();
  }
}
