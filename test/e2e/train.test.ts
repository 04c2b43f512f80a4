import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installModel } from '../../src/commands/train/install-model.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { decodeModel, encodeModel } from '../../src/inference/graph/onnx-proto.ts';
import { BUILTIN_MANIFEST } from '../../src/inference/manifest.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { resnet } from '../../src/training/resnet.ts';
import { MODELS_DIR } from '../rig/config.ts';
import { writePortraits } from '../rig/portraits.ts';
import { Program } from '../rig/program.ts';
import { firstCheckpoint, lastCheckpoint, nextCheckpoint, outcomeOf } from '../rig/training-run.ts';

/** `eyeline train` as a user runs it, on portraits cut out of the project's photos. */
const PEOPLE = 6;
let cwd = '';
let people = '';
const started: Program[] = [];

const SIAMESE = {
  kind: 'siamese',
  people: 2,
  pictures: 2,
  steps: 60,
  stages: [1, 1],
  width: 4,
  side: 64,
  embedding: 8,
  optimiser: { kind: 'sgd', peak: 0.01, warmUpSteps: 2 },
  validation: { everySteps: 5, patience: 99 },
};

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'eyeline-train-'));
  people = join(cwd, 'people');
  await writePortraits(people, PEOPLE);
});

afterAll(async () => {
  for (const program of started) await program.stop();
  await rm(cwd, { recursive: true, force: true });
});

/** A recipe of one's own. JSON is YAML. */
async function recipe(name: string, settings: object): Promise<string> {
  await writeFile(join(cwd, `${name}.yaml`), JSON.stringify(settings));
  return `${name}.yaml`;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const program = new Program(args, { cwd, env });
  started.push(program);
  return program;
}

const train = (file: string, ...args: string[]) => start(['train', file, '--data', people, '--cores', '1', ...args]);

const done = async (program: Program) => {
  const finished = await program.finished();
  expect(finished.stderr).not.toContain('unexpected failure');
  return finished;
};

