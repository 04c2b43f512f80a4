import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/command.ts';
import { registerEval } from '../../src/commands/eval.ts';
import type { StreamFigures } from '../../src/evaluation/streams/stream-figures.ts';
import { loadManifest } from '../../src/inference/manifest.ts';
import { commandContext } from '../rig/command-context.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { writePortraits } from '../rig/portraits.ts';

/** The commands on portraits cut out of the project's photos: four pictures a person, of which one wears a mask. */
const PEOPLE = 6;
let folder = '';
let people = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-eval-test-'));
  people = join(folder, 'people');
  await writePortraits(people, PEOPLE, { masked: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  return runUntil(new AbortController().signal, ...args);
}

async function runUntil(signal: AbortSignal, ...args: string[]) {
  const recorded = commandContext({ signal });
  const { context, printed: out, warned } = recorded;
  const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: (text) => warned.push(text) });
  registerEval(program, context);
  await program.parseAsync(['eval', ...args, '--models-dir', MODELS_DIR, '--workers', '1'], { from: 'user' });
  return { out, warned, status: recorded.status };
}

/** The one JSON object that a command prints. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { out } = await run(...args, '--json');
  expect(out).toHaveLength(1);
  return JSON.parse(out[0] ?? '') as Record<string, unknown>;
}

async function pairsFile(name: string, lines: readonly string[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, ['same,a,b', ...lines, ''].join('\n'));
  return file;
}

/** Every person's first and second picture, and everybody against the next. */
function allPairs(first = 'plain/0.jpg', second = 'plain/1.jpg'): string[] {
  return Array.from({ length: PEOPLE }, (_, at) => [
    `1,person ${at}/${first},person ${at}/${second}`,
    `0,person ${at}/${first},person ${(at + 1) % PEOPLE}/${second}`,
  ]).flat();
}

