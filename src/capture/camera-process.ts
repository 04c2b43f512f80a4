/**
 * Entry of a camera's own process: opens the camera, decodes, keeps the newest frame, answers the daemon over IPC
 * (protocol.ts). It is a process so that a decoder that hangs can be killed and one that crashes takes nothing with it.
 */
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { loadReleasePages } from '../platform/native-parts.ts';
import { FrameServer } from './frame-server.ts';
import { GRID, MotionSensor } from './motion-sensor.ts';
import { loadOpencv } from './opencv.ts';
import { OpencvFrameSource } from './opencv-frame-source.ts';
import type { OpencvPicture } from './opencv-picture.ts';
import { PixelWriter, type ToCameraProcess } from './pixel-file.ts';
import type { FromCamera, ToCamera } from './protocol.ts';

/** Frames sent between two small garbage collections. */
const FRAMES_PER_COLLECTION = 5;
/** So long after opening, memory that only starting needed is given back: after first frames, first faces, a while. */
const RELEASES_MS = [1000, 10_000, 60_000];
/** And from then on so often: what busy minutes left behind. */
const RELEASE_INTERVAL_MS = 600_000;
/** What is as large as this is collected at once. */
const LARGE_BYTES = 1_000_000;

const pixels = new PixelWriter();
let sent = 0;
let source: OpencvFrameSource | undefined;
let server: FrameServer<OpencvPicture> | undefined;

// The daemon decides when a camera ends: Ctrl-C and a service manager's SIGTERM reach the whole group.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', die);
process.on('message', (sent: ToCameraProcess) => {
  const message = pixels.unpack(sent);
  switch (message.type) {
    case 'open':
      return void open(message);
    case 'next':
      return server?.next();
    case 'attend':
      return server?.attend(message.forMs);
    case 'cut':
      return void server?.cut(message.id, message.sequence, message.cuts);
    case 'fit':
      return void server?.fit(message.id, message.sequence, message.input);
    case 'pixels':
      return void server?.pixels(message.id, message.sequence);
    case 'release':
      return server?.release(message.sequence);
    case 'close':
      return close();
  }
});

async function open(order: Extract<ToCamera, { type: 'open' }>): Promise<void> {
  const { source: request, fps, input, motion, progressMs } = order;
  try {
    const cv = loadOpencv();
    // One camera has one core's worth of work; its neighbours need the others.
    cv.setNumThreads(1);
    source = new OpencvFrameSource(cv, request, systemClock);
    const size = source.open();
    const sensor = motion && new MotionSensor(cv, motion);
    server = new FrameServer<OpencvPicture>({
      fps,
      input,
      progressMs,
      gate: motion,
      moved: (picture, nowMs) => sensor?.moved(picture.shrunkGrey(GRID), nowMs) ?? true,
      clock: systemClock,
      send,
    });
    send({ type: 'opened', ...size });
    releaseNowAndThen();
    const current = server;
    await source.run((picture, ageMs) => current.offer(picture, ageMs));
    await current.end();
  } catch (error) {
    send({ type: 'failed', message: messageOf(error) });
  }
}

/** Keeps the process's memory to what it uses. */
function releaseNowAndThen(): void {
  const release = loadReleasePages();
  if (!release) return;
  // Nothing to stay alive for: the process ends by having nothing left to do.
  for (const ms of RELEASES_MS) setTimeout(release, ms).unref();
  setInterval(release, RELEASE_INTERVAL_MS).unref();
}

/** Lets the read under way finish, says good-bye to the camera and ends by having nothing left to do. */
function close(): void {
  source?.close();
  server?.close();
  process.off('disconnect', die);
  process.disconnect();
}

/** The daemon is gone. A normal exit would wait for a read that may never return. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function send(message: FromCamera): void {
  if (!process.connected) return;
  process.send?.(pixels.pack(message));
  const large = message.type === 'pixels' && message.pixels.some(({ length }) => length >= LARGE_BYTES);
  if (!large && (message.type !== 'frame' || ++sent % FRAMES_PER_COLLECTION !== 0)) return;
  // Pixels that were sent are garbage outside of V8's own heap, which does not feel them: left alone they grow to 30 MB.
  setImmediate(() => void globalThis.gc?.({ type: 'minor', execution: 'sync' }));
}
