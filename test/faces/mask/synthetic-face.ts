import type { Point } from '../../../src/core/geometry.ts';
import type { Landmarks } from '../../../src/faces/landmarks.ts';

/** The head has this radius at the height of the cheeks; x to the right as seen, y down, z to the camera. */
const HEAD = 50;

export interface Pose {
  /** Turn of the head, degrees; positive shows more of its left half as seen. */
  readonly yaw: number;
  /** Tilt in the picture, degrees, clockwise as seen. */
  readonly roll: number;
  readonly scale: number;
  readonly at: Point;
}

export const FRONTAL: Pose = { yaw: 0, roll: 0, scale: 1, at: { x: 100, y: 100 } };

/** The 68 points of a made-up, symmetric head, seen from afar. Jaw points behind the outline are seen on it. */
export function syntheticLandmarks(pose: Partial<Pose> = {}): Landmarks {
  const { yaw, roll, scale, at } = { ...FRONTAL, ...pose };
  const turn = (yaw * Math.PI) / 180;
  const tilt = (roll * Math.PI) / 180;
  return solid().map(([x, y, z], index) => {
    const radius = Math.hypot(x, z);
    const angle = Math.atan2(x, z) + turn;
    // What is turned out of sight shows as the outline (as annotators, and models after them, mark it).
    const seen = index < 17 ? Math.max(-Math.PI / 2, Math.min(Math.PI / 2, angle)) : angle;
    const across = radius * Math.sin(seen);
    return {
      x: at.x + scale * (across * Math.cos(tilt) - y * Math.sin(tilt)),
      y: at.y + scale * (across * Math.sin(tilt) + y * Math.cos(tilt)),
    };
  });
}

/** As a mirror shows it, about the line x = `axis`: the points of the left side are then called those of the right. */
export function mirrored(landmarks: Landmarks, axis: number): Landmarks {
  return Array.from({ length: 68 }, (_, index) => {
    const { x, y } = landmarks[MIRROR[index] ?? index] ?? { x: 0, y: 0 };
    return { x: 2 * axis - x, y };
  });
}

const MIRROR: readonly number[] = [
  ...range(16, 0),
  ...range(26, 17),
  ...range(27, 30),
  ...range(35, 31),
  ...[45, 44, 43, 42, 47, 46],
  ...[39, 38, 37, 36, 41, 40],
  ...range(54, 48),
  ...range(59, 55),
  ...range(64, 60),
  ...range(67, 65),
];

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, step) => from + Math.sign(to - from) * step);
}

type Solid = readonly [x: number, y: number, z: number];

/** Places of the 68 points on the head; distances are those of an average adult's, in fiftieths of half its breadth. */
function solid(): Solid[] {
  const jaw = [-82, -80, -77, -73, -66, -55, -40, -21, 0, 21, 40, 55, 66, 73, 77, 80, 82].map(
    (degrees, index): Solid => {
      const share = Math.abs(index - 8) / 8;
      const angle = (degrees * Math.PI) / 180;
      // From the ears straight down, then round to the chin.
      return [HEAD * Math.sin(angle), 62 - 67 * share ** 1.7, HEAD * Math.cos(angle)];
    },
  );
  const on = (x: number, y: number, out = 0): Solid => [x, y, Math.sqrt(Math.max(HEAD * HEAD - x * x, 0)) + out];
  const brow = (side: number) =>
    [34, 28, 21, 14, 8].map((x, index) => on(side * x, -16 - ([0, 4, 5, 4, 2][index] ?? 0)));
  const nose = [on(0, -4, 1), on(0, 4, 4), on(0, 12, 8), on(0, 20, 13)];
  const base = [-8, -4, 0, 4, 8].map((x) => on(x, 26 - Math.abs(x) / 8, 6 - Math.abs(x) / 3));
  const eye = (x: number) => [on(x - 8, 0), on(x - 3, -3), on(x + 3, -3), on(x + 8, 0), on(x + 3, 3), on(x - 3, 3)];
  const outer: [number, number][] = [
    [-16, 39],
    [-10, 36],
    [-4, 34],
    [0, 35],
    [4, 34],
    [10, 36],
    [16, 39],
    [10, 44],
    [4, 46],
    [0, 47],
    [-4, 46],
    [-10, 44],
  ];
  const inner: [number, number][] = [
    [-13, 39],
    [-5, 38],
    [0, 38],
    [5, 38],
    [13, 39],
    [5, 41],
    [0, 41],
    [-5, 41],
  ];
  return [
    ...jaw,
    ...brow(-1),
    ...[...brow(1)].reverse(),
    ...nose,
    ...base,
    ...eye(-21),
    ...eye(21),
    ...outer.map(([x, y]) => on(x, y)),
    ...inner.map(([x, y]) => on(x, y)),
  ];
}
