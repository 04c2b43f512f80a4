import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EyelineError, messageOf } from '../../core/errors.ts';

const run = promisify(execFile);

/** One picture of the clip, slowly zoomed into; from `maskedFromS` on another version of it shows instead. */
export interface Scene {
  readonly picture: string;
  readonly seconds: number;
  readonly masked?: { readonly picture: string; readonly fromS: number; readonly toS: number };
}

export const CLIP = { width: 1280, height: 720, fps: 10 } as const;

/** Pictures are enlarged before they are zoomed, since the zoom moves by whole pixels. */
const OVERSCAN = 2;
const ZOOM = 0.12;

/**
 * Makes an H.264 clip of still pictures with ffmpeg: each fills the frame and is slowly zoomed into.
 * Throws EyelineError TOOL_MISSING without ffmpeg or when it fails.
 */
export async function makeClip(scenes: readonly Scene[], file: string, signal?: AbortSignal): Promise<void> {
  const inputs: string[] = [];
  const filters: string[] = [];
  const show = (picture: string, seconds: number): string => {
    const index = inputs.length / 2;
    const frames = Math.round(seconds * CLIP.fps);
    inputs.push('-i', picture);
    filters.push(
      `[${index}:v]scale=${CLIP.width * OVERSCAN}:${CLIP.height * OVERSCAN}:force_original_aspect_ratio=increase,` +
        // Heads are in the upper part of a picture: keep two thirds of what must go for the lower edge.
        `crop=${CLIP.width * OVERSCAN}:${CLIP.height * OVERSCAN}:(iw-ow)/2:(ih-oh)/3,` +
        `zoompan=z='1+${ZOOM}*on/${frames}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/3':d=${frames}:` +
        `s=${CLIP.width}x${CLIP.height}:fps=${CLIP.fps},setsar=1[p${index}]`,
    );
    return `p${index}`;
  };
  const parts = scenes.map(({ picture, seconds, masked }, scene) => {
    const plain = show(picture, seconds);
    if (!masked) return `[${plain}]`;
    const covered = show(masked.picture, seconds);
    filters.push(`[${plain}][${covered}]overlay=enable='between(t,${masked.fromS},${masked.toS})'[s${scene}]`);
    return `[s${scene}]`;
  });
  filters.push(`${parts.join('')}concat=n=${scenes.length}:v=1:a=0,format=yuv420p[out]`);
  const encode = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    // No B-frames, as cameras send it; not the zerolatency tune, whose slices lose their way through RTP.
    '-bf',
    '0',
    '-crf',
    '20',
    '-g',
    String(CLIP.fps),
  ];
  const args = ['-v', 'error', '-y', ...inputs, '-filter_complex', filters.join(';'), '-map', '[out]', ...encode, file];
  try {
    await run('ffmpeg', args, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new EyelineError('TOOL_MISSING', `ffmpeg could not make the demo clip: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
