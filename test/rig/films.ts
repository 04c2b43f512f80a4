import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Frames of a film as JPEG files, numbered from 001, in a folder that is made; `filter` is FFmpeg's, `fps=2` for instance. */
export async function framesOf(film: string | null, filter: string, to: string): Promise<void> {
  if (film === null) throw new Error('there is no such film');
  await mkdir(to, { recursive: true });
  await run('ffmpeg', ['-v', 'error', '-i', film, '-vf', filter, '-q:v', '2', join(to, '%03d.jpg')]);
}

/** The JPEG files of a folder as a film of 10 frames a second; gives its path. */
export async function filmOf(folder: string, file: string): Promise<string> {
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-g', '10'];
  const input = ['-framerate', '10', '-pattern_type', 'glob', '-i', join(folder, '*.jpg')];
  await run('ffmpeg', ['-v', 'error', ...input, ...coding, file]);
  return file;
}
