import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILTIN_MANIFEST } from '../../src/inference/manifest.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { writePortraits } from '../rig/portraits.ts';
import { Program } from '../rig/program.ts';
import { firstCheckpoint, installWithRecipes, lastCheckpoint, nextCheckpoint, outcomeOf } from '../rig/training-run.ts';

/** `eyeline train all` as a user runs it, with recipes of few steps in place of the ones it comes with. */
const NAMES = ['masked-detector', 'masked-landmarks', 'masked-encoder'] as const;
const LANDMARK_STEPS = 60;
/** Rates that change nothing. */
const STILL = { kind: 'sgd', peak: 1e-30 };
const RECIPES = {
  'masked-detector': { kind: 'detector', batch: 2, steps: 3, optimiser: STILL, validation: { faces: 10 } },
  'masked-landmarks': {
    kind: 'landmarks',
    batch: 16,
    steps: LANDMARK_STEPS,
    optimiser: { peak: 0.0005, warmUpSteps: 5 },
    averageDecay: 0.9,
    validation: { everySteps: 5, patience: 99 },
  },
  'masked-encoder': {
    kind: 'encoder',
    cut: { layers: 1 },
    batch: 8,
    steps: 3,
    others: 8,
    optimiser: STILL,
    validation: { faces: 12 },
  },
};

let cwd = '';
let main = '';
const started: Program[] = [];

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'eyeline-train-all-'));
  await writePortraits(join(cwd, 'the people'), 6);
  main = await installWithRecipes(join(cwd, 'program'), RECIPES);
});

afterAll(async () => {
  for (const program of started) await program.stop();
  await rm(cwd, { recursive: true, force: true });
});

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const program = new Program(args, { cwd, env, main });
  started.push(program);
  return program;
}

const all = (...args: string[]) => ['train', 'all', '--data', 'the people', '--cores', '1', ...args];

/** Runs it to its end, which is no failure of the program. */
async function ended(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const finished = await start(args, env).finished();
  expect(finished.stderr).not.toContain('unexpected failure');
  return finished;
}

