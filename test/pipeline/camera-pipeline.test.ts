import { beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import type { Frame } from '../../src/core/picture.ts';
import { type AttemptReport, attemptReport } from '../../src/events/attempt.ts';
import type { IdentityDraft } from '../../src/events/identity-event.ts';
import { cosine } from '../../src/faces/embedding.ts';
import type { LivenessAssessor } from '../../src/faces/liveness.ts';
import { CameraPipeline, type FrameReport } from '../../src/pipeline/camera-pipeline.ts';
import type { GalleryView } from '../../src/pipeline/gallery-view.ts';
import type { VisitorLog } from '../../src/pipeline/track-telling.ts';
import { Visits } from '../../src/pipeline/visits.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';
import { ZoneWatch } from '../../src/zones/zone-watch.ts';
import {
  FakeFaceAnalyser,
  FULL_ENCODER,
  type StagedFace,
  StagedFrame,
  stagedEmbedding,
  UPPER_ENCODER,
} from '../fakes/fake-face-analyser.ts';
import { settle } from '../fakes/frame-source-clock.ts';
import { POLICY, SCORES, trackerOfDoor } from './door.ts';

const ANN = { id: 'ann', name: 'Ann' };
const BOB = { id: 'bob', name: 'Bob' };
const FRAME_MS = 100;

const at = (x: number, angle: number, quality = 0.9): StagedFace => ({
  box: { x, y: 100, width: 100, height: 120 },
  angle,
  quality,
});

/** People enrolled by the direction of their embedding. */
function galleryOf(people: readonly (readonly [typeof ANN, number])[], version = 1): GalleryView {
  return {
    version,
    has: (id) => people.some(([person]) => person.id === id),
    search: (probe, encoder, count) =>
      people
        .map(([person, angle]) => ({ person, score: cosine(probe, stagedEmbedding(angle, encoder)) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, count),
    enrolled: () => ({ people: people.length, templates: people.length }),
  };
}

describe('CameraPipeline', () => {
  let published: IdentityDraft[];
  let departed: IdentityDraft[];
  let reports: FrameReport[];
  let analyser: FakeFaceAnalyser;
  let gallery: GalleryView;
  let nowMs: number;
  let played: StagedFrame[];
  let attended: number[];
  let zones: ZoneWatch;
  let inWork: number[];
  let attempts: AttemptReport[];
  let liveness: LivenessAssessor | null;
  let visitors: VisitorLog | null;

  beforeEach(() => {
    published = [];
    departed = [];
    reports = [];
    analyser = new FakeFaceAnalyser();
    gallery = galleryOf([
      [ANN, 0],
      [BOB, 2],
    ]);
    nowMs = 0;
    played = [];
    attended = [];
    zones = new ZoneWatch([], []);
    inWork = [];
    attempts = [];
    liveness = null;
    visitors = null;
  });

  async function play(scenes: readonly (readonly StagedFace[])[], pipeline = build()): Promise<void> {
    await pipeline.run(stage(scenes));
  }

  async function* stage(scenes: readonly (readonly StagedFace[])[]): AsyncGenerator<Frame> {
    for (const faces of scenes) {
      nowMs += FRAME_MS;
      const frame = new StagedFrame(played.length + 1, 1_000_000 + nowMs, faces);
      played.push(frame);
      yield frame;
    }
  }

  function build(): CameraPipeline {
    return new CameraPipeline({
      camera: 'door',
      analyser,
      tracker: trackerOfDoor(),
      visits: new Visits(
        { ...POLICY, liveness: liveness ? 'require' : 'off' },
        new Cooldown({ cooldownMs: 5000, sameStranger: () => 0.5 }, cosine),
        300,
      ),
      gallery: () => gallery,
      scores: SCORES,
      falseAcceptRate: 1e-4,
      liveness,
      visitors,
      minQuality: 0.2,
      zones,
      publish: (draft) => (draft.type === 'exit' ? departed : published).push(draft),
      attend: () => attended.push(reports.length + 1),
      onFrame: (report) => reports.push(report),
      onWork: (frames) => inWork.push(frames),
      onAttempt: (report) => attempts.push(attemptReport.parse(report)),
      clock: { now: () => 1_000_000 + nowMs, monotonic: () => nowMs, sleep: async () => {} },
      logger: silentLogger,
    });
  }

  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

  it('asks for attention while a face is not decided', async () => {
    // Nobody; then Ann, decided after three looks.
    await play([[], [], ...times(6, [at(100, 0.1)]), []]);
    expect(attended).toEqual([3, 4]);
    // A stranger takes six.
    await play([[], ...times(8, [at(300, 4)])]);
    expect(attended.slice(2)).toEqual([11, 12, 13, 14, 15]);
  });

  it('asks for no attention for a face that is too poor to match, or is none, nor looks at it all the time', async () => {
    await play(times(40, [at(100, 0.1, 0.1)]));
    await play(times(40, [{ ...at(100, 0.1), noFace: true }]));
    expect(attended).toEqual([]);
    expect(analyser.described).toBeLessThanOrEqual(24);
    expect(analyser.embedded).toBeLessThanOrEqual(12);
  });

  it('tells of every look whom it is like, and what is found so far', async () => {
    await play(times(4, [at(100, 0.1)]));
    expect(attempts.map(({ decision, person }) => [decision, person])).toEqual([
      ['undecided', null],
      ['undecided', null],
      ['known', 'ann'],
    ]);
    expect(attempts[0]).toMatchObject({ track: 'door-1', quality: 0.9, encoder: 'fake-encoder', liveness: null });
    expect(attempts[0]?.matches.map(({ person }) => person)).toEqual(['ann', 'bob']);
    expect(attempts[0]?.matches[0]?.llr).toBeGreaterThan(0);
  });

  it('names nobody whom somebody said a track is not, and those again whom it is', async () => {
    // Somebody rather like Ann was named; somebody says so while they stand there.
    const pipeline = build();
    await play(times(6, [at(100, 0.5)]), pipeline);
    expect(published.map(({ person }) => person)).toEqual([ANN]);
    const said = { person: 'ann', encoder: FULL_ENCODER, part: 'full', mask: null, quality: 0.9 } as const;
    const looks = [{ ...said, track: 'gate-9', deniedAtMs: nowMs, embedding: stagedEmbedding(0.5, FULL_ENCODER) }];
    gallery = { ...gallery, denials: () => ({ version: 1, people: new Set(['ann']), looks }) };
    await play(times(10, [at(100, 0.5)]), pipeline);
    expect(published.slice(1).map(({ decision, person }) => [decision, person])).toEqual([['unknown', null]]);
    // A new track of the same face is nobody either; Ann herself still is.
    nowMs += 10_000;
    await play(times(10, [at(300, 0.5)]));
    expect(published.slice(2).map(({ decision }) => decision)).toEqual(['unknown']);
    nowMs += 10_000;
    await play(times(10, [at(100, 0.05)]));
    expect(published.slice(3).map(({ person }) => person)).toEqual([ANN]);
  });

  it('announces a known person once, with all that the decision rests on', async () => {
    await play(times(20, [at(100, 0.1)]));
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({
      type: 'enter',
      camera: 'door',
      track: 'door-1',
      decision: 'known',
      person: ANN,
      score: expect.closeTo(Math.cos(0.1), 5),
      threshold: expect.closeTo(0.384, 2),
      far: 1e-4,
      mask: null,
      encoder: 'fake-encoder',
      frames: 3,
      box: { x: 100 / 640, y: 100 / 480, width: 100 / 640, height: 120 / 480 },
      galleryVersion: 1,
      latencyMs: { capture: 2 },
    });
    expect(reports).toHaveLength(20);
  });

  it('recognises somebody with a mask by the encoder for that, and says so', async () => {
    await play(times(20, [{ ...at(100, 0.1), mask: 'worn' }]));
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({
      decision: 'known',
      person: ANN,
      score: expect.closeTo(Math.cos(0.1), 5),
      threshold: expect.closeTo(0.384, 2),
      far: 1e-4,
      mask: 'worn',
      encoder: UPPER_ENCODER,
    });
  });

  it('knows somebody who puts a mask on before the decision by looks of both encoders, the mask believed at the second', async () => {
    await play([
      ...times(1, [{ ...at(100, 0.2), mask: 'none' as const }]),
      ...times(6, [{ ...at(100, 0.1), mask: 'worn' as const }]),
    ]);
    expect(published).toMatchObject([
      { person: ANN, frames: 3, mask: 'worn', encoder: UPPER_ENCODER, score: expect.closeTo(Math.cos(0.1), 5) },
    ]);
  });

  it('announces a stranger as unknown, and names nobody', async () => {
    await play(times(20, [at(100, 4)]));
    expect(published).toMatchObject([{ type: 'enter', decision: 'unknown', person: null }]);
  });

  it('tells everyone unknown while the gallery is empty', async () => {
    gallery = galleryOf([]);
    await play(times(10, [at(100, 0)]));
    expect(published).toMatchObject([{ decision: 'unknown', person: null, score: null }]);
  });

  it('keeps two people apart who cross the picture', async () => {
    await play(Array.from({ length: 12 }, (_, step) => [at(step * 10, 0), at(400 - step * 10, 2)]));
    expect(published.map(({ person }) => person?.id).sort()).toEqual(['ann', 'bob']);
  });

  it('gives somebody who was out of sight their track back, and names nobody by what was seen before', async () => {
    await play([...times(2, [at(100, 0)]), ...times(9, []), ...times(2, [at(400, -0.2)])]);
    expect(published).toEqual([]);
    await play([...times(2, [at(100, 0)]), ...times(9, []), ...times(3, [at(400, -0.2)])]);
    expect(published).toMatchObject([{ track: 'door-1', person: ANN, frames: 3 }]);
    await play([...times(2, [at(400, 0)]), ...times(9, []), ...times(8, [at(100, 2)])]);
    expect(published.slice(1)).toMatchObject([{ track: 'door-2', person: BOB }]);
  });

  it('tells who is who after faces came together and turned back, whatever place made of it', async () => {
    const step = (away: number) => [at(300 - away, 0), at(300 + away, 2)];
    const meet = Array.from({ length: 8 }, (_, index) => step(200 - 20 * index));
    await play([...meet, ...[...meet].reverse(), ...times(10, step(200))]);
    expect(published.map(({ person, track }) => [person?.id, track])).toEqual([
      ['ann', 'door-1'],
      ['bob', 'door-2'],
    ]);
  });

  it('tells nobody to be where the one is for whom they were taken', async () => {
    const doorstep = [0.5, 1, 1, 0.5].map((x, index) => ({ x, y: index < 2 ? 0 : 1 }));
    zones = new ZoneWatch(
      [{ id: 'doorstep', polygon: doorstep }],
      [{ id: 'kerb', from: { x: 0.5, y: 1 }, to: { x: 0.5, y: 0 } }],
    );
    // They turn back just where they would have passed each other: place and motion take each for the other.
    const step = (away: number) => [at(270 - away, 0), at(270 + away, 2)];
    const meet = Array.from({ length: 10 }, (_, index) => step(190 - 20 * index));
    await play([...meet, ...times(10, step(20)), ...times(20, [])]);
    expect(
      [...published, ...departed].map(({ type, person, zones: where, crossing }) => [
        type,
        person?.id,
        where,
        crossing,
      ]),
    ).toEqual([
      ['enter', 'ann', [], null],
      ['enter', 'bob', ['doorstep'], null],
      ['exit', 'bob', ['doorstep'], null],
      ['exit', 'ann', [], null],
    ]);
  });

  it('says of somebody whose place another took where they were last looked at', async () => {
    const doorstep = [0.5, 1, 1, 0.5].map((x, index) => ({ x, y: index < 2 ? 0 : 1 }));
    zones = new ZoneWatch([{ id: 'doorstep', polygon: doorstep }], []);
    // Ann is hidden for a moment, and somebody else goes on into the doorstep in her place.
    const walk = Array.from({ length: 8 }, (_, index) => [at(230 + 40 * index, 4)]);
    await play([...times(6, [at(200, 0)]), ...times(3, []), ...walk, ...times(30, [])]);
    const ofAnn = [...published, ...departed].filter(({ person }) => person?.id === 'ann');
    expect(ofAnn.map(({ type, zones: where }) => [type, where])).toEqual([
      ['enter', []],
      ['exit', []],
    ]);
    expect(ofAnn[1]?.box.x).toBeLessThan(0.5);
  });

  it('never gives two faces of one frame the same person', async () => {
    await play(times(12, [at(0, 0.05), at(400, 0.6)]));
    expect(published.filter(({ decision }) => decision === 'known')).toMatchObject([{ person: ANN, track: 'door-1' }]);
    expect(published.filter(({ decision }) => decision === 'unknown')).toMatchObject([{ track: 'door-2' }]);
  });

  it('announces again after the cool-down on a new track only', async () => {
    await play([...times(6, [at(100, 0)]), ...times(10, []), ...times(6, [at(100, 0)])]);
    expect(published).toHaveLength(1);
    await play([...times(50, []), ...times(6, [at(100, 0)])]);
    expect(published).toHaveLength(2);
  });

  it('tells who has left, where and when they were seen last', async () => {
    await play([...times(5, [at(100, 0)]), ...times(4, [at(150, 0)]), ...times(30, [])]);
    expect(departed).toMatchObject([
      {
        type: 'exit',
        track: 'door-1',
        decision: 'known',
        person: ANN,
        frames: 3,
        quality: 0.9,
        box: { x: 150 / 640, y: 100 / 480, width: 100 / 640, height: 120 / 480 },
        firstSeenAtMs: 1_000_100,
        lastSeenAtMs: 1_000_900,
        galleryVersion: 1,
      },
    ]);
    // The first frame more than 1.5 s after.
    expect(departed[0]?.capturedAtMs).toBeGreaterThanOrEqual(1_002_400);
    expect(published[0]).toMatchObject({ lastSeenAtMs: 1_000_300, capturedAtMs: 1_000_300 });
  });

  it('tells that somebody was there whom it could not tell, and nothing of what was no face or seen too badly', async () => {
    // Now like Ann, now like Bob.
    await play([...times(4, [[at(100, 0)], [at(100, 2)]]).flat(), ...times(20, [])]);
    expect(departed).toMatchObject([
      { decision: 'undecided', person: null, frames: 8, score: expect.closeTo((1 + Math.cos(2)) / 2, 5) },
    ]);
    await play([...times(9, [{ ...at(100, 4), noFace: true }]), ...times(20, [])]);
    await play([...times(9, [at(100, 0, 0.1)]), ...times(20, [])]);
    await play([...times(5, [at(100, 4)]), ...times(20, [])]);
    expect(departed).toHaveLength(1);
  });

  it('says nothing of the leaving of somebody whose coming the cool-down kept quiet', async () => {
    await play([...times(6, [at(100, 0)]), ...times(20, []), ...times(6, [at(100, 0)]), ...times(20, [])]);
    expect([published.length, departed.length]).toEqual([1, 1]);
  });

  it('tells of the leaving of whoever was told to be in a zone, though the cool-down had kept their coming quiet', async () => {
    zones = new ZoneWatch(
      [{ id: 'doorstep', polygon: [0, 0.5, 0.5, 0].map((x, index) => ({ x, y: index < 2 ? 0 : 1 })) }],
      [],
    );
    // Back within the cool-down, a stranger at first sight.
    await play([
      ...times(6, [at(400, 0)]),
      ...times(20, []),
      ...times(6, [at(400, 4)]),
      ...times(12, [at(400, 0)]),
      ...[380, 350, 310, 270, 230, 200, 200, 200, 200, 200, 200].map((x) => [at(x, 0)]),
      ...times(20, []),
    ]);
    expect(published.map(({ type, person, zones: where }) => [type, person?.id, where])).toEqual([
      ['enter', 'ann', []],
      ['enter', undefined, []],
      ['update', 'ann', ['doorstep']],
    ]);
    expect(departed.map(({ person, decision }) => [person?.id, decision])).toEqual([
      ['ann', 'known'],
      ['ann', 'known'],
    ]);
  });

  it('tells the end of every track it told of, also of one that turned out to be another', async () => {
    // Ann comes back with her face turned away, and is seen to be the one of before once she looks up.
    await play([
      ...times(6, [at(100, 0)]),
      ...times(5, []),
      ...times(6, [at(130, 4)]),
      ...times(8, [at(130, 0)]),
      ...times(20, []),
    ]);
    expect(published.map(({ type, decision, track }) => [type, decision, track])).toEqual([
      ['enter', 'known', 'door-1'],
      ['enter', 'unknown', 'door-2'],
    ]);
    expect(departed.map(({ decision, track }) => [decision, track])).toEqual([
      ['known', 'door-1'],
      ['unknown', 'door-2'],
    ]);
  });

  it('tells that tracks ended when the camera was opened anew', async () => {
    const pipeline = build();
    await play(times(5, [at(100, 0)]), pipeline);
    expect(departed).toEqual([]);
    played = [];
    await play([[]], pipeline);
    expect(departed).toMatchObject([{ type: 'exit', person: ANN, lastSeenAtMs: 1_000_500, capturedAtMs: 1_000_600 }]);
  });

  it('tells in which zone somebody is, and again when they come into another, once a look has confirmed who they are', async () => {
    const doorstep = [0, 0.5, 0.5, 0].map((x, index) => ({ x, y: index < 2 ? 0 : 1 }));
    zones = new ZoneWatch(
      [{ id: 'doorstep', polygon: doorstep }],
      [{ id: 'kerb', from: { x: 0.5, y: 1 }, to: { x: 0.5, y: 0 } }],
    );
    await play([450, 450, 450, 450, 410, 370, 330, 290, 250, 210, 170, 130, 100, 100].map((x) => [at(x, 0)]));
    expect(published.map(({ type, person, zones: where, crossing }) => [type, person?.id, where, crossing])).toEqual([
      ['enter', 'ann', [], null],
      ['update', 'ann', ['doorstep'], { line: 'kerb', direction: 'out' }],
    ]);
    expect(published[1]).toMatchObject({ frames: 3, track: 'door-1' });

    // Somebody else who has come into their place does not come into the zone as them.
    zones = new ZoneWatch([{ id: 'doorstep', polygon: doorstep }], []);
    published = [];
    await play([...times(60, []), ...times(5, [at(450, 0)]), ...times(3, [at(400, 4)]), ...times(12, [at(100, 4)])]);
    expect(published.filter(({ person }) => person !== null).map((event) => event.zones)).toEqual([[]]);
  });

  it('turns a stranger into someone by an update on the same track', async () => {
    await play([...times(6, [at(100, 4)]), ...times(12, [at(100, 0)])]);
    expect(published.map(({ type, decision, track }) => [type, decision, track])).toEqual([
      ['enter', 'unknown', 'door-1'],
      ['update', 'known', 'door-1'],
    ]);
  });

  it('does not make a stranger of a known person who turns away', async () => {
    await play([...times(5, [at(100, 0)]), ...times(40, [at(100, 4)])]);
    expect(published).toHaveLength(1);
  });

  it('notices that another person took over the track', async () => {
    await play([...times(5, [at(100, 0)]), ...times(30, [at(100, 2)])]);
    expect(published.map(({ person }) => person?.id)).toEqual(['ann', 'bob']);
  });

  it('does not match faces of poor quality', async () => {
    await play(times(20, [at(100, 0, 0.1)]));
    expect(published).toEqual([]);
    expect(analyser.embedded).toBe(0);
  });

  it('makes nobody of what the encoder does not take for a face, however often the detector does', async () => {
    const back = { ...at(100, 4), noFace: true };
    await play([...times(20, [back]), ...times(5, [at(100, 4)]), [back], ...times(5, [at(100, 4)])]);
    expect(published).toEqual([]);
  });

  it('looks at a decided track only now and then', async () => {
    await play(times(33, [at(100, 0)]));
    expect(analyser.embedded).toBe(3 + 10);
  });

  it('uses a new gallery from the next frame on', async () => {
    gallery = galleryOf([]);
    const pipeline = build();
    await play(times(4, [at(100, 0)]), pipeline);
    gallery = galleryOf([[ANN, 0]], 2);
    await play(times(4, [at(100, 0)]), pipeline);
    expect(published).toMatchObject([{ person: ANN, galleryVersion: 2 }]);
  });

  it('names nobody, and keeps nothing of them, who is removed while their face is embedded', async () => {
    const kept: string[] = [];
    visitors = { admit: () => null, remember: (_, person) => kept.push(person) };
    const embed = analyser.embed.bind(analyser);
    analyser.embed = async (...of) => {
      const embeddings = await embed(...of);
      // Three looks name somebody: the third is under way.
      if (analyser.embedded === 3) gallery = galleryOf([[BOB, 2]], 2);
      return embeddings;
    };
    await play(times(4, [at(100, 0)]));
    expect(analyser.embedded).toBeGreaterThanOrEqual(3);
    expect(published).toEqual([]);
    expect(kept).toEqual([]);
  });

  it('sees a stranger again as soon as they are enrolled, and a person as a stranger once they are removed', async () => {
    gallery = galleryOf([]);
    const pipeline = build();
    await play(times(10, [at(100, 0)]), pipeline);
    gallery = galleryOf([[ANN, 0]], 2);
    await play(times(3, [at(100, 0)]), pipeline);
    gallery = galleryOf([], 3);
    await play(times(60, [at(100, 0)]), pipeline);
    expect(published.map(({ type, decision, galleryVersion }) => [type, decision, galleryVersion])).toEqual([
      ['enter', 'unknown', 1],
      ['update', 'known', 2],
    ]);
    gallery = galleryOf([[BOB, 0]], 4);
    await play(times(3, [at(100, 0)]), pipeline);
    expect(published.at(-1)).toMatchObject({ type: 'update', person: BOB });
  });

  it('starts all over when the camera was opened anew', async () => {
    const pipeline = build();
    await play(times(5, [at(100, 0)]), pipeline);
    played = [];
    await play(times(5, [at(100, 2)]), pipeline);
    expect(published.map(({ person, track }) => [person?.id, track])).toEqual([
      ['ann', 'door-1'],
      ['bob', 'door-2'],
    ]);
  });

  it('releases every frame, and leaves a frame that fails behind', async () => {
    const detect = analyser.detect.bind(analyser);
    let calls = 0;
    analyser.detect = async (picture) => {
      calls++;
      if (calls === 2) throw new Error('the camera process died');
      return await detect(picture);
    };
    const pipeline = build();
    await play(times(4, [at(100, 0)]), pipeline);
    expect(pipeline.failedFrames).toBe(1);
    expect(published).toMatchObject([{ person: ANN }]);
    expect(played.map(({ released }) => released)).toEqual([1, 1, 1, 1]);
  });

  it('looks for the faces of the next frames while those of one are looked at, and keeps the order', async () => {
    const log: string[] = [];
    const embeddings: (() => void)[] = [];
    const number = (picture: unknown) => (picture as StagedFrame).sequence;
    const detect = analyser.detect.bind(analyser);
    analyser.detect = async (picture) => {
      log.push(`detect ${number(picture)}`);
      return await detect(picture);
    };
    const embed = analyser.embed.bind(analyser);
    analyser.embed = async (picture, faces) => {
      log.push(`embed ${number(picture)}`);
      await new Promise<void>((resolve) => embeddings.push(resolve));
      log.push(`embedded ${number(picture)}`);
      return await embed(picture, faces);
    };
    const running = play(times(3, [at(100, 0)]));
    for (let frame = 0; frame < 3; frame++) {
      await vi.waitFor(() => expect(embeddings).toHaveLength(frame + 1));
      await settle();
      embeddings[frame]?.();
    }
    await running;
    expect(log).toEqual([
      'detect 1',
      'detect 2',
      'detect 3',
      'embed 1',
      'embedded 1',
      'embed 2',
      'embedded 2',
      'embed 3',
      'embedded 3',
    ]);
    expect(published).toHaveLength(1);
  });

  it('fetches the next frame ahead, unless frames wait for the detector', async () => {
    const fetched: number[] = [];
    const detect = analyser.detect.bind(analyser);
    const queued = [0, 5, 5, 5, 5, 5, 5, 5];
    analyser.detect = async (picture, trace) => {
      const { sequence } = picture as StagedFrame;
      // Frames taken from the camera when this one's faces are looked for, itself among them.
      fetched.push(played.length - sequence);
      if (trace) trace.queuedMs += queued[sequence - 1] ?? 0;
      return await detect(picture);
    };
    await play(times(8, []));
    // One is on its way while faces are looked for in three; none while frames wait.
    expect(fetched).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('tells how many frames are in work, and that none is at the end', async () => {
    await play(times(3, [at(100, 0)]));
    expect(inWork[0]).toBe(1);
    expect(Math.max(...inWork)).toBeLessThanOrEqual(3);
    expect(inWork.at(-1)).toBe(0);
    expect(inWork).toHaveLength(6);
  });

  it('says where the time went: what nobody worked is waiting', async () => {
    analyser.detect = async (picture, trace) => {
      nowMs += 30;
      if (trace) {
        trace.queuedMs += 10;
        trace.runMs += 20;
      }
      return (picture as StagedFrame).faces.map(({ box }) => ({ box, score: 0.9 }));
    };
    const embed = analyser.embed.bind(analyser);
    analyser.embed = async (picture, faces, trace) => {
      nowMs += 50;
      if (trace) trace.queuedMs += 15;
      return await embed(picture, faces);
    };
    await play([[at(100, 0)]]);
    // The stage hands the frame out as it is captured; 2 ms of the 80 that went by are the camera's, says the frame.
    expect(reports[0]?.latencyMs).toEqual({ capture: 2, queue: 80 - 2 - 20 - 35, detect: 20, embed: 35, decide: 0 });
  });
});
