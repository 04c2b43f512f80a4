import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { decideStream } from '../../src/evaluation/streams/decide-stream.ts';
import { streamFigures } from '../../src/evaluation/streams/stream-figures.ts';
import { dealGalleries } from '../../src/evaluation/streams/stream-galleries.ts';
import { recordStreams, type StreamPerson, type StreamSource } from '../../src/evaluation/streams/stream-set.ts';
import type { FaceEmbedding } from '../../src/faces/face-analyser.ts';
import type { StreamLook } from '../../src/pictures/picture-protocol.ts';
import { type DecisionParts, decisionParts } from '../../src/pipeline/decision-parts.ts';
import { TENTHS } from '../tracks/score-curve.ts';
import { NO_LANDMARKS } from './made-faces.ts';

/** People of made-up embeddings, an axis each, before the decisions the daemon makes. */
const ENCODER = { id: 'made', fingerprint: 'made', dimension: 8, part: 'full', calibration: { none: TENTHS } } as const;
const WALK = { frames: 12, fps: 10, frame: { width: 320, height: 240 } };
const SETUP = { encoders: [ENCODER], minQuality: 0.2, minFrames: 3, walk: WALK, seed: 1 };
let parts: DecisionParts;

beforeAll(() => {
  const config = configSchema.parse({ recognition: { falseAcceptRate: 1e-4, minFrames: 3 } });
  parts = decisionParts(config, { encoders: [ENCODER], leastScore: 0.7 });
});

function embedding(axis: number): FaceEmbedding {
  const { fingerprint: encoder, dimension, part } = ENCODER;
  return { encoder, part, embedding: Float32Array.from({ length: dimension }, (_, at) => (at === axis ? 1 : 0)) };
}

function look(axis: number, score = 0.9): StreamLook {
  return {
    face: {
      box: { x: 100, y: 60, width: 100, height: 120 },
      score: 0.99,
      landmarks: NO_LANDMARKS,
      quality: { size: score, sharpness: score, exposure: score, pose: score, completeness: score, score },
      mask: null,
    },
    embedding: embedding(axis),
    encodedAs: null,
  };
}

function walker(axis: number, track = Array.from({ length: WALK.frames }, () => look(axis))): StreamPerson {
  return { id: `person ${axis}`, templates: [embedding(axis)], track };
}

describe('decideStream', () => {
  const decide = (track: readonly (StreamLook | null)[], enrolled: readonly number[]) => {
    const size = enrolled.length;
    const [gallery] = dealGalleries(
      enrolled.map((axis) => walker(axis)),
      [ENCODER],
      { size, deals: 1, seed: 1 },
    );
    if (!gallery) throw new Error('no gallery');
    return decideStream(track, { parts, gallery: gallery.view, minQuality: 0.2, plan: WALK });
  };

  it('names who is enrolled, on the third look, counted from the first frame with a face', async () => {
    const track = [null, null, ...Array.from({ length: 8 }, () => look(1))];
    expect(await decide(track, [0, 1, 2])).toEqual({ decision: 'known', named: ['person 1'], decidedMs: 200 });
  });

  it('calls a stranger unknown, and nobody where no face was seen or is good enough', async () => {
    expect(await decide(walker(5).track, [0, 1, 2])).toMatchObject({ decision: 'unknown', named: [] });
    const undecided = { decision: 'undecided', named: [], decidedMs: null };
    expect(await decide([null, null, null], [0, 1])).toEqual(undecided);
    expect(await decide(walker(1, Array(12).fill(look(1, 0.1))).track, [0, 1])).toEqual(undecided);
  });
});

describe('streamFigures', () => {
  it('counts who was named, and who was not, by hand', async () => {
    // Four people, two galleries of two: each is once enrolled and once a stranger. Person 3 looks like person 0.
    const people = [walker(0), walker(1), walker(2), { ...walker(3), track: walker(0).track }];
    const figures = await streamFigures(people, { ...SETUP, parts, gallerySize: 2, deals: 1 });
    expect(figures).toMatchObject({ people: 4, galleries: 2, configuredRate: 1e-4 });
    // They are dealt apart: 3 as a stranger is named as 0, and nobody knows 3 before the gallery of their own.
    expect(figures.falseAccepts).toMatchObject({ events: 1, trials: 4 });
    expect(figures.notNamed).toMatchObject({ events: 1, trials: 4 });
    expect([figures.toldUnknown, figures.misnamed]).toEqual([0.25, 0]);
    expect(figures.undecided).toBe(0);
    expect(figures.decidedMs.median).toBe(200);
    // All in one gallery: 3 is named as another.
    const one = await streamFigures(people, { ...SETUP, parts, gallerySize: 4, deals: 1 });
    expect(one).toMatchObject({ galleries: 1, falseAccepts: { trials: 0 }, toldUnknown: 0, misnamed: 0.25 });
  });

  it('names all who are enrolled and no stranger where all are different', async () => {
    const people = [0, 1, 2, 3, 4, 5].map((axis) => walker(axis));
    const figures = await streamFigures(people, { ...SETUP, parts, gallerySize: 3, deals: 2 });
    expect(figures.falseAccepts).toMatchObject({ events: 0, trials: 12 });
    expect(figures.notNamed).toMatchObject({ events: 0, trials: 12 });
    expect(figures.calibration.map(({ observed }) => observed.events)).toEqual([0, 0, 0, 0, 0]);
    expect(figures.voting).toEqual([
      { fpir: 0.01, track: 0, single: 0 },
      { fpir: 0.001, track: 0, single: 0 },
    ]);
  });

  it('says that too few people fill no gallery', async () => {
    await expect(streamFigures([walker(0)], { ...SETUP, parts, gallerySize: 2, deals: 1 })).rejects.toMatchObject({
      code: 'NOTHING_TO_EVALUATE',
      message: expect.stringMatching(/^1 people/),
    });
  });
});

describe('recordStreams', () => {
  it('enrols all pictures but the last, as many as asked for; the last walks by; who shows no face is left out', async () => {
    const asked: string[] = [];
    const source: StreamSource = async function* (tasks) {
      for (const task of tasks) {
        asked.push(`${task.kind} ${task.file}`);
        const looks = task.file === 'bob 2' ? null : walker(0).track;
        yield task.kind === 'walk' ? { looks, reason: null } : { templates: [embedding(asked.length)], reason: null };
      }
    };
    const people = [
      { person: 'ann', plain: ['ann 1', 'ann 2', 'ann 3', 'ann 4'], masked: [] },
      { person: 'bob', plain: ['bob 1', 'bob 2'], masked: [] },
      { person: 'cy', plain: ['cy 1'], masked: [] },
      { person: 'dee', plain: [], masked: ['dee 1'] },
    ];
    const plan = { people, enrol: 2, seed: 1, masked: false, walk: WALK };
    const progress: number[] = [];
    const recorded = await recordStreams(plan, source, (done, total) => progress.push(done / total));
    expect(asked).toEqual([
      ...['templates ann 1', 'templates ann 2', 'walk ann 4'],
      ...['templates bob 1', 'walk bob 2', 'walk cy 1'],
    ]);
    expect(recorded.people.map(({ id, templates }) => [id, templates.length])).toEqual([
      ['ann', 2],
      ['cy', 0],
    ]);
    expect(recorded.leftOut).toBe(1);
    expect(progress.at(-1)).toBe(1);
  });
});
