import { describe, expect, it } from 'vitest';
import { type LiveFace, WalkPast } from '../../src/gallery/walk-past.ts';

const DIMENSION = 64;
const FRAME_MS = 100;

interface Seen {
  readonly who?: number;
  /** Which view: different ones are as different as turned heads are (cosine 0.8). */
  readonly view?: number;
  /** Cosine with person 0, on top of that. */
  readonly like?: number;
  readonly turn?: number;
  readonly quality?: Partial<LiveFace['quality']>;
  readonly track?: number | null;
  readonly heightPx?: number;
  readonly mask?: 'none' | 'worn';
}

/** Person `who` is an axis, each view leans to an axis of its own. */
function face({
  who = 0,
  view = 0,
  like = 0,
  turn = 0,
  quality,
  track = 1,
  heightPx = 120,
  mask = 'none',
}: Seen): LiveFace {
  const embedding = new Float32Array(DIMENSION);
  embedding[who] = Math.sqrt(0.8 - like ** 2);
  if (like > 0) embedding[0] = like;
  embedding[8 + who * 8 + view] = Math.sqrt(0.2);
  return {
    box: { x: 50, y: 50, width: heightPx * 0.8, height: heightPx },
    score: 0.99,
    quality: { score: 0.9, ...quality },
    embeddings: [{ encoder: 'full', part: 'full', embedding }],
    mask: { state: mask },
    track,
    turn,
  };
}

function rig() {
  const walk = new WalkPast({ limits: { minFacePx: 60, minQuality: 0.3 }, sameFace: 0.5, differentFace: 0.2 });
  let nowMs = 0;
  const see = (...frames: readonly (Seen | readonly Seen[])[]) =>
    frames.map((frame) => {
      nowMs += FRAME_MS;
      return walk.see(([] as Seen[]).concat(frame).map(face), nowMs);
    });
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { walk, see, wait };
}

describe('walking past a camera', () => {
  it('asks for each turn of the head, and ends with enough shots that differ', () => {
    const { walk, see } = rig();
    expect(see({}, { view: 1, turn: 0.3 }, { view: 2, turn: -0.3 }, { view: 3 }, { view: 4, turn: 0.2 })).toEqual([
      'TURN_LEFT',
      'TURN_RIGHT',
      'MOVE',
      'MOVE',
      'DONE',
    ]);
    expect(walk.end).toBe('enough');
    expect(walk.result).toHaveLength(5);
    expect(walk.missing).toEqual([]);
  });

  it('keeps one of shots that are nearly the same, the better one', () => {
    const { walk, see } = rig();
    see(...Array.from({ length: 50 }, () => ({})));
    see({ quality: { score: 0.93 } }, { quality: { score: 0.97 } }, { quality: { score: 0.8 } });
    expect(walk.shots.map(({ quality }) => quality.score)).toEqual([0.97]);
    expect(walk.result).toBeNull();
  });

  it('keeps three of a turn, the best', () => {
    const { walk, see } = rig();
    see(...[0.8, 0.82, 0.84, 0.9, 0.81].map((score, view) => ({ view, quality: { score } })));
    expect(walk.shots.map(({ quality }) => quality.score).sort()).toEqual([0.82, 0.84, 0.9]);
  });

  it('drops what is much poorer than what comes later', () => {
    const { walk, see } = rig();
    see({ quality: { score: 0.4 } }, { view: 1, quality: { score: 0.9 } });
    expect(walk.shots.map(({ quality }) => quality.score)).toEqual([0.9]);
    expect(see({ view: 2, quality: { score: 0.5, sharpness: 0.1 } })).toEqual(['HOLD_STILL']);
    expect(walk.shots).toHaveLength(1);
  });

  it.each<[string, Seen | readonly Seen[], string]>([
    ['nobody', [], 'STEP_UP'],
    ['a small face', { heightPx: 50 }, 'CLOSER'],
    ['two people', [{}, { who: 1, track: 2 }], 'ALONE'],
    ['a mask', { mask: 'worn' }, 'MASK_OFF'],
    ['a blurred face', { quality: { score: 0.2, sharpness: 0.1 } }, 'HOLD_STILL'],
    ['a dark face', { quality: { score: 0.2, exposure: 0.1 } }, 'MORE_LIGHT'],
    ['a face turned too far', { quality: { score: 0.2, pose: 0.1 } }, 'TURN_BACK'],
    ['a face that is cut off', { quality: { score: 0.2, completeness: 0.1 } }, 'INTO_THE_PICTURE'],
    ['a far face', { quality: { score: 0.2, size: 0.1 } }, 'CLOSER'],
    [
      'a blurred face before somebody far behind',
      [{ heightPx: 20, track: 2 }, { quality: { score: 0.2, sharpness: 0 } }],
      'HOLD_STILL',
    ],
  ])('keeps nothing of %s, and says what to do', (_, frame, hint) => {
    const { walk, see } = rig();
    expect(see(frame)).toEqual([hint]);
    expect(walk.shots).toEqual([]);
  });

  it('keeps nobody who is not the one seen most, and ends when they stay', () => {
    const { walk, see } = rig();
    see({}, { view: 1 }, { view: 2 }, { view: 3, turn: 0.3 }, { view: 4 }, { view: 5 });
    const somebody = { who: 1, track: 2 };
    expect(see(somebody, somebody, somebody, somebody)).toEqual(Array(4).fill('SOMEBODY_ELSE'));
    expect(walk.end).toBeNull();
    expect(walk.result?.every(({ embeddings: [full] }) => (full?.embedding[0] ?? 0) > 0.8)).toBe(true);
    see(somebody);
    expect(walk.end).toBe('mixed');
    expect(walk.result).toBeNull();
  });

  it('leaves out looks in doubt while the face was followed', () => {
    const { walk, see } = rig();
    // A hand before the face, seen first and for long.
    see(...Array.from({ length: 6 }, () => ({ who: 2, like: 0.4 })));
    see(...Array.from({ length: 7 }, () => ({ turn: 0.3 })), { view: 1 }, { view: 2 });
    expect(walk.end).toBeNull();
    expect(walk.result?.map(({ embeddings: [full] }) => full?.embedding[2])).toEqual([0, 0, 0]);
  });

  it('ends when the face that was followed becomes a face unlike it', () => {
    const { walk, see } = rig();
    see({}, { view: 1 }, { view: 2 }, {}, {}, {});
    expect(see({ who: 1 })).toEqual(['SOMEBODY_ELSE']);
    see(...Array.from({ length: 4 }, () => ({ who: 1 })));
    expect(walk.end).toBe('mixed');
  });

  it('takes a face for somebody else where it may have been mixed up', () => {
    const { walk, see } = rig();
    see({}, { view: 1 }, { view: 2 }, {}, {}, {});
    see(...Array.from({ length: 5 }, () => ({ who: 1, track: null })));
    expect(walk.end).toBe('mixed');
  });

  it('ends a while after whoever left shots enough has gone', () => {
    const { walk, see, wait } = rig();
    see({}, { view: 1 }, []);
    wait(10_000);
    see([]);
    expect(walk.end).toBeNull();
    see({ view: 2 }, []);
    wait(4700);
    see([]);
    expect(walk.end).toBeNull();
    wait(100);
    see([]);
    expect(walk.end).toBe('gone');
    expect(walk.missing).toEqual(['left', 'right']);
  });
});
