import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import type { Cut } from '../../src/core/picture.ts';
import type { ReadOptions, ReadPicture } from '../../src/evaluation/face-source.ts';
import { alignBy } from '../../src/faces/align.ts';
import { chooseFace, type FaceTools, readFace } from '../../src/pictures/read-face.ts';
import { FakeFaceAnalyser, type StagedFace, StagedFrame } from '../fakes/fake-face-analyser.ts';

const dir = mkdtempSync(join(tmpdir(), 'eyeline-source-'));
afterAll(() => rmSync(dir, { recursive: true }));

const OPTIONS: ReadOptions = { choose: 'largest', pad: 0, cropPx: 112, alignedBy: ['five'], mask: null };
const LEFT = { box: { x: 20, y: 20, width: 200, height: 250 }, angle: 1 };
const CENTRE = { box: { x: 290, y: 210, width: 60, height: 60 }, angle: 2 };

/** A frame that remembers what was cut out of it. */
class WatchedFrame extends StagedFrame {
  readonly cuts: Cut[] = [];

  override async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    this.cuts.push(...cuts);
    return super.cut(cuts);
  }
}

type SimulateMask = FaceTools['simulateMask'];
const noMask: SimulateMask = async () => {
  throw new Error('no mask was asked for');
};

function rig(stage: Readonly<Record<string, readonly StagedFace[]>>, simulateMask = noMask) {
  const frames: WatchedFrame[] = [];
  const tools: FaceTools = {
    analyser: new FakeFaceAnalyser(),
    async decode(bytes, name) {
      const faces = stage[Buffer.from(bytes).toString()];
      if (!faces) throw new EyelineError('PICTURE_REFUSED', `${name}: not a picture`);
      const frame = new WatchedFrame(1, 0, faces);
      frames.push(frame);
      return frame;
    },
    simulateMask,
  };
  const read = async (name: string, options: Partial<ReadOptions> = {}): Promise<ReadPicture> => {
    const file = join(dir, name);
    writeFileSync(file, name);
    return readFace({ file, options: { ...OPTIONS, ...options } }, tools);
  };
  return { tools, read, frames };
}

describe('readFace', () => {
  it.each([
    ['largest', LEFT.box],
    ['central', CENTRE.box],
  ] as const)('takes the %s face', async (choose, box) => {
    const { read, frames } = rig({ two: [CENTRE, LEFT] });
    const picture = await read('two', { choose });
    expect(picture.face?.box).toEqual(box);
    expect(picture.face?.crops.five).toHaveLength(112 * 112 * 3);
    expect(frames[0]?.released).toBe(1);
  });

  it('says what became of a picture', async () => {
    const { read, tools } = rig({ one: [LEFT], empty: [] });
    expect((await read('one')).reason).toBeNull();
    expect(await read('empty')).toMatchObject({ reason: 'no face', message: 'no face was found' });
    expect(await read('text')).toMatchObject({
      reason: 'unreadable',
      message: `${join(dir, 'text')}: not a picture`,
    });
    const gone = '/nowhere/x.jpg';
    expect(await readFace({ file: gone, options: OPTIONS }, tools)).toMatchObject({ file: gone, reason: 'unreadable' });
  });

  it('lets pass what is no fault of the picture', async () => {
    const { tools } = rig({});
    const decode = async () => {
      throw new EyelineError('OPENCV_UNAVAILABLE', 'no OpenCV');
    };
    const file = join(dir, 'any');
    writeFileSync(file, 'any');
    await expect(readFace({ file, options: OPTIONS }, { ...tools, decode })).rejects.toMatchObject({
      code: 'OPENCV_UNAVAILABLE',
    });
  });

  it('cuts a crop for all points that are asked for and that the landmarks give, of the size asked for', async () => {
    const { read, tools, frames } = rig({ one: [LEFT] });
    const { face } = await read('one', { cropPx: 56, alignedBy: ['five', 'eyes-bridge'] });
    const [described] = await tools.analyser.describe(frames[0] as StagedFrame, [{ box: LEFT.box, score: 1 }]);
    if (!described) throw new Error('nothing described');
    const size = { width: 56, height: 56, colour: 'rgb' };
    expect(frames[0]?.cuts).toEqual([
      { matrix: alignBy('five', described.landmarks, 56), ...size },
      { matrix: alignBy('eyes-bridge', described.landmarks, 56), ...size },
    ]);
    expect(Object.keys(face?.crops ?? {})).toEqual(['five', 'eyes-bridge']);
    const noBridge = { ...described, landmarks: { ...described.landmarks, bridge: null } };
    const analyser = {
      detect: async () => [LEFT].map(({ box }) => ({ box, score: 1 })),
      describe: async () => [noBridge],
    };
    const options = { ...OPTIONS, alignedBy: ['five', 'eyes-bridge'] } as const;
    const without = await readFace({ file: join(dir, 'one'), options }, { ...tools, analyser });
    expect(Object.keys(without.face?.crops ?? {})).toEqual(['five']);
  });

  it('looks for the face anew once a mask is on, and draws the same mask for the same bytes and seed', async () => {
    const seeds: string[] = [];
    const masked: StagedFrame[] = [];
    const simulateMask: SimulateMask = async (_picture, face, seed) => {
      seeds.push(seed);
      const hidden = face.box.width > 100;
      masked.push(new StagedFrame(1, 0, hidden ? [] : [{ ...CENTRE, box: { ...CENTRE.box, x: 300 } }]));
      return masked.at(-1) as StagedFrame;
    };
    const { read } = rig({ near: [LEFT], far: [CENTRE] }, simulateMask);
    const near = await read('near', { mask: { seed: 3 } });
    const far = await read('far', { mask: { seed: 3 } });
    expect(near).toMatchObject({ reason: 'no face', message: 'no face was found with the mask on' });
    expect(far.face?.box.x).toBe(300);
    await read('far', { mask: { seed: 3 } });
    await read('far', { mask: { seed: 4 } });
    expect(seeds[2]).toBe(seeds[1]);
    expect(new Set(seeds).size).toBe(3);
    expect(masked.every(({ released }) => released === 1)).toBe(true);
  });
});

describe('chooseFace', () => {
  it('takes the better one of two alike, and nobody of none', () => {
    const size = { width: 640, height: 480 };
    const [first, second] = [
      { box: LEFT.box, score: 0.9 },
      { box: { ...LEFT.box, x: 400 }, score: 0.8 },
    ];
    expect(chooseFace([first, second], size, 'largest')).toBe(first);
    expect(chooseFace([], size, 'central')).toBeNull();
  });
});
