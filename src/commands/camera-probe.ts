import type { CameraConfig } from '../config/schema.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import { watchCamera } from './watch-camera.ts';

/** What the daemon's detector takes; any size would do to see whether frames come. */
const INPUT: Size = { width: 320, height: 240 };
const NO_RETRY = { firstDelayMs: 60_000, maxDelayMs: 60_000, factor: 1, jitter: 0 };

/**
 * Opens a camera as the daemon does and waits for its first frame; gives the frame's size.
 * Throws CAMERA_OPEN_FAILED with the reason the camera's process gave.
 */
export async function probeCamera(camera: CameraConfig, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Size> {
  return await watchCamera(camera, { input: INPUT, retry: NO_RETRY, env, signal }, async (frames) => {
    for await (const frame of frames) {
      frame.release();
      return { width: frame.width, height: frame.height };
    }
    const what = signal.aborted ? 'interrupted' : 'ended without a frame';
    throw new EyelineError('CAMERA_OPEN_FAILED', `camera ${camera.id}: ${what}`);
  });
}
