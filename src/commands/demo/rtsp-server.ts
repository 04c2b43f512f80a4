import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EyelineError } from '../../core/errors.ts';

/** Debian's own interpreter: python3-gi is not there for any other. */
const PYTHON = '/usr/bin/python3';
/** The same place seen from src/ and from dist/. */
const SCRIPT = fileURLToPath(new URL('../../../scripts/rtsp-server.py', import.meta.url));
/** Status the script ends with when GStreamer's RTSP server is not installed. */
const MISSING = 69;
const STOP_MS = 2000;

export interface RtspServerOptions {
  /** File (H.264 in Matroska or MP4) by stream name. */
  readonly streams: Readonly<Record<string, string>>;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Asked of every client (basic authentication). */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/**
 * GStreamer's RTSP server in a process of its own, playing files for ever as cameras would. What happens to cameras
 * can happen to it: `kill`, `freeze`, `thaw`, and `start` again on the same port.
 */
export class RtspServer {
  readonly #options: RtspServerOptions;
  #port: number;
  #process: ChildProcess | undefined;

  constructor(options: RtspServerOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** URL of a stream, without credentials. */
  url(stream: string): string {
    return `rtsp://127.0.0.1:${this.#port}/${stream}`;
  }

  /**
   * Starts the server and waits until it answers. Once started it keeps its port.
   *
   * Throws EyelineError TOOL_MISSING when Python or GStreamer's RTSP server is not installed, Error when a file cannot
   * be played or the port is taken.
   */
  async start(): Promise<void> {
    const { credentials, streams } = this.#options;
    const child = spawn(
      PYTHON,
      [
        SCRIPT,
        `--port=${this.#port}`,
        ...Object.entries(streams).map(([name, file]) => `--stream=${name}=${file}`),
        ...(credentials ? [`--user=${credentials.username}`, '--password-stdin'] : []),
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#process = child;
    child.stdin.on('error', () => {});
    child.stdin.end(`${credentials?.password ?? ''}\n`);
    this.#port = await listening(child);
  }

  /** Ends the server; by force after two seconds. Never rejects. */
  async stop(): Promise<void> {
    this.thaw();
    await this.#end('SIGTERM');
  }

  /** Ends the server at once, without a word to its clients. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** The server hangs from now on: its connections stay open, nothing comes any more. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit').catch(() => undefined);
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(force);
  }
}

/** The port the server says it listens on. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let errors = '';
    child.stderr?.on('data', (data) => {
      errors = `${errors}${data}`.slice(-2000);
    });
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const port = /^listening (\d+)$/.exec(line)?.[1];
        if (port) resolve(Number(port));
      });
    }
    child.on('error', (error) => {
      reject(new EyelineError('TOOL_MISSING', `cannot start ${PYTHON}: ${error.message}`, { cause: error }));
    });
    child.on('close', (status) => {
      const said = errors.trim().split('\n').at(-1) ?? '';
      reject(
        status === MISSING
          ? new EyelineError('TOOL_MISSING', `GStreamer's RTSP server for Python is not installed (${said})`)
          : new Error(`the RTSP server ended with status ${status}: ${said}`),
      );
    });
  });
}
