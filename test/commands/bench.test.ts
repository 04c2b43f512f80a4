import { describe, expect, it } from 'vitest';
import { usageOf } from '../../src/commands/bench/process-usage.ts';
import { table } from '../../src/commands/bench/tables.ts';

describe('usageOf', () => {
  it('adds up a process and its children, and knows what the runtime says of this one', async () => {
    const usage = await usageOf(process.pid);
    const own = process.memoryUsage.rss() / 2 ** 20;
    expect(usage.processes).toBeGreaterThanOrEqual(1);
    expect(usage.rssMb).toBeGreaterThan(own * 0.8);
    expect(usage.pssMb).toBeGreaterThan(0);
    expect(usage.pssMb).toBeLessThanOrEqual(usage.rssMb);
    const { user, system } = process.cpuUsage();
    expect(usage.cpuMs).toBeGreaterThan(((user + system) / 1000) * 0.8);
  });

  it('knows nothing of a process that is gone', async () => {
    expect(await usageOf(2 ** 22 + 1)).toEqual({ processes: 0, rssMb: 0, pssMb: 0, cpuMs: 0 });
  });
});

it('prints tables that line up', () => {
  expect(
    table(
      ['what', 'ms'],
      [
        ['detect', 2.5],
        ['a', null],
      ],
    ),
  ).toEqual(['| what   |  ms |', '|--------|-----|', '| detect | 2.5 |', '| a      |   - |']);
});
