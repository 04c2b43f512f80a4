import { CameraSupervisor } from '../capture/camera-supervisor.ts';
import { cameraForker } from '../capture/fork-camera.ts';
import type { CameraConfig } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import { silentLogger } from '../core/logger.ts';
import { readCredentials } from '../platform/credentials.ts';

/** What the daemon's detector takes; any size would do to see whether frames come. */
const INPUT: Size = { width: 320, height: 240 };

/**
 * Opens a camera as the daemon does and waits for its first frame; gives the frame's size.
 * Throws CAMERA_OPEN_FAILED with the reason the camera's process gave.
 */
export async function probeCamera(camera: CameraConfig, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Size> {
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const stop = () => fail(new EyelineError('CAMERA_OPEN_FAILED', `camera ${camera.id}: interrupted`));
  signal.addEventListener('abort', stop, { once: true });
  const supervisor = new CameraSupervisor({
    camera: { ...camera, enabled: true, credentials: await readCredentials(camera, env) },
    detectorInput: INPUT,
    retry: { firstDelayMs: 60_000, maxDelayMs: 60_000, factor: 1, jitter: 0 },
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    spawn: cameraForker(env),
    onStatus: (status, reason) => {
      if (status === 'offline') fail(new EyelineError('CAMERA_OPEN_FAILED', reason));
    },
  });
  try {
    supervisor.start();
    const first = supervisor.frames().next();
    const { value: frame } = await Promise.race([first, failed]);
    if (!frame) throw new EyelineError('CAMERA_OPEN_FAILED', `camera ${camera.id}: ended without a frame`);
    return { width: frame.width, height: frame.height };
  } finally {
    signal.removeEventListener('abort', stop);
    await supervisor.stop();
  }
}
