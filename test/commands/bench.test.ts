import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { usageOf } from '../../src/commands/bench/process-usage.ts';
import { printPipeline, table } from '../../src/commands/bench/tables.ts';
import { registerBench } from '../../src/commands/bench.ts';
import { commandContext } from '../rig/command-context.ts';

function benchProgram() {
  const { context, printed } = commandContext();
  const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: () => {} });
  registerBench(program, context);
  return { program, printed };
}

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

it.each(['255', 'many'])('refuses %s templates', async (size) => {
  const { program } = benchProgram();
  await expect(program.parseAsync(['bench', 'gallery', '--size', size], { from: 'user' })).rejects.toThrow(
    '256 to 4000000',
  );
});

it('searches as few templates by a graph as there may be', async () => {
  const { program, printed } = benchProgram();
  await program.parseAsync(['bench', 'gallery', '--size', '256', '--json'], { from: 'user' });
  expect(JSON.parse(printed.join(''))).toMatchObject({ templates: 256, recallAt1: 1 });
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

describe('printPipeline', () => {
  const camera = {
    cameras: 4,
    seconds: 1800,
    framesPerSecond: 40,
    decodedPerSecond: 40,
    dropped: 3,
    idle: 0,
    cpuCores: null,
    rssMb: 859,
    pssMb: 700,
    rssSlopeMbPerHour: 12.5,
    restarts: 56,
    events: 9,
    known: 1,
    latencyMs: { p50: 24, p95: 30 },
    decisionMs: { p50: 700, p95: 800, max: 900 },
  };
  const printed = (soak: boolean) => {
    const lines: string[] = [];
    const result = { efficiency: null, fullSpeed: {}, cameras: { 4: camera }, idle: null };
    printPipeline(result, { soak }, (line) => lines.push(line));
    return lines.slice(-3).map((line) => line.split('|').map((cell) => cell.trim()));
  };

  it('has what memory did over time where streams are cut', () => {
    const [header = [], , row = []] = printed(true);
    expect(row[header.indexOf('RSS MB/h')]).toBe('12.5');
    expect(row[header.indexOf('restarts')]).toBe('56');
    expect(row[header.indexOf('events')]).toBe('9');
  });

  it('is silent about it where a short run says nothing of it', () => {
    const [header = [], , row = []] = printed(false);
    expect(header).not.toContain('RSS MB/h');
    expect(row[header.indexOf('events')]).toBe('9');
  });
});