describe('eyeline eval pairs', () => {
  it('prints one object with the figures that scripts rely on', async () => {
    const pairs = await pairsFile('pairs.csv', allPairs());
    const figures = await json('pairs', '--images', people, '--pairs', pairs, '--encoder', 'full');
    expect(figures).toMatchObject({ encoder: 'full', mask: 'none', pairs: 12, skipped: 0, notFound: 0, eer: 0 });
    // All can be told apart; but the fold of the least alike pair has its threshold from pairs that are more alike. Of six
    // folds with two pairs one is right by half.
    expect(figures.accuracy).toBeCloseTo(5.5 / 6, 9);
    // Six comparisons of different people cannot say anything of one in a hundred.
    expect(figures.tar).toEqual({ '1e-2': null, '1e-3': null, '1e-4': null });
    expect(figures.cost).toMatchObject({ readMsPerPicture: expect.any(Number), embedMsPerFace: expect.any(Number) });
  });

  it('leaves out what is missing or unreadable, counts it and says why', async () => {
    await writeFile(join(people, 'person 0', 'torn.jpg'), 'not a picture');
    const extra = ['1,person 0/plain/0.jpg,person 0/gone.jpg', '0,person 1/plain/0.jpg,person 0/torn.jpg'];
    const pairs = await pairsFile('missing.csv', [...allPairs(), ...extra]);
    const { out, warned } = await run('pairs', '--images', people, '--pairs', pairs);
    await rm(join(people, 'person 0', 'torn.jpg'));
    expect(out).toContain('left out   2 pictures missing or unreadable, 2 pairs');
    expect(warned.filter((line) => line.startsWith('left out'))).toEqual([
      expect.stringMatching(/gone\.jpg: there is no such file/),
      expect.stringMatching(/torn\.jpg: not a picture/),
    ]);
  });

  it('puts masks on, the same ones for a seed, and measures what they cost', async () => {
    const pairs = await pairsFile('masked.csv', allPairs());
    const figures = (mask: string, seed = '1') =>
      json('pairs', '--images', people, '--pairs', pairs, '--encoder', 'full', '--mask', mask, '--mask-seed', seed);
    const { cost: _, ...first } = await figures('probe');
    const { cost: __, ...again } = await figures('probe');
    expect(again).toEqual(first);
    // What tells people apart lies lower with half a face hidden.
    const { threshold } = await figures('none');
    expect(first.threshold).toBeLessThan(threshold as number);
    expect((await figures('probe', '2')).roc).not.toEqual(first.roc);
  });

  it('writes a page with plots and the worst mistakes', async () => {
    const wrong = ['1,person 0/plain/0.jpg,person 1/plain/0.jpg', '0,person 2/plain/0.jpg,person 2/plain/1.jpg'];
    const pairs = await pairsFile('wrong.csv', [...allPairs(), ...wrong]);
    const report = join(folder, 'reports', 'pairs.html');
    await run('pairs', '--images', people, '--pairs', pairs, '--report', report);
    const page = await readFile(report, 'utf8');
    expect(page).toMatch(/one person, taken for two: score -?0\.\d\d/);
    expect(page).toMatch(/two people, taken for one: score 0\.\d\d/);
    expect(page.match(/data:image\/jpeg;base64,\/9j\//g)?.length).toBeGreaterThanOrEqual(4);
    expect(page).toContain('uPlot');
    await expect(
      run('pairs', '--images', people, '--pairs', pairs, '--report', join(pairs, 'under-a-file.html')),
    ).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
  });
});

describe('eyeline eval identify', () => {
  it('looks for masked probes in the plain gallery', async () => {
    const figures = await json('identify', '--dir', people, '--pad', '0', '--encoder', 'full');
    expect(figures).toMatchObject({
      people: PEOPLE,
      gallery: 3 * PEOPLE,
      probes: PEOPLE,
      probe: 'masked',
      skipped: 0,
      withoutGallery: 0,
    });
    expect(figures.genuine).toBe(3 * PEOPLE);
    expect(figures.impostors).toBe(3 * PEOPLE * (PEOPLE - 1));
    const { rank1, rank1Found, notFound } = figures as { rank1: number; rank1Found: number; notFound: number };
    expect(rank1Found * (PEOPLE - notFound)).toBeCloseTo(rank1 * PEOPLE, 9);
  });

  it('finds everybody among plain pictures; a picture in the wrong folder is a mistake, to the count', async () => {
    const ceiling = await json('identify', '--dir', people, '--probe', 'plain', '--pad', '0.2');
    expect(ceiling).toMatchObject({ probes: 3 * PEOPLE, rank1: 1, notFound: 0 });

    const mixed = join(folder, 'mixed up');
    await cp(people, mixed, { recursive: true });
    await cp(join(people, 'person 0/plain/0.jpg'), join(mixed, 'person 1/plain/9.jpg'));
    await rm(join(mixed, 'person 0/plain/0.jpg'));
    const report = join(folder, 'mixed.html');
    const figures = await json('identify', '--dir', mixed, '--probe', 'plain', '--pad', '0.2', '--report', report);
    // The strayed one is nearest to its own person's others, and each of those two may be nearest to it.
    const { rank1 } = figures as { rank1: number };
    expect(rank1).toBeLessThanOrEqual((3 * PEOPLE - 1) / (3 * PEOPLE));
    expect(rank1).toBeGreaterThanOrEqual((3 * PEOPLE - 3) / (3 * PEOPLE));
    expect(await readFile(report, 'utf8')).toContain('person 1 taken for person 0');
  });

  it.each(['upper', 'block50'])('compares with the encoder %s', async (encoder) => {
    const figures = await json('identify', '--dir', people, '--probe', 'plain', '--pad', '0', '--encoder', encoder);
    expect(figures).toMatchObject({ encoder, probes: 3 * PEOPLE, rank1: 1 });
  });

  it.each(['softmax', 'hariri'])('classifies with %s', async (classifier) => {
    const args = ['identify', '--dir', people, '--probe', 'plain', '--encoder', 'block50', '--pad', '0'];
    const figures = await json(...args, '--classifier', classifier);
    // Of three pictures two are learnt.
    expect(figures).toMatchObject({ classifier, gallery: 2 * PEOPLE, probes: PEOPLE });
    expect(figures.rank1).toBeGreaterThanOrEqual(4 / PEOPLE);
  });

  it('learns from both kinds where the gallery is mixed', async () => {
    const args = ['identify', '--dir', people, '--gallery', 'mixed', '--pad', '0', '--encoder', 'full'];
    const figures = await json(...args);
    // Two of three plain pictures, and none of one masked.
    expect(figures).toMatchObject({ galleryKind: 'mixed', gallery: 2 * PEOPLE, probes: PEOPLE });
  });

  it('takes an encoder of one’s own', async () => {
    const models = join(folder, 'models');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    const entry = (await loadManifest(null)).models.get('mobilefacenet-512');
    if (!entry) throw new Error('the manifest has no mobilefacenet-512');
    const { input, outputs, sha256 } = entry;
    const own = { id: 'own', role: 'encoder', sha256, licence: 'x', input, outputs, embedding: 512 };
    const manifest = join(folder, 'own.json');
    await writeFile(manifest, JSON.stringify({ models: [{ ...own, source: 'file:own.onnx' }] }));
    const args = ['identify', '--dir', people, '--probe', 'plain', '--pad', '0'];
    const theirs = await json(...args, '--encoder', 'full');
    const context = ['--encoder', 'own', '--manifest', manifest, '--models-dir', models];
    const mine = await json(...args, ...context);
    expect({ ...mine, encoder: 'full', cost: null }).toEqual({ ...theirs, cost: null });
  });
});

it('prints no figures when it is interrupted', async () => {
  const { out, warned, status } = await runUntil(AbortSignal.abort(), 'identify', '--dir', people, '--json');
  expect(out).toEqual([]);
  expect(warned).toEqual(['interrupted: no figures']);
  expect(status).toBe(130);
});

describe('eyeline eval stream', () => {
  const args = (...more: string[]) => [
    ...['stream', '--dir', people, '--gallery-size', '3', '--deals', '1', '--frames', '8'],
    ...more,
  ];

  it('has everybody walk by all galleries, plain and masked, the same for a seed', async () => {
    const first = await json(...args('--mask', 'both', '--far', '1e-2'));
    const { results } = first as unknown as { results: { masked: boolean; leftOut: number; figures: StreamFigures }[] };
    expect(results.map(({ masked, leftOut }) => [masked, leftOut])).toEqual([
      [false, 0],
      [true, 0],
    ]);
    for (const { figures } of results) {
      expect(figures).toMatchObject({ people: PEOPLE, galleries: 2, configuredRate: 1e-2 });
      expect([figures.falseAccepts.trials, figures.notNamed.trials]).toEqual([PEOPLE, PEOPLE]);
      expect(figures.misnamed).toBe(0);
    }
    // The picture that walks by was taken with those enrolled: all but a spoilt one are named.
    expect(results[0]?.figures.notNamed.rate).toBeLessThan(0.5);
    expect(await json(...args('--mask', 'both', '--far', '1e-2'))).toEqual(first);
  });

  it('prints what was told, and of whom', async () => {
    const { out } = await run(...args('--mask', 'none'));
    expect(out[0]).toBe(`plain      ${PEOPLE} people walk by 2 galleries, 0 left out`);
    expect(out[1]).toMatch(/^accepts {4}[\d.]+ % \(.* to .*; \d+ of 6\) of strangers named, [\d.]+ % configured$/);
  });

  it('says when there are too few people for a gallery', async () => {
    await expect(run(...args('--mask', 'none', '--gallery-size', '7'))).rejects.toMatchObject({
      code: 'NOTHING_TO_EVALUATE',
      message: '6 people with something to enrol and a picture to walk by are fewer than the 7 of a gallery',
    });
  });
});

describe('eyeline eval strangers', () => {
  const args = (...more: string[]) => [
    ...['strangers', '--dir', people, '--gallery-size', '3', '--splits', '2', '--probe', 'plain', '--mask', 'probe'],
    ...more,
  ];

  it('compares those who are not enrolled with those who are, and says what is claimed and what is so', async () => {
    const figures = await json(...args('--upper-encoder', 'none'));
    expect(figures).toMatchObject({ encoder: 'mobilefacenet-512', people: PEOPLE, gallerySize: 3, splits: 2 });
    // Three people tell nothing of how alike people are.
    expect(figures).toMatchObject({ alikeness: { shift: 0, spread: 1 } });
    const { asMeasured, adapted } = figures as unknown as { asMeasured: { strangers: number }[]; adapted: object[] };
    expect(adapted).toEqual(asMeasured);
    expect(asMeasured[2]?.strangers).toBeLessThan(0.1);
    const { out } = await run(...args());
    expect(out[0]).toMatch(/^mobilefacenet-512-upper, masked probes: 6 people, 3 enrolled, 2 splits, \d+ comparisons/);
    expect(out[2]).toMatch(/^1e-2 claimed: as measured .* missed; adapted .* missed$/);
  });
});

describe('eyeline eval all', () => {
  it('routes by the encoder for masks that a method names, as --upper-encoder does', async () => {
    const suite = join(folder, 'routed.yaml');
    await writeFile(
      suite,
      `people: [{ name: Q, dir: people, probe: [masked], pad: 0 }]
methods:
  - { name: one, encoder: auto, upperEncoder: null }
  - { name: two, encoder: auto, upperEncoder: mobilefacenet-512-upper }
`,
    );
    const { runs } = (await json('all', '--data', folder, '--suite', suite)) as { runs: { figures: object }[] };
    const { thresholds, tar, rank1, cmc, eer } = await json(
      ...['identify', '--dir', people, '--pad', '0', '--encoder', 'auto', '--upper-encoder', 'mobilefacenet-512-upper'],
    );
    const [one, two] = runs.map(({ figures }) => figures);
    expect(two).toMatchObject({ thresholds, tar, rank1, cmc, eer });
    expect(one).not.toMatchObject({ eer, thresholds });
  });

  it('runs every method on every set, gives the same figures twice, and a table', async () => {
    await pairsFile('pairs.csv', allPairs());
    const suite = join(folder, 'suite.yaml');
    await writeFile(
      suite,
      `pairs: [{ name: P, images: people, pairs: pairs.csv, mask: [none, both] }]
people: [{ name: Q, dir: people, probe: [masked, plain], pad: 0 }]
methods:
  - { name: whole, encoder: full }
  - { name: learnt, encoder: block50, classifier: svm }
  - { name: elsewhere, encoder: auto, upperEncoder: not-here, optional: true }
`,
    );
    const report = join(folder, 'all.html');
    const args = ['all', '--data', folder, '--suite', suite];
    const { runs } = (await json(...args, '--report', report)) as { runs: { dataset: string; figures: object }[] };
    // Pairs under two conditions with one method; people under two with two.
    expect(runs).toHaveLength(6);
    expect(((await json(...args)) as { runs: unknown }).runs).toEqual(runs);
    expect(await readFile(report, 'utf8')).toContain('<h2>Q, masked against plain</h2>');
    const page = join(folder, 'page.md');
    await writeFile(page, 'before\n<!-- eval all -->\nold\n<!-- /eval all -->\nafter\n');
    const { out, warned } = await run(...args, '--markdown', page);
    expect(warned).toContain('left out: elsewhere, whose model is not on this machine');
    expect(out.slice(0, 3)).toEqual([
      '| method | METHOD | P: plain | P: both masked | Q: masked against plain | Q: plain against plain |',
      '| --- | --- | --- | --- | --- | --- |',
      expect.stringMatching(/^\| whole \| `--encoder full` \| 91\.7 \/ – \| .* \| 100\.0 \/ 100\.0 \|$/),
    ]);
    const command = `eyeline eval identify --dir ${people} --probe plain --pad 0`;
    const row = `| Q: plain against plain | \`${command} METHOD\` | ${3 * PEOPLE} probes, 0 faces not found | 100.0 to 100.0 |`;
    expect(out).toContain(row);
    const table = out.slice(0, out.indexOf(row) + 1).join('\n');
    expect(await readFile(page, 'utf8')).toBe(`before\n<!-- eval all -->\n${table}\n<!-- /eval all -->\nafter\n`);
    await writeFile(page, 'no place\n');
    await expect(run(...args, '--markdown', page)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('wrong arguments', () => {
  it.each([
    [['pairs'], "error: required option '--images <dir>' not specified"],
    [['identify', '--dir', '.', '--mask', 'some'], "option '--mask <who>' argument 'some' is invalid"],
    [['identify', '--dir', '.', '--pad', '-1'], "option '--pad <share>' argument '-1' is invalid. It must be 0 to 2."],
    [['identify', '--dir', '.', '--mask-seed', '1.5'], 'It must be a whole number below 2^32.'],
  ])('%j are refused in one line', async (args, message) => {
    const warned: string[] = [];
    const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: (text) => warned.push(text) });
    registerEval(program, { print() {}, warn() {}, exitWith() {} } as unknown as CommandContext);
    program.commands[0]?.commands.forEach((command) => {
      command.exitOverride().configureOutput({ writeErr: (text) => warned.push(text) });
    });
    await expect(program.parseAsync(['eval', ...args], { from: 'user' })).rejects.toMatchObject({ exitCode: 1 });
    expect(warned.join('')).toContain(message);
  });

  it('names what there is for an unknown encoder', async () => {
    await expect(run('identify', '--dir', people, '--encoder', 'rfb-320')).rejects.toMatchObject({
      code: 'USAGE',
      message:
        '"rfb-320" is no encoder; there are full, upper, block50, auto, mobilefacenet-512, mobilefacenet-512-upper, and .onnx files',
    });
  });

  it('says that masked probes need no mask', async () => {
    await expect(run('identify', '--dir', people, '--mask', 'probe')).rejects.toMatchObject({
      code: 'USAGE',
      message: '--mask probe is for --probe plain: masked probes wear a mask already',
    });
  });

  it('says when a folder is empty, and when there is one picture a person', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expect(run('identify', '--dir', empty)).rejects.toMatchObject({ code: 'USAGE' });
    const single = join(folder, 'single');
    for (const name of ['a', 'b']) {
      await mkdir(join(single, name), { recursive: true });
      await cp(join(people, 'person 0/plain/0.jpg'), join(single, name, '1.jpg'));
    }
    await expect(run('identify', '--dir', single)).rejects.toMatchObject({
      code: 'NOTHING_TO_EVALUATE',
      message:
        'there is nobody to look for: 2 people have 2 plain pictures, 2 are of people nothing else is enrolled of',
    });
  });
});
