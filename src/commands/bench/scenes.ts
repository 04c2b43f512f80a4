import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../../config/schema.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ModelStore } from '../../inference/store.ts';
import { openFaceAnalyser } from '../../wiring/open-faces.ts';
import { makeClip } from '../demo/clip.ts';
import { CASTS, stagePeople } from '../demo/people.ts';

const run = promisify(execFile);

/** 720p at 10 frames a second, without B-frames, as cameras send it. */
const SIZE = '1280:720';
const FPS = 10;
/** Nobody there for so long between two clips. */
const GAP_S = 2;
/** And where few clips follow one another: a track goes on when the same person is back within 5 s, and tells nothing new. */
const LONG_GAP_S = 6;
const MANY_CLIPS = 3;
const IDLE_S = 10;
const ENCODE = ['-an', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '20', '-pix_fmt', 'yuv420p'];

export interface Scenes {
  /** One clip or more with people in them, each with a gap at its end. */
  readonly busy: readonly string[];
  /** Nobody and nothing moves, but for the noise of a sensor. */
  readonly idle: string;
  /** A folder a person, of somebody seen in the clips; null when nobody is enrolled. */
  readonly people: string;
}

/**
 * Makes the streams of the bench: the user's clips, or the photos of the demo where there are none.
 * Throws TOOL_MISSING without ffmpeg.
 */
export async function makeScenes(
  clips: readonly string[],
  { config, store, folder, logger, signal }: SceneOptions,
): Promise<Scenes> {
  await mkdir(folder, { recursive: true });
  const idle = join(folder, 'idle.mkv');
  // A blurred hall of four tones under the noise of a camera in poor light.
  const hall =
    'color=0x707070:s=1280x720:r=10,drawbox=0:420:1280:300:0x505050:fill,drawbox=500:120:280:420:0x8a8070:fill';
  await ffmpeg(
    ['-f', 'lavfi', '-i', `${hall},gblur=12,noise=alls=5:allf=t`, '-t', `${IDLE_S}`, ...ENCODE, idle],
    signal,
  );
  if (clips.length === 0) return { ...(await demoScene({ config, store, folder, logger, signal })), idle };

  const busy: string[] = [];
  const people = join(folder, 'people');
  const gapS = clips.length < MANY_CLIPS ? LONG_GAP_S : GAP_S;
  for (const [first] of clips.entries()) {
    const file = join(folder, `busy-${first}.mkv`);
    // Each camera shows them all, one after the other, beginning with another.
    const order = [...clips.slice(first), ...clips.slice(0, first)];
    const parts = order.map(
      (_, index) =>
        `[${index}:v]scale=${SIZE},setsar=1,fps=${FPS},format=yuv420p,tpad=stop_duration=${gapS}:color=black[v${index}]`,
    );
    const joined = `${order.map((_, index) => `[v${index}]`).join('')}concat=n=${order.length}:v=1:a=0[out]`;
    const inputs = order.flatMap((clip) => ['-i', clip]);
    await ffmpeg(
      [...inputs, '-filter_complex', `${parts.join(';')};${joined}`, '-map', '[out]', ...ENCODE, file],
      signal,
    );
    busy.push(file);
  }
  // Whoever the first clip shows after a second is enrolled: known people are decided otherwise than strangers.
  await mkdir(join(people, 'First'), { recursive: true });
  const still = ['-frames:v', '1', '-vf', `scale=${SIZE}`, '-q:v', '2', join(people, 'First', '1.jpg')];
  await ffmpeg(['-ss', '1', '-i', clips[0] ?? '', ...still], signal);
  return { busy, idle, people };
}

interface SceneOptions {
  readonly config: Config;
  readonly store: ModelStore;
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function demoScene({ config, store, folder, logger, signal }: SceneOptions): Promise<Omit<Scenes, 'idle'>> {
  await store.pull(
    CASTS.map(({ photo }) => photo),
    { signal },
  );
  const chain = await openFaceAnalyser(config, logger);
  try {
    const staged = await stagePeople(chain.analyser, (photo) => store.file(photo), folder);
    const file = join(folder, 'busy.mkv');
    await makeClip(staged.scenes, file, signal);
    return { busy: [file], people: staged.peopleDir };
  } finally {
    await chain.close();
  }
}

async function ffmpeg(args: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await run('ffmpeg', ['-v', 'error', '-y', ...args], { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new EyelineError('TOOL_MISSING', `ffmpeg could not make a clip: ${messageOf(error)}`, { cause: error });
  }
}
