import { readdir, readFile } from 'node:fs/promises';

/** Memory and CPU time of a process and all its descendants. */
export interface Usage {
  readonly processes: number;
  /** Resident memory added up: what processes share counts for each. */
  readonly rssMb: number;
  /** Resident memory with what is shared divided among those who share it. */
  readonly pssMb: number;
  readonly cpuMs: number;
}

const MS_PER_TICK = 10;

/** As proc(5) tells it. Processes that end meanwhile are left out. */
export async function usageOf(pid: number): Promise<Usage> {
  const total = { processes: 0, rssMb: 0, pssMb: 0, cpuMs: 0 };
  for (const member of await family(pid)) {
    const files = [readFile(`/proc/${member}/smaps_rollup`, 'utf8'), readFile(`/proc/${member}/stat`, 'utf8')];
    const [rollup = '', stat = ''] = await Promise.all(files).catch(() => []);
    if (stat === '') continue;
    const mb = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    total.processes++;
    total.rssMb += mb('Rss');
    total.pssMb += mb('Pss');
    // User and system time: fields 14 and 15, of which two are cut off.
    total.cpuMs += (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }
  return total;
}

async function family(pid: number): Promise<number[]> {
  const members = [pid];
  for (const task of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter(Boolean)) members.push(...(await family(Number(child))));
  }
  return members;
}
