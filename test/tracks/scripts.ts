import { between, type Random, side } from './seeded.ts';

/** Who walks where in made scenes, and what the camera does meanwhile. */

/** Where somebody stands: metres to the right of the camera's axis, metres away from the camera. */
export type Place = readonly [atMs: number, right: number, away: number];
export type Span = readonly [fromMs: number, toMs: number];

export interface Actor {
  readonly path: readonly Place[];
  /** When the face is turned away from the camera, and when it is seen badly. */
  readonly turned?: Span;
  readonly faint?: Span;
}

export interface Script {
  readonly actors: readonly Actor[];
  readonly fps: number;
  readonly untilMs: number;
  /** How far the camera shakes, pixels. */
  readonly shakePx?: number;
  /** Share of frames that never arrive. */
  readonly dropped?: number;
  /** When no frame arrives at all, and when one a second does. */
  readonly frozen?: Span;
  readonly idle?: Span;
}

export type SceneName = keyof typeof SCRIPTS;

export const SCRIPTS = {
  approach: (random: Random): Script => ({
    fps: 10,
    untilMs: 6000,
    actors: [0, 1, 2].map((index) => {
      const fromMs = index * between(random, 500, 1500);
      const right = (index - 1) * between(random, 0.7, 1.2);
      return {
        path: [
          [fromMs, right * 1.5, 5],
          [fromMs + between(random, 2500, 4000), right * 0.6, between(random, 0.9, 1.5)],
        ],
      };
    }),
  }),
  /** Two people walk past each other, across the picture. */
  crossing: (random: Random): Script => ({ fps: 10, untilMs: 5000, actors: passers(random, 3, 3.6) }),
  'crossing at 5 fps': (random: Random): Script => ({ fps: 5, untilMs: 5000, actors: passers(random, 3, 3.6) }),
  'crossing with lost frames': (random: Random): Script => ({
    fps: 10,
    untilMs: 5000,
    dropped: 0.35,
    actors: passers(random, 3, 3.6),
  }),
  /** Two people who stand side by side change places, one behind the other, and back. */
  'changing places': (random: Random): Script => {
    const apart = between(random, 0.3, 0.45);
    const tookMs = between(random, 700, 1400);
    const turns = (from: number, passing: number): Place[] => [
      [0, from, 2],
      [1500, from, 2],
      [1500 + tookMs / 2, 0, passing],
      [1500 + tookMs, -from, 2],
      [4500, -from, 2],
      [4500 + tookMs / 2, 0, 4 - passing],
      [4500 + tookMs, from, 2],
      [7500, from, 2],
    ];
    return { fps: 10, untilMs: 7500, actors: [{ path: turns(-apart, 1.7) }, { path: turns(apart, 2.3) }] };
  },
  /** Somebody walks past in front of somebody who stands. */
  'walking past': (random: Random): Script => {
    const way = side(random) * 2.2;
    const takesMs = between(random, 2500, 4500);
    return {
      fps: 10,
      untilMs: 7000,
      actors: [
        {
          path: [
            [0, 0, 3],
            [7000, between(random, -0.2, 0.2), 3],
          ],
        },
        {
          path: [
            [1000, -way, 1.8],
            [1000 + takesMs, way, 1.9],
          ],
        },
      ],
    };
  },
  /** Somebody stops in front of another for a while, who shifts meanwhile. */
  'standing in front': (random: Random): Script => {
    const way = side(random) * 2;
    const staysMs = between(random, 800, 2500);
    const shift = side(random) * between(random, 0, 0.8);
    return {
      fps: 10,
      untilMs: 8000,
      actors: [
        {
          path: [
            [0, 0, 3],
            [2200, 0, 3],
            [2200 + staysMs, shift, 3],
            [8000, shift, 3],
          ],
        },
        {
          path: [
            [500, -way, 1.8],
            [1800, 0, 1.8],
            [1800 + staysMs, 0, 1.8],
            [3300 + staysMs, way, 1.8],
          ],
        },
      ],
    };
  },
  /** Somebody turns away, goes some way, and turns back. */
  'turning away': (random: Random): Script => {
    const fromMs = between(random, 1200, 2000);
    const turnedMs = between(random, 600, 3000);
    const goes = side(random) * between(random, 0.2, 1.2);
    return {
      fps: 10,
      untilMs: 7500,
      actors: [
        {
          turned: [fromMs, fromMs + turnedMs],
          path: [
            [0, -goes, 2.5],
            [fromMs - 300, -goes / 2, 2.4],
            [fromMs + turnedMs, goes, 2.2],
            [7500, goes, 2],
          ],
        },
        {
          path: [
            [800, side(random) * 2, 4],
            [7000, 0, 3.5],
          ],
        },
      ],
    };
  },
  /** A face comes nearer, seen badly on the way. */
  faint: (random: Random): Script => ({
    fps: 10,
    untilMs: 6000,
    actors: [0, 1].map((index) => {
      const fromMs = between(random, 800, 2000);
      const right = (index - 0.5) * between(random, 1.2, 2);
      return {
        faint: [fromMs, fromMs + between(random, 800, 2500)],
        path: [
          [0, right * between(random, 1, 1.8), 4.5],
          [5500, right * 0.5, 1.2],
        ],
      };
    }),
  }),
  'shaking camera': (random: Random): Script => ({
    fps: 10,
    untilMs: 5000,
    shakePx: 14,
    actors: passers(random, 2.6, 3.4),
  }),
  'frozen stream': (random: Random): Script => ({
    fps: 10,
    untilMs: 5500,
    frozen: [1600, 1600 + between(random, 300, 800)],
    actors: [0, 1, 2].map((index) => ({
      path: [
        [0, (index - 1) * between(random, 1.2, 2), 4.5],
        [5000, (index - 1) * between(random, 0.4, 0.8), 1.4],
      ],
    })),
  }),
  /** People come, stand still so that one frame a second is left, and go. */
  idle: (random: Random): Script => ({
    fps: 10,
    untilMs: 16_000,
    idle: [5000, 12_000],
    actors: [-0.6, 0.5].map((right) => ({
      path: [
        [between(random, 0, 500), right * 3, 4],
        [1800, right, between(random, 1.6, 2.4)],
        [12_300, right, 2],
        [14_500, -right * 3, 4],
      ],
    })),
  }),
  /** One leaves at the edge, another comes in at the very place soon after. */
  'coming and going': (random: Random): Script => {
    const edge = side(random);
    const leftMs = between(random, 2500, 3000);
    const comesMs = leftMs + between(random, 400, 1500);
    return {
      fps: 10,
      untilMs: 7500,
      actors: [
        {
          path: [
            [0, 0, 2.4],
            [1200, 0, 2.4],
            [leftMs, edge * 1.9, 2.4],
          ],
        },
        {
          path: [
            [comesMs, edge * 1.9, 2.4],
            [comesMs + between(random, 1200, 2500), edge * 0.1, 2.2],
            [7500, 0, 2.2],
          ],
        },
      ],
    };
  },
  crowd: (random: Random): Script => ({
    fps: 10,
    untilMs: 10_000,
    actors: Array.from({ length: 6 }, () => {
      const path: Place[] = [];
      let atMs = between(random, 0, 2500);
      let place: Place = [atMs, between(random, -2, 2), between(random, 2, 4.5)];
      path.push(place);
      while (atMs < 10_000) {
        const right = between(random, -2, 2);
        const away = between(random, 1.5, 4.5);
        atMs += (Math.hypot(right - place[1], away - place[2]) / between(random, 0.7, 1.5)) * 1000;
        place = [atMs, right, away];
        path.push(place, [atMs + between(random, 0, 1200), right, away]);
        atMs = path.at(-1)?.[0] ?? atMs;
      }
      return { path };
    }),
  }),
} satisfies Record<string, (random: Random) => Script>;

export const SCENES = Object.keys(SCRIPTS) as SceneName[];

function passers(random: Random, near: number, far: number): Actor[] {
  const passes = (away: number, way: number): Actor => {
    const fromMs = between(random, 0, 600);
    return {
      path: [
        [fromMs, -way * 2.2, away],
        [fromMs + (4.4 / between(random, 1, 1.6)) * 1000, way * 2.2, away + between(random, -0.3, 0.3)],
      ],
    };
  };
  return [passes(near, 1), passes(far, -1)];
}
