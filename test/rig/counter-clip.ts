import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Affine, Size } from '../../src/core/geometry.ts';
import type { Picture } from '../../src/core/picture.ts';

/** Frame numbers have this many bits, one a column of the picture: white is 1, the first column the highest. */
const BITS = 12;

export interface CounterClip extends Size {
  readonly frames: number;
  readonly fps: number;
}

/** Writes an H.264 clip whose every frame shows its own number, in black and white columns; a keyframe a second. */
export async function makeCounterClip(file: string, { width, height, frames, fps }: CounterClip): Promise<void> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${width}x${height}`, '-r', String(fps), '-i', '-'];
  const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(fps)];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-y', ...input, ...output, '-pix_fmt', 'yuv420p', file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(ffmpeg, 'exit');
  for (let frame = 0; frame < frames; frame++) {
    const row = Uint8Array.from({ length: width }, (_, x) => {
      const bit = BITS - 1 - Math.floor((x * BITS) / width);
      return (frame >> bit) & 1 ? 235 : 16;
    });
    const pixels = Buffer.alloc(width * height);
    for (let y = 0; y < height; y++) pixels.set(row, y * width);
    if (!ffmpeg.stdin.write(pixels)) await once(ffmpeg.stdin, 'drain');
  }
  ffmpeg.stdin.end();
  const [status] = await ended;
  if (status !== 0) throw new Error(`ffmpeg ended with status ${status}`);
}

/** The number a frame of a counter clip shows. */
export async function readCounter(picture: Picture): Promise<number> {
  const scale = BITS / picture.width;
  const matrix: Affine = [scale, 0, 0.5 * scale - 0.5, 0, 1, -Math.floor(picture.height / 2)];
  const [columns] = await picture.cut([{ width: BITS, height: 1, colour: 'grey', matrix }]);
  return [...(columns ?? [])].reduce((number, value) => number * 2 + (value > 127 ? 1 : 0), 0);
}
