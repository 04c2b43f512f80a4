import type { Point, Size } from '../../core/geometry.ts';
import type { Landmarks } from '../../faces/landmarks.ts';

/** Jaw line from ear to ear, and the bridge of the nose, in the iBUG mark-up. */
const JAW = { first: 1, last: 15, chin: 8 };
const BRIDGE = 28;
const CLOTH = [170, 200, 214] as const;
const PLEATS = 4;

/**
 * Draws a plain surgical mask over the lower face, in place: from the bridge of the nose down to the chin, as wide as
 * the jaw, with pleats. Enough to show a covered face; no claim to realism.
 *
 * @param rgb 3 bytes a pixel, `size.width * size.height` pixels
 */
export function drawMask(rgb: Uint8Array, size: Size, landmarks: Landmarks): void {
  const outline = maskOutline(landmarks);
  const xs = outline.map(({ x }) => x);
  const ys = outline.map(({ y }) => y);
  const top = Math.min(...ys);
  const left = Math.min(...xs);
  const height = Math.max(...ys) - top;
  const width = Math.max(...xs) - left;

  for (let y = Math.max(0, Math.floor(top)); y <= Math.min(size.height - 1, top + height); y++) {
    const edges = crossings(outline, y);
    for (let pair = 0; pair + 1 < edges.length; pair += 2) {
      const from = Math.max(0, Math.ceil(edges[pair] ?? 0));
      const to = Math.min(size.width - 1, Math.floor(edges[pair + 1] ?? 0));
      const down = (y - top) / height;
      const pleat = Math.abs(((down * PLEATS * 2) % 2) - 1) < 0.12 ? 0.88 : 1;
      for (let x = from; x <= to; x++) {
        // Darker towards the cheeks: cloth over a round face.
        const shade = pleat * (1 - 0.25 * (((x - left) / width) * 2 - 1) ** 2);
        const at = (y * size.width + x) * 3;
        CLOTH.forEach((channel, index) => {
          rgb[at + index] = channel * shade;
        });
      }
    }
  }
}

function maskOutline(landmarks: Landmarks): Point[] {
  const bridge = landmarks[BRIDGE];
  const chin = landmarks[JAW.chin];
  if (!bridge || !chin) throw new RangeError('a mask needs 68 landmarks');
  const jaw = landmarks.slice(JAW.first, JAW.last + 1);
  // The chin is soft: cloth hangs a little below it.
  const drop = { x: (chin.x - bridge.x) * 0.08, y: (chin.y - bridge.y) * 0.08 };
  const low = jaw.map((point, index) => {
    const share = Math.sin((index / (jaw.length - 1)) * Math.PI);
    return { x: point.x + drop.x * share, y: point.y + drop.y * share };
  });
  return [...low, bridge];
}

/** Where the row of pixel centres at `y` enters and leaves the polygon, in order. */
function crossings(polygon: readonly Point[], y: number): number[] {
  const found: number[] = [];
  polygon.forEach((from, index) => {
    const to = polygon[(index + 1) % polygon.length] ?? from;
    if (from.y <= y === to.y <= y) return;
    found.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  });
  return found.sort((a, b) => a - b);
}
