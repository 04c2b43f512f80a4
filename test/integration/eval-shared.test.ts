import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerEval } from '../../src/commands/eval.ts';
import { commandContext } from '../rig/command-context.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { sharedData } from '../rig/shared-data.ts';

const images = sharedData('lfw/dev');
const pairs = sharedData('lfw/dev-pairs.csv');
const masked = sharedData('m2fred-dev');

interface Figures {
  readonly accuracy: number;
  readonly rank1: number;
  readonly tar: Readonly<Record<string, number | null>>;
  readonly pairs: number;
  readonly probes: number;
  readonly notFound: number;
  readonly skipped: number;
}

async function evaluate(...args: string[]): Promise<Figures> {
  const { context, printed } = commandContext();
  const program = new Command().exitOverride();
  registerEval(program, context);
  await program.parseAsync(['eval', ...args, '--json', '--models-dir', MODELS_DIR], { from: 'user' });
  return JSON.parse(printed.join('\n')) as Figures;
}

describe.skipIf(!images || !pairs)('eyeline eval pairs on the LFW development pairs (needs ../shared/data)', () => {
  it('agrees with the accuracy test, and has no rate that 600 comparisons cannot tell', async () => {
    const args = ['pairs', '--images', images ?? '', '--pairs', pairs ?? '', '--encoder', 'full'];
    const figures = await evaluate(...args);
    expect(figures).toMatchObject({ pairs: 1200, skipped: 0 });
    expect(figures.accuracy).toBeGreaterThanOrEqual(0.985);
    expect(figures.tar['1e-2']).toBeGreaterThanOrEqual(0.97);
    expect(figures.tar['1e-3']).toEqual(expect.any(Number));
    expect(figures.tar['1e-4']).toBeNull();
  }, 600_000);
});

describe.skipIf(!masked)('eyeline eval identify on real masks (needs ../shared/data)', () => {
  it('knows people without a mask, and shows that the whole face does not do with one', async () => {
    const plain = await evaluate('identify', '--dir', masked ?? '', '--probe', 'plain', '--encoder', 'full');
    expect(plain).toMatchObject({ probes: 87, skipped: 0 });
    expect(plain.rank1).toBeGreaterThanOrEqual(0.95);
    const worn = await evaluate('identify', '--dir', masked ?? '', '--encoder', 'full');
    expect(worn).toMatchObject({ probes: 87, skipped: 0 });
    expect(worn.notFound).toBeLessThan(20);
    expect(worn.rank1).toBeLessThan(plain.rank1);
  }, 300_000);
});
