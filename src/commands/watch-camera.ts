import { CameraSupervisor } from '../capture/camera-supervisor.ts';
import { cameraForker } from '../capture/fork-camera.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import { silentLogger } from '../core/logger.ts';
import type { Frame } from '../core/picture.ts';
import { readCredentials } from '../platform/credentials.ts';

export interface WatchOptions {
  /** What frames are fitted into. */
  readonly input: Size;
  readonly retry: Config['capture']['retry'];
  readonly env: NodeJS.ProcessEnv;
  /** Ends the frames when aborted. */
  readonly signal: AbortSignal;
}

/**
 * Opens a camera as the daemon does, whether or not it is switched on, has `work` go through its frames, and closes it. A
 * camera that was open and breaks off is opened again.
 *
 * Rejects with CAMERA_OPEN_FAILED and the reason when it cannot be opened at first.
 */
export async function watchCamera<T>(
  camera: CameraConfig,
  { input, retry, env, signal }: WatchOptions,
  work: (frames: AsyncIterable<Frame>) => Promise<T>,
): Promise<T> {
  let failure: EyelineError | null = null;
  const failed = new AbortController();
  let opened = false;
  const supervisor = new CameraSupervisor({
    camera: { ...camera, enabled: true, credentials: await readCredentials(camera, env) },
    detectorInput: input,
    retry,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    spawn: cameraForker(env),
    onStatus: (status, reason) => {
      if (status === 'online') opened = true;
      if (status !== 'offline' || opened) return;
      failure = new EyelineError('CAMERA_OPEN_FAILED', reason);
      failed.abort();
    },
  });
  try {
    supervisor.start();
    const result = await work(framesUntil(supervisor.frames(), AbortSignal.any([signal, failed.signal])));
    if (failure) throw failure;
    return result;
  } catch (error) {
    throw failure ?? error;
  } finally {
    await supervisor.stop();
  }
}

/** The frames until the signal is aborted. The camera goes on meanwhile: the frame in work can still be looked at. */
async function* framesUntil(frames: AsyncIterator<Frame, void>, signal: AbortSignal): AsyncGenerator<Frame> {
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  while (!signal.aborted) {
    const next = await Promise.race([frames.next(), aborted]);
    if (next === null || next.done) return;
    yield next.value;
  }
}
