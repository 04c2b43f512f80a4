import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { entryBeside, loaderArguments } from '../core/entry-points.ts';
import { messageOf } from '../core/errors.ts';
import { nativePart } from '../platform/native-parts.ts';
import type { CameraProcessListener, StartCamera } from './camera-session.ts';
import { type FromCameraProcess, PixelReader } from './pixel-file.ts';

/** Where util-linux puts it; on every Debian, Ubuntu and JetPack. */
const SETPRIV = '/usr/bin/setpriv';
/** The entry beside this file. */
const CAMERA_PROCESS = entryBeside('camera-process', import.meta.url);
/**
 * There is little JavaScript to run in there: V8's optimising compiler would save nothing, and once it starts, after some
 * thousand calls, its working memory stays: 50 MB a camera.
 */
const FLAGS = ['--no-opt', '--expose-gc', '--max-semi-space-size=1'];
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
    ...FLAGS,
    ...loaderArguments(entry),
    fileURLToPath(entry),
  ];
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('EYELINE_')));
  const oneThread = nativePart('one_decoder_thread');
  // The list is split at blanks and colons, and nothing can quote them.
  const preloaded = [oneThread && !/[\s:]/.test(oneThread) ? oneThread : '', env.LD_PRELOAD].filter(Boolean).join(':');
  return ({ ffmpegOptions }, listener) => {
    const pixels = new PixelReader();
    const child = spawn(command ?? process.execPath, prefix, {
      env: {
        ...(ffmpegOptions ? { OPENCV_FFMPEG_CAPTURE_OPTIONS: ffmpegOptions } : {}),
        // A decoder with N frame threads gives frames N-1 late. OpenCV before 4.7 does not know the variable: for it
        // there is native/one-decoder-thread.c.
        OPENCV_FFMPEG_THREADS: '1',
        // One thread reads, one works on a frame; more would only hold memory.
        UV_THREADPOOL_SIZE: '2',
        // Memory one thread frees can be used by the next; they allocate too seldom to get in each other's way.
        MALLOC_ARENA_MAX: '1',
        ...inherited,
        ...(preloaded ? { LD_PRELOAD: preloaded } : {}),
      },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', pixels.descriptor],
    });
    listen(child, pixels, listener);
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(pixels.pack(message), () => {});
      },
      kill: () => {
        child.kill('SIGKILL');
      },
      recycle: (fitted) => pixels.recycle(fitted),
    };
  };
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