describe('siamese triplets', () => {
  let whole: Awaited<ReturnType<typeof outcomeOf>>;
  let file = '';

  beforeAll(async () => {
    file = await recipe('siamese', SIAMESE);
    const { code, stderr } = await done(train(file, '--out', 'whole'));
    expect(stderr).toMatch(/prepared \d+ pictures in \d+\.\d s, \d+\.\d a second\n/);
    expect(stderr).toMatch(/step 60 of 60 · loss 0\.\d+ · maskedTar2 .* pictures\/s · 0 s left/);
    expect(code).toBe(0);
    whole = await outcomeOf(join(cwd, 'whole'));
  });

  it('writes a page with curves and faces of people held out', async () => {
    const page = await readFile(join(cwd, 'whole/report.html'), 'utf8');
    // Counts, and not who each one is.
    expect(page).toMatch(/judgedBy \d+/);
    expect(page).not.toMatch(/heldOut|fingerprint/);
    for (const title of ['"Loss"', '"Validation"', '"Learning rate"']) expect(page).toContain(`"title":${title}`);
    expect(page).toContain('uPlot');
    expect(page).toMatch(/before: (right|somebody else)/);
    expect(page.match(/data:image\/jpeg;base64,\/9j\//g)?.length).toBeGreaterThanOrEqual(6);
    expect(page).not.toMatch(/(src|href)="http/);
  });

  it('keeps what it was given', async () => {
    const record = JSON.parse(await readFile(join(cwd, 'whole/run.json'), 'utf8'));
    expect(record).toMatchObject({
      recipe: 'siamese',
      settings: SIAMESE,
      data: { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/), people: PEOPLE, judgedBy: 2, trainedOn: 4 },
      folders: [people],
      version: expect.any(String),
      command: expect.stringContaining('eyeline train siamese'),
    });
    expect(whole.metrics).toHaveLength(60);
    expect(whole.metrics[0]).toMatchObject({ step: 1, loss: expect.any(Number), learningRate: expect.any(Number) });
  });

  it('learns', () => {
    const mean = (rows: readonly { loss: number }[]) => rows.reduce((sum, { loss }) => sum + loss, 0) / rows.length;
    expect(mean(whole.metrics.slice(-15))).toBeLessThan(mean(whole.metrics.slice(0, 15)));
  });

  it('gives an encoder that eval accepts', async () => {
    const pairs = ['same,a,b', '1,person 0/0.jpg,person 0/1.jpg', '0,person 0/0.jpg,person 1/0.jpg'];
    const more = ['1,person 1/0.jpg,person 1/1.jpg', '0,person 2/0.jpg,person 3/0.jpg'];
    await writeFile(join(cwd, 'pairs.csv'), [...pairs, ...more, ''].join('\n'));
    const args = [
      'eval',
      'pairs',
      '--images',
      people,
      '--pairs',
      'pairs.csv',
      '--encoder',
      'whole/model.onnx',
      '--json',
    ];
    const { code, stdout, stderr } = await done(start([...args, '--workers', '1']));
    expect(stderr).not.toContain('eyeline:');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ encoder: 'whole/model.onnx', pairs: 4, notFound: 0 });
  });

  it('is the same to the last bit after kill -9 and Ctrl-C', async () => {
    const run = join(cwd, 'killed');
    const first = train(file, '--out', 'killed');
    await firstCheckpoint(run);
    first.signal('SIGKILL');
    expect((await first.finished()).code).toBeNull();
    expect(await lastCheckpoint(run)).toBeLessThan(60);

    const second = train(file, '--out', 'killed', '--resume');
    await nextCheckpoint(run);
    second.signal('SIGINT');
    const { code, stderr } = await done(second);
    expect(code).toBe(130);
    expect(stderr).toMatch(/go on with: eyeline train siamese\.yaml --data \S+ --out killed --cores 1 --resume/);
    expect(await lastCheckpoint(run)).toBeLessThan(60);

    expect((await done(train(file, '--out', 'killed', '--resume'))).code).toBe(0);
    const { metrics, validations, ...bytes } = await outcomeOf(run);
    expect(metrics).toEqual(whole.metrics);
    expect(validations).toBe(whole.validations);
    for (const [name, value] of Object.entries(bytes)) {
      expect(value.equals(whole[name as keyof typeof bytes]), name).toBe(true);
    }
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('loses nothing when the disk is full (as root: mounts a small file system)', async () => {
    const disk = join(cwd, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    const first = train(file, '--out', 'disk/run');
    await firstCheckpoint(join(disk, 'run'));
    await writeFile(join(disk, 'filler'), Buffer.alloc(8 << 20)).catch(() => {});
    const { code, stderr } = await done(first);
    expect(stderr).toMatch(/disk\/run cannot be written: the disk is full \[OUTPUT_UNWRITABLE\]/);
    expect(stderr).toMatch(/kept: the checkpoint of step \d+/);
    expect(code).toBe(11);
    await rm(join(disk, 'filler'));
    expect((await done(train(file, '--out', 'disk/run', '--resume'))).code).toBe(0);
    const { model, metrics } = await outcomeOf(join(disk, 'run'));
    expect(metrics).toEqual(whole.metrics);
    expect(model.equals(whole.model)).toBe(true);
  });

  it('ends when the loss is no number, and keeps what was good', async () => {
    const settings = { ...SIAMESE, optimiser: { kind: 'sgd', peak: 1e25, warmUpSteps: 20, clipNorm: null } };
    const { code, stderr } = await done(train(await recipe('wild', settings), '--out', 'wild'));
    expect(code).toBe(12);
    expect(stderr).toMatch(/\[TRAINING_DIVERGED\]/);
    expect(stderr).toContain('kept: wild/model.onnx, the best so far');
    expect(stderr).toContain('begin a new run with a lower optimiser.peak and another --out');
    expect(stderr).not.toContain('--resume');
    expect(decodeModel(new Uint8Array(await readFile(join(cwd, 'wild/model.onnx')))).graph.node.length).toBeGreaterThan(
      9,
    );
  });

  it('names operator and node that cannot be trained', async () => {
    const model = decodeModel(resnet({ input: 64, embedding: 8, stages: [1], width: 4, seed: 1 }));
    const [relu] = model.graph.node.filter(({ opType }) => opType === 'Relu');
    if (relu) Object.assign(relu, { opType: 'Erf', name: 'odd one' });
    await writeFile(join(cwd, 'odd.onnx'), encodeModel(model));
    const file = await recipe('odd', { ...SIAMESE, model: 'odd.onnx' });
    const { code, stderr } = await done(train(file, '--out', 'odd'));
    expect(stderr).toMatch(/Erf.*odd one|odd one.*Erf/);
    expect(stderr).toContain('[GRAPH_UNTRAINABLE]');
    expect(code).toBe(4);

    // It ended before it began: the same commands go on once the recipe is corrected.
    await recipe('odd', { ...SIAMESE, steps: 3 });
    const resumed = await done(train(file, '--out', 'odd', '--resume'));
    expect(resumed.stdout).toContain('done after 3 steps');
    expect(resumed.code).toBe(0);
    // Another seed: all would have to be prepared anew.
    await recipe('odd', { ...SIAMESE, seed: 99 });
    const again = await done(train(file, '--out', 'odd'));
    expect(again.stderr).toContain('odd holds a run already: --resume goes on with it, --out names another');
    expect(again.stderr).not.toContain('preparing pictures');
    expect(again.code).toBe(2);
  });

  it('begins with a classifier of the user’s', async () => {
    await writeFile(join(cwd, 'body.onnx'), resnet({ input: 96, embedding: 11, stages: [1, 1], width: 4, seed: 5 }));
    const body = decodeModel(new Uint8Array(await readFile(join(cwd, 'body.onnx'))));
    const last = body.graph.node.at(-1);
    if (last) last.output = ['logits'];
    body.graph.output[0] = { ...body.graph.output[0], name: 'logits' };
    await writeFile(join(cwd, 'body.onnx'), encodeModel(body));
    const settings = {
      ...SIAMESE,
      model: 'body.onnx',
      steps: 3,
      mining: 'semi-hard',
      train: 'last-stage',
      stages: [1],
    };
    expect((await done(train(await recipe('begun', settings), '--out', 'begun'))).code).toBe(0);
  });
});

describe('mask states', () => {
  const MASK_STATE = {
    kind: 'mask-state',
    batch: 12,
    steps: 120,
    masks: 2,
    channels: [4, 4, 4, 4],
    hidden: 8,
    optimiser: { peak: 0.003, warmUpSteps: 5 },
    validation: { everySteps: 40, patience: 99 },
  };
  let file = '';
  const worn = () => join(cwd, 'worn');

  beforeAll(async () => {
    file = await recipe('states', MASK_STATE);
    const { code, stderr } = await done(start(['dataset', 'mask', people, worn(), '--fit', 'normal']));
    expect(stderr).not.toContain('eyeline:');
    expect(code).toBe(0);
  });

  it('learns from bare faces, drawn masks and pictures of masks, and is the same to the last bit after Ctrl-C', async () => {
    const { code, stderr } = await done(train(file, '--worn', worn(), '--out', 'states'));
    expect(stderr).toMatch(/step 120 of 120 · loss [01]\.\d+ · accuracy 0\.\d+ · variedAccuracy 0\.\d+/);
    expect(code).toBe(0);
    const record = JSON.parse(await readFile(join(cwd, 'states/run.json'), 'utf8'));
    expect(record).toMatchObject({ data: { people: 2 * PEOPLE }, folders: [people, worn()] });
    const whole = await outcomeOf(join(cwd, 'states'));
    expect(JSON.parse(whole.validations.split('\n')[0] ?? '')).toMatchObject({
      step: 0,
      realRight: expect.any(Number),
    });

    const first = train(file, '--worn', worn(), '--out', 'stopped');
    await firstCheckpoint(join(cwd, 'stopped'));
    first.signal('SIGINT');
    expect((await done(first)).code).toBe(130);
    expect((await done(train(file, '--worn', worn(), '--out', 'stopped', '--resume'))).code).toBe(0);
    const { metrics, validations, ...bytes } = await outcomeOf(join(cwd, 'stopped'));
    expect(metrics).toEqual(whole.metrics);
    expect(validations).toBe(whole.validations);
    for (const [name, value] of Object.entries(bytes)) {
      expect(value.equals(whole[name as keyof typeof bytes]), name).toBe(true);
    }
  });

  it('is not installed after so little', async () => {
    const models = join(cwd, 'models-for-states');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    const env = { EYELINE_MODELS_DIR: models };
    const args = ['train', file, '--data', people, '--cores', '1', '--out', 'refused', '--install'];
    const { code, stderr } = await done(start(args, env));
    expect(stderr).toMatch(/faces told rightly.*\[TRAINING_NOT_BETTER\]/);
    expect(code).toBe(13);
    expect(existsSync(join(models, 'trained.json'))).toBe(false);
  });

  it('needs bare faces, and takes pictures of masks for no other recipe', async () => {
    for (let person = 0; person < PEOPLE; person++) {
      await cp(join(worn(), `person ${person}`), join(cwd, `covered/person ${person}/masked`), { recursive: true });
    }
    const { code, stderr } = await done(start(['train', file, '--data', join(cwd, 'covered'), '--out', 'covered-run']));
    expect(stderr).toContain('none of the people to train on has a bare face');
    expect(code).toBe(7);
    const other = await done(train(await recipe('siamese', SIAMESE), '--worn', worn(), '--out', 'other'));
    expect(other.stderr).toContain('--worn is for recipes of kind mask-state');
    expect(other.code).toBe(2);
  });
});

describe('classifiers', () => {
  const HEAD = {
    kind: 'classifier',
    features: 'embedding',
    batch: 16,
    steps: 120,
    optimiser: { peak: 0.02, warmUpSteps: 5 },
    averageDecay: 0.9,
    validation: { share: 0.3, everySteps: 40, faces: 100 },
  };
  const RECIPES = { head: HEAD, words: { ...HEAD, features: 'words', words: 12, hidden: 16 } };

  it.each(['head', 'words'] as const)(
    '%s: learns people of a folder, and eval asks it about pictures it did not see',
    async (name) => {
      const { code, stderr } = await done(train(await recipe(name, RECIPES[name]), '--out', name));
      expect(stderr).toMatch(/step 120 of 120 · loss 0\.\d+ · accuracy \d\.\d+ · maskedAccuracy/);
      expect(code).toBe(0);
      const classes = JSON.parse(await readFile(join(cwd, name, 'classes.json'), 'utf8'));
      expect(classes).toMatchObject({
        encoder: { id: 'block50' },
        people: expect.arrayContaining(['person 0', 'person 5']),
      });
      // Three pictures each, of which one is held out.
      expect(classes.learned).toHaveLength(2 * PEOPLE);
      expect(existsSync(join(cwd, name, 'words.safetensors'))).toBe(name === 'words');

      const args = ['eval', 'identify', '--dir', people, '--workers', '1', '--json'];
      const asked = await done(start([...args, '--classifier', name]));
      expect(asked.code).toBe(0);
      const figures = JSON.parse(asked.stdout);
      expect(figures).toMatchObject({
        classifier: name,
        gallery: 2 * PEOPLE,
        probes: PEOPLE,
        impostors: PEOPLE * (PEOPLE - 1),
      });
      const judged = (await outcomeOf(join(cwd, name))).validations
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const best = judged.reduce((most, it) => (it.score > most.score ? it : most));
      // What the run says of its held-out pictures, by the same crops but for what the detector sees in them anew.
      expect(Math.abs(figures.rank1 - best.accuracy)).toBeLessThan(0.35);
      if (name === 'head') expect(figures.rank1).toBeGreaterThan(0.6);
    },
  );

  it('says what is no classifier, and which encoder one is for', async () => {
    const args = ['eval', 'identify', '--dir', people, '--workers', '1'];
    const none = await done(start([...args, '--classifier', 'nothing']));
    expect(none.stderr).toContain('"nothing" is no classifier: nearest, softmax, svm, hariri, or the folder of a run');
    expect(none.code).toBe(2);
    const other = await done(start([...args, '--classifier', 'head', '--encoder', 'full']));
    expect(other.stderr).toContain('head was trained on the encoder block50, not full');
    expect(other.code).toBe(2);
  });

  it('goes on with the encoder and the settings it began with, and with no others', async () => {
    const file = await recipe('head', HEAD);
    const begun = await done(train(file, '--out', 'begun-head', '--max-minutes', '0.00001'));
    expect(begun.stdout).toContain('time is up after');
    const longer = await done(
      train(await recipe('longer', { ...HEAD, steps: 121 }), '--out', 'begun-head', '--resume'),
    );
    expect(longer.stderr).toContain('begun-head was begun with other settings: steps was 120, is 121');
    expect(longer.code).toBe(2);

    const models = join(cwd, 'models-for-heads');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    const store = await createModelStore({ dir: models, extraManifest: null, logger: silentLogger });
    const id = 'mobilefacenet-512';
    const onnx = decodeModel(new Uint8Array(await readFile(await store.sourceFile(id))));
    await writeFile(join(cwd, 'same-but.onnx'), encodeModel({ ...onnx, producerName: 'somebody else' }));
    const { input, outputs, embedding } = store.entry(id);
    const contract = { input, outputs, embedding };
    await installModel(models, {
      id,
      file: join(cwd, 'same-but.onnx'),
      from: store.entry(id),
      contract,
      recipe: 'own',
      people: { fold: 0, trainedOn: [], heldOut: [] },
    });
    const args = ['train', file, '--data', people, '--cores', '1', '--out', 'begun-head', '--resume'];
    const other = await done(start(args, { EYELINE_MODELS_DIR: models }));
    expect(other.stderr).toMatch(
      /begun-head was begun with another encoder: mobilefacenet-512 \(SHA-256 [0-9a-f]{12}…\), not/,
    );
    expect(other.code).toBe(2);

    const goneOn = await done(start(args));
    expect(goneOn.stdout).toContain('done after 120 steps');
    expect(goneOn.code).toBe(0);
  });

  it('needs two people with two pictures, and one folder', async () => {
    const file = await recipe('head', HEAD);
    const on = (folder: string) =>
      done(start(['train', file, '--data', folder, '--cores', '1', '--out', `few-${folder}`]));
    await cp(join(people, 'person 0'), join(cwd, 'one/somebody'), { recursive: true });
    expect((await on('one')).stderr).toContain(
      'one person with a face in the pictures: a classifier tells at least two apart',
    );
    for (let person = 0; person < 3; person++) {
      await cp(join(people, `person ${person}/0.jpg`), join(cwd, `once/${person}/0.jpg`), { recursive: true });
    }
    const once = await on('once');
    expect(once.stderr).toContain('nobody has two pictures with a face');
    expect(once.code).toBe(7);
    const twice = await done(start(['train', file, '--data', 'one', 'once', '--out', 'few']));
    expect(twice.stderr).toContain('learns the people of one folder: give one --data');
    expect(twice.code).toBe(2);
    expect((await done(train(file, '--install', '--out', 'few'))).code).toBe(2);
  });
});

describe('pictures that do not do', () => {
  const siamese = () => recipe('siamese', SIAMESE);
  const on = (file: string, folder: string) =>
    done(start(['train', file, '--data', folder, '--cores', '1', '--out', `runs/${folder}`]));

  it('one picture a person', async () => {
    for (let person = 0; person < PEOPLE; person++) {
      await mkdir(join(cwd, `single/${person}`), { recursive: true });
      await cp(join(people, `person ${person}/0.jpg`), join(cwd, `single/${person}/0.jpg`));
    }
    const { code, stderr } = await on(await siamese(), 'single');
    expect(stderr).toContain('0 people to train on have two pictures with a face; 2 are needed');
    expect(code).toBe(7);
  });

  it('one person', async () => {
    await cp(join(people, 'person 0'), join(cwd, 'alone/somebody'), { recursive: true });
    const { code, stderr } = await on(await siamese(), 'alone');
    expect(stderr).toContain('one person with a face in the pictures: at least four are needed');
    expect(code).toBe(7);
  });

  it('no faces: says so, and is not stopped by pictures that cannot be read', async () => {
    await mkdir(join(cwd, 'faceless/somebody'), { recursive: true });
    await writeFile(join(cwd, 'faceless/somebody/1.jpg'), 'no picture');
    const { code, stderr } = await on(await siamese(), 'faceless');
    expect(stderr).toMatch(/none of 1 pictures shows a face; .*not a picture/);
    expect(code).toBe(7);
  });
});

describe('--install', () => {
  const LANDMARKS = { kind: 'landmarks', batch: 16, validation: { everySteps: 20 }, averageDecay: 0.9 };
  const env = async () => {
    const models = join(cwd, 'models');
    await cp(MODELS_DIR, models, { recursive: true, dereference: true });
    return { EYELINE_MODELS_DIR: models, EYELINE_MODELS_LANDMARKS: 'landmarks-68' };
  };
  const install = async (settings: object, name: string) => {
    const file = await recipe(name, { ...LANDMARKS, ...settings });
    return done(start(['train', file, '--data', people, '--cores', '1', '--out', name, '--install'], await env()));
  };
  const installed = join('models', 'trained.json');

  it('refuses what is not better, and says why', async () => {
    const { code, stderr } = await install({ steps: 2, optimiser: { kind: 'sgd', peak: 1e-30 } }, 'no-gain');
    expect(stderr).toMatch(
      /error of the eyes under a mask: 0\.\d+, not better than 0\.\d+ in use \[TRAINING_NOT_BETTER\]/,
    );
    expect(code).toBe(13);
    expect(existsSync(join(cwd, installed))).toBe(false);
  });

  it('installs what is better on people it was not trained on', async () => {
    const { code, stdout, stderr } = await install({ steps: 60, optimiser: { peak: 0.0005, warmUpSteps: 5 } }, 'gain');
    expect(stderr).not.toContain('TRAINING_NOT_BETTER');
    expect(code).toBe(0);
    expect(stdout).toContain('installed as landmarks-68');
    const { models } = JSON.parse(await readFile(join(cwd, installed), 'utf8'));
    expect(models).toMatchObject([{ id: 'landmarks-68', role: 'landmarks' }]);
    const bytes = await readFile(join(cwd, 'models', models[0].source.replace('file:', '')));
    expect(bytes.equals(await readFile(join(cwd, 'gain/model.onnx')))).toBe(true);
  });

  it('judges by people the model in use was not trained on, though people were added', async () => {
    const heldOutOf = async (run: string) =>
      JSON.parse(await readFile(join(cwd, run, 'run.json'), 'utf8')).data.heldOut as number[];
    await writePortraits(join(cwd, 'everybody'), PEOPLE + 2);
    for (const name of [`person ${PEOPLE}`, `person ${PEOPLE + 1}`]) {
      await cp(join(cwd, 'everybody', name), join(cwd, 'newcomers', name), { recursive: true });
    }
    const settings = { ...LANDMARKS, steps: 2, optimiser: { kind: 'sgd', peak: 1e-30 } };
    const args = ['train', await recipe('grown', settings), '--cores', '1', '--install'];
    // Who was held out comes last: dealt anew, others would be.
    const folders = ['--data', 'newcomers', people];
    const held = await heldOutOf('gain');
    const { code, stderr } = await done(start([...args, ...folders, '--out', 'grown'], await env()));
    expect(stderr).toContain('[TRAINING_NOT_BETTER]');
    expect(code).toBe(13);
    const known = (await heldOutOf('grown')).map((person) => person - 2).filter((person) => person >= 0);
    expect(known).toEqual(held);

    const other = await done(start([...args, ...folders, '--out', 'other-fold', '--fold', '1'], await env()));
    expect(other.stderr).toContain('fold 1 would hold out people whom landmarks-68 was trained on');
    expect(other.stderr).not.toContain('preparing');
    expect(other.code).toBe(2);
  });

  it('--json: under an id of the user’s it is installed beside that, and nothing but the object is printed', async () => {
    const dir = join(cwd, 'models-with-own');
    await cp(MODELS_DIR, dir, { recursive: true, dereference: true });
    const { models } = JSON.parse(await readFile(BUILTIN_MANIFEST, 'utf8'));
    const own = models.find(({ id }: { id: string }) => id === 'landmarks-68');
    await writeFile(join(cwd, 'own.json'), JSON.stringify({ models: [own] }));
    const settings = {
      EYELINE_MODELS_DIR: dir,
      EYELINE_MODELS_MANIFEST: join(cwd, 'own.json'),
      EYELINE_MODELS_LANDMARKS: 'landmarks-68',
    };
    const file = await recipe('own', { ...LANDMARKS, steps: 60, optimiser: { peak: 0.0005, warmUpSteps: 5 } });
    const args = ['train', file, '--data', people, '--cores', '1', '--out', 'own', '--install', '--json'];
    const { code, stdout, stderr } = await done(start(args, settings));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ recipe: 'own', end: 'done', step: 60 });
    expect(stderr).toMatch(
      /installed as landmarks-68-trained since .*\n +set models\.landmarks: landmarks-68-trained\n/,
    );
  });

  it('an encoder whose scores nobody measured is not used silently: the daemon says so and ends', async () => {
    const settings = await env();
    const store = await createModelStore({
      dir: settings.EYELINE_MODELS_DIR,
      extraManifest: null,
      logger: silentLogger,
    });
    const { id, input, outputs, embedding, alignedBy } = store.entry('mobilefacenet-512-upper');
    await installModel(settings.EYELINE_MODELS_DIR, {
      id: 'upper-encoder',
      file: await store.sourceFile(id),
      from: store.entry(id),
      contract: { input, outputs, embedding, alignedBy },
      part: 'upper',
      recipe: 'masked-encoder',
      people: { fold: 0, trainedOn: [], heldOut: [] },
    });
    const camera = { id: 'door', source: 'rtsp://127.0.0.1:9/door' };
    await writeFile(
      join(cwd, 'eyeline.yaml'),
      JSON.stringify({ cameras: [camera], mqtt: { url: 'mqtt://127.0.0.1:9' } }),
    );
    const upper = { ...settings, EYELINE_MODELS_UPPER_ENCODER: 'upper-encoder' };
    const { code, stdout, stderr } = await start(['run', '-c', 'eyeline.yaml'], upper).finished();
    expect(stdout + stderr).toContain('model upper-encoder has no calibration');
    expect(stdout + stderr).toContain('MODEL_UNCALIBRATED');
    expect(code).toBe(4);
  });
});
