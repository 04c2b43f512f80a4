/**
 * Entry of a camera process that decodes some frames of a file first and then gives them over and over, as fast as they
 * are asked for: the daemon's work without the decoder's. Everything after the decoder is what a real camera's process does.
 */

import { FrameServer, type HeldPicture } from '../../capture/frame-server.ts';
import { loadOpencv } from '../../capture/opencv.ts';
import { OpencvFrameSource } from '../../capture/opencv-frame-source.ts';
import type { OpencvPicture } from '../../capture/opencv-picture.ts';
import { PixelWriter, type ToCameraProcess } from '../../capture/pixel-file.ts';
import type { FromCamera, ToCamera } from '../../capture/protocol.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';

/** 1280x720 pictures have 2.8 MB each. */
const KEPT_FRAMES = 40;

const pixels = new PixelWriter();
let frames: HeldPicture[] = [];
let given = 0;
/** Frames asked for and not given yet: the daemon asks before all is ready. */
let asked = 0;
let server: FrameServer<HeldPicture> | undefined;

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (sent: ToCameraProcess) => {
  const message = pixels.unpack(sent);
  switch (message.type) {
    case 'open':
      return void open(message);
    case 'next':
      asked++;
      return give();
    case 'cut':
      return void server?.cut(message.id, message.sequence, message.cuts);
    case 'fit':
      return void server?.fit(message.id, message.sequence, message.input);
    case 'pixels':
      return void server?.pixels(message.id, message.sequence);
    case 'release':
      return server?.release(message.sequence);
    case 'close':
      process.removeAllListeners('disconnect');
      return process.disconnect();
  }
});

async function open({ source, input, progressMs }: Extract<ToCamera, { type: 'open' }>): Promise<void> {
  try {
    const cv = loadOpencv();
    cv.setNumThreads(1);
    // Not at the file's pace: this is before anything is measured.
    const file = new OpencvFrameSource(cv, source, { ...systemClock, sleep: async () => {} });
    const size = file.open();
    await file.run((picture) => {
      frames.push(kept(picture));
      if (frames.length === KEPT_FRAMES) file.close();
    });
    // There and back, so that what moves does so without a jump.
    frames = [...frames, ...frames.slice(1, -1).reverse()];
    server = new FrameServer({
      fps: Number.MAX_VALUE,
      input,
      progressMs,
      gate: null,
      moved: () => true,
      clock: systemClock,
      send,
    });
    send({ type: 'opened', ...size });
    give();
  } catch (error) {
    send({ type: 'failed', message: messageOf(error) });
  }
}

function give(): void {
  for (; server && asked > 0; asked--) {
    const frame = frames[given++ % frames.length];
    server.next();
    if (frame) server.offer(frame);
  }
}

/** A picture that outlives its release. */
function kept(picture: OpencvPicture): HeldPicture {
  const { width, height } = picture;
  return {
    width,
    height,
    fit: (input) => picture.fit(input),
    cut: (cuts) => picture.cut(cuts),
    pixels: () => picture.pixels(),
    release() {},
  };
}

function send(message: FromCamera): void {
  process.send?.(pixels.pack(message));
}
