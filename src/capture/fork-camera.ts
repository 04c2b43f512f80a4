import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf } from '../core/errors.ts';
import type { CameraProcessListener, StartCamera } from './camera-session.ts';
import { type FromCameraProcess, PixelReader } from './pixel-file.ts';

/** Where util-linux puts it; on every Debian, Ubuntu and JetPack. */
const SETPRIV = '/usr/bin/setpriv';
/** The entry beside this file. */
const CAMERA_PROCESS = new URL(`./camera-process${extname(import.meta.url)}`, import.meta.url);
/** The last lines a process printed may come after it ended; they are waited for this long. */
const LAST_OUTPUT_MS = 500;

/**
 * Starts camera processes as children of this one. They get `env` without what begins with EYELINE_ (it may hold
 * secrets). When this process dies, however it dies, the kernel kills them (setpriv --pdeathsig); without setpriv they
 * end themselves when their channel closes, which a blocked open can delay by half a minute.
 *
 * @param entry module that speaks the camera's side of the protocol, compiled or source
 */
export function cameraForker(env: NodeJS.ProcessEnv, entry: URL = CAMERA_PROCESS): StartCamera {
  const [command, ...prefix] = [
    ...(existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL'] : []),
    process.execPath,
    ...entryArguments(fileURLToPath(entry)),
  ];
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('EYELINE_')));
  return ({ ffmpegOptions }, listener) => {
    const pixels = new PixelReader();
    const child = spawn(command ?? process.execPath, prefix, {
      env: {
        ...(ffmpegOptions ? { OPENCV_FFMPEG_CAPTURE_OPTIONS: ffmpegOptions } : {}),
        // A decoder with N frame threads gives frames N-1 late. OpenCV before 4.7 does not know the variable.
        OPENCV_FFMPEG_THREADS: '1',
        // One thread reads, one works on a frame; more would only hold memory.
        UV_THREADPOOL_SIZE: '2',
        MALLOC_ARENA_MAX: '2',
        ...inherited,
      },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', pixels.descriptor],
    });
    listen(child, pixels, listener);
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(message, () => {});
      },
      kill: () => {
        child.kill('SIGKILL');
      },
      recycle: (fitted) => pixels.recycle(fitted),
    };
  };
}

/** How Node runs the entry: compiled, or as source with the loader that runs TypeScript. */
function entryArguments(entry: string): string[] {
  // There is little JavaScript to run in there: V8's optimising compiler would save nothing, and once it starts, after
  // some thousand calls, its working memory stays: 50 MB a camera.
  const flags = ['--no-opt', '--expose-gc', '--max-semi-space-size=1'];
  if (!entry.endsWith('.ts')) return [...flags, entry];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return [...flags, '--import', tsx, entry];
}

function listen(child: ChildProcess, pixels: PixelReader, listener: CameraProcessListener): void {
  let over = false;
  const exit = (reason: string) => {
    if (over) return;
    over = true;
    pixels.close();
    listener.exit(reason);
  };
  const ended = (code: number | null, signal: NodeJS.Signals | null) =>
    signal ? `was ended by ${signal}` : `ended with status ${code}`;
  child.on('message', (message) => {
    if (over) return;
    try {
      listener.message(pixels.unpack(message as FromCameraProcess));
    } catch (error) {
      // What it says and what is there differ: a process like that is started anew.
      listener.output(messageOf(error));
      child.kill('SIGKILL');
    }
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => !over && listener.output(line));
  }
  child.on('error', (error) => {
    if (child.pid === undefined) exit(`could not be started: ${error.message}`);
  });
  child.on('exit', (code, signal) => setTimeout(() => exit(ended(code, signal)), LAST_OUTPUT_MS).unref());
  child.on('close', (code, signal) => exit(ended(code, signal)));
}
