import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Clock, systemClock } from '../../core/clock.ts';
import { systemCodeOf } from '../../core/errors.ts';
import { INDEX_FILE } from './face-store.ts';

/** What is prepared elsewhere, where nobody can be asked, has been given up when nothing was written for so long. */
const GIVEN_UP_MS = 24 * 3_600_000;

/**
 * An empty folder to prepare a set in, named by who prepares it; drafts beside it whose process was killed are removed: each may be as large as a set. Throws what
 * the file system does.
 */
export async function beginDraft(folder: string, { now }: Pick<Clock, 'now'> = systemClock): Promise<string> {
  const cache = dirname(folder);
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    const draft = join(cache, name);
    if (await isGivenUp(draft, now())) await rm(draft, { recursive: true, force: true }).catch(() => {});
  }
  const draft = `${folder}.part-${hostname()}-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  return draft;
}

async function isGivenUp(folder: string, nowMs: number): Promise<boolean> {
  const [, owner] = /\.part-(.+)$/.exec(basename(folder)) ?? [];
  if (owner === undefined) return false;
  const here = `${hostname()}-`;
  if (owner.startsWith(here)) return !isRunning(Number(owner.slice(here.length)));
  const written = await Promise.all([folder, join(folder, INDEX_FILE)].map(writtenMs));
  return nowMs - Math.max(...written) > GIVEN_UP_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== 'ESRCH';
  }
}

async function writtenMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