/** The words of a command as a shell reads it. */
function wordsOf(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('train all', () => {
  it('goes on after kill -9 and Ctrl-C in its second recipe, by the command it prints', {
    timeout: 900_000,
  }, async () => {
    const whole = await ended(all('--fold', '1', '--out', 'whole'));
    expect(whole.stderr).not.toContain('eyeline:');
    expect(whole.code).toBe(0);

    const [detector = '', landmarks = '', encoder = ''] = await Promise.all(
      NAMES.map((name) => readFile(join(cwd, 'whole', name, 'report.html'), 'utf8')),
    );
    expect(detector).toMatch(/before: \d of \d found[\s\S]*after: \d of \d found/);
    expect(landmarks).toContain('points under a mask');
    expect(encoder).toMatch(/before: (right|somebody else), -?[01]\.\d\d[\s\S]*after: (right|somebody else), /);
    for (const page of [detector, landmarks, encoder]) {
      expect(page.match(/data:image\/jpeg;base64,\/9j\//g)?.length).toBeGreaterThanOrEqual(8);
    }

    const second = join(cwd, 'stopped/masked-landmarks');
    const killed = start(all('--fold', '1', '--out', 'stopped'));
    await firstCheckpoint(second);
    killed.signal('SIGKILL');
    await killed.finished();
    expect(await lastCheckpoint(second)).toBeLessThan(LANDMARK_STEPS);
    expect(existsSync(join(cwd, 'stopped/masked-encoder'))).toBe(false);

    const interrupted = start(all('--fold', '1', '--out', 'stopped', '--resume'));
    await nextCheckpoint(second);
    interrupted.signal('SIGINT');
    const { code, stdout, stderr } = await interrupted.finished();
    expect(stdout).toMatch(/masked-detector: trained before: done after 3 steps/);
    expect(stderr).not.toContain('masked-detector: training');
    expect(code).toBe(130);
    expect(await lastCheckpoint(second)).toBeLessThan(LANDMARK_STEPS);

    const [, command = ''] = /go on with: eyeline (.*)/.exec(stderr) ?? [];
    expect(wordsOf(command)).toEqual(expect.arrayContaining(all('--fold', '1', '--out', 'stopped', '--resume')));
    const goneOn = await ended(wordsOf(command));
    expect(goneOn.stdout).toMatch(/masked-landmarks: done after 60 steps[\s\S]*masked-encoder: done after 3 steps/);
    expect(goneOn.code).toBe(0);
    for (const name of NAMES) {
      const was = await outcomeOf(join(cwd, 'whole', name));
      const { metrics, validations, ...bytes } = await outcomeOf(join(cwd, 'stopped', name));
      expect(metrics, name).toEqual(was.metrics);
      expect(validations, name).toBe(was.validations);
      for (const [file, value] of Object.entries(bytes)) {
        expect(value.equals(was[file as keyof typeof bytes]), `${name} ${file}`).toBe(true);
      }
    }

    const again = await ended(all('--fold', '1', '--out', 'stopped', '--resume'));
    for (const name of NAMES) expect(again.stdout).toContain(`${name}: trained before: done`);
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
  });

  it('has nothing to go on with where nothing was begun', async () => {
    const { code, stderr } = await ended(all('--out', 'nowhere', '--resume'));
    expect(stderr).toContain('nowhere holds no run to go on with');
    expect(code).toBe(2);
  });

  it('names no command to go on with when Ctrl-C came before anything was begun', async () => {
    await rm(join(cwd, 'runs'), { recursive: true, force: true });
    const program = start(all('--out', 'early'));
    await program.warned('preparing pictures');
    program.signal('SIGINT');
    const { code, stdout, stderr } = await program.finished();
    expect(stderr).not.toMatch(/go on with|unexpected failure/);
    expect(stdout).toBe('');
    expect(code).toBe(130);
  });

  it('--install: one that is not better keeps no other from running; status 13 at the end', async () => {
    const models = join(cwd, 'models');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    const env = { EYELINE_MODELS_DIR: models, EYELINE_MODELS_LANDMARKS: 'landmarks-68' };
    const first = await ended(all('--out', 'installed', '--install'), env);
    expect(first.stderr).toMatch(/not installed: masked-detector: masked faces found: .* not better than/);
    expect(first.stdout).toContain('installed as landmarks-68');
    expect(first.stderr).toMatch(/eyeline: masked-detector: .*masked-encoder: .*\[TRAINING_NOT_BETTER\]/);
    expect(first.code).toBe(13);
    const { models: trained } = JSON.parse(await readFile(join(models, 'trained.json'), 'utf8'));
    expect(trained).toMatchObject([{ id: 'landmarks-68' }]);

    const again = await ended(all('--out', 'installed', '--install', '--resume'), env);
    expect(again.stdout).toMatch(/masked-landmarks: trained before: done after 60 steps/);
    expect(again.stdout).not.toContain('installed as');
    expect(again.stderr).not.toContain(': training in');
    expect(again.stderr).toMatch(/eyeline: masked-detector: .*masked-encoder: .*\[TRAINING_NOT_BETTER\]/);
    expect(again.code).toBe(13);
  });

  it('--install: landmarks installed beside those of models.manifest are what the encoder is aligned by, after a stop too', async () => {
    const models = join(cwd, 'models-own');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    const manifest = join(cwd, 'own.json');
    const { models: known } = JSON.parse(await readFile(BUILTIN_MANIFEST, 'utf8'));
    const own = known.filter(({ id }: { id: string }) => id === 'landmarks-68');
    await writeFile(manifest, JSON.stringify({ models: own }));
    const env = {
      EYELINE_MODELS_DIR: models,
      EYELINE_MODELS_MANIFEST: manifest,
      EYELINE_MODELS_LANDMARKS: 'landmarks-68',
    };
    const encoder = join(cwd, 'beside/masked-encoder');
    const stopped = start(all('--out', 'beside', '--install'), env);
    await firstCheckpoint(encoder);
    stopped.signal('SIGKILL');
    const { stdout, stderr } = await stopped.finished();
    expect(stdout).toMatch(/installed as landmarks-68-trained since models.manifest has a landmarks-68 of its own/);
    expect(stderr).toContain('the recipes after it use landmarks-68-trained');
    const { landmarks } = JSON.parse(await readFile(join(encoder, 'run.json'), 'utf8'));
    expect(landmarks.id).toBe('landmarks-68-trained');

    const goneOn = await ended(all('--out', 'beside', '--install', '--resume'), env);
    expect(goneOn.stderr).not.toContain('was begun with');
    expect(goneOn.stdout).toMatch(/masked-encoder: (trained before: )?done after 3 steps/);
    expect(goneOn.code).toBe(13);
  });
});
