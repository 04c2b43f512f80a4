import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const VERSIONS = '/usr/lib/postgresql';
const READY_TIMEOUT_MS = 60_000;

/** A real PostgreSQL server that listens on a socket in a folder of its own. */
export class Postgres {
  readonly url: string;
  readonly #dir: string;
  readonly #process: ChildProcess;

  private constructor(url: string, dir: string, child: ChildProcess) {
    this.url = url;
    this.#dir = dir;
    this.#process = child;
  }

  static get installed(): boolean {
    return binaries() !== null;
  }

  static async start(): Promise<Postgres> {
    const bin = binaries() ?? '';
    const dir = await mkdtemp(join(tmpdir(), 'eyeline-pg-'));
    // PostgreSQL refuses to run as root: then it runs as the user its package made.
    const user = process.getuid?.() === 0 ? idsOf('postgres') : null;
    if (user) await chown(dir, user.uid, user.gid);
    await chmod(dir, 0o700);
    const options = { cwd: dir, ...user };
    const data = join(dir, 'data');
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'eyeline', '-A', 'trust', '-N', '--no-locale', '-E', 'UTF8'], {
      ...options,
      stdio: 'pipe',
    });
    const settings = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${dir}`, '-c', 'fsync=off'];
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings], { ...options, stdio: 'ignore' });
    const url = `postgres://eyeline@/postgres?host=${encodeURIComponent(dir)}`;
    for (const deadline = Date.now() + READY_TIMEOUT_MS; ; await delay(50)) {
      const client = new pg.Client({ connectionString: url });
      try {
        await client.connect();
        await client.end();
        return new Postgres(url, dir, child);
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGINT');
    await gone;
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function binaries(): string | null {
  if (!existsSync(VERSIONS)) return null;
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join(VERSIONS, newest, 'bin');
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
