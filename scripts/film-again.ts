import { decodePicture, encodePicture } from '../src/capture/opencv-picture.ts';
import type { Size } from '../src/core/geometry.ts';
import { seededRandom, seedOf } from '../src/core/seeded-random.ts';

export type Attack = 'screen' | 'print';

/**
 * A frame as if a screen or a print that shows it had been filmed: the same way for all frames of a film. JPEG in, JPEG of the same size
 * out. Simulated: a flat picture, smaller and askew in another scene, with a border, moire or a colour cast, another tone curve, blur and
 * a second compression.
 */
export async function filmAgain(jpeg: Uint8Array, film: string, kind: Attack): Promise<Uint8Array> {
  const frame = await decodePicture(jpeg, film);
  const size = { width: frame.width, height: frame.height };
  const random = seededRandom(seedOf(1, `${film} ${kind}`));
  const between = (low: number, high: number) => low + (high - low) * random();
  const [scale, angle] = [between(0.75, 0.95), between(-0.08, 0.08)];
  const [a, b] = [scale * Math.cos(angle), -scale * Math.sin(angle)];
  const [x, y] = [
    size.width / 2 - (a * size.width + b * size.height) / 2,
    size.height / 2 - (-b * size.width + a * size.height) / 2,
  ];
  const [rgb] = await frame.cut([{ matrix: [a, b, x, -b, a, y], ...size, colour: 'rgb' }]);
  frame.release();
  if (!rgb) throw new Error('a picture gave no crop');
  filmed(rgb, size, kind, { scale, angle, random });
  return encodePicture(rgb, size, '.jpg', Math.round(between(60, 85)));
}

/** What filming a flat picture does to its pixels, and a scene around it. */
function filmed(
  rgb: Uint8Array,
  { width, height }: Size,
  kind: Attack,
  { scale, angle, random }: { scale: number; angle: number; random: () => number },
): void {
  const between = (low: number, high: number) => low + (high - low) * random();
  const [gamma, contrast, lift] = [between(1.1, 1.6), between(0.75, 0.95), between(8, 25)];
  const [period, turn, moire] = [between(2.2, 4.5), between(0, Math.PI), kind === 'screen' ? between(6, 16) : 0];
  const cast = kind === 'print' ? [1.05, 0.98, 0.86] : [0.95, 1, 1.08];
  const border = kind === 'print' ? 235 : 15;
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [dx, dy] = [column - width / 2, row - height / 2];
      // Where it is on the flat picture, 0 the middle and 1 its edge.
      const u = Math.abs((dx * cos - dy * sin) / (scale * scale)) / (width / 2);
      const v = Math.abs((dx * sin + dy * cos) / (scale * scale)) / (height / 2);
      const far = Math.max(u, v);
      const wave = moire * Math.sin((2 * Math.PI * (dx * Math.cos(turn) + dy * Math.sin(turn))) / period);
      for (let channel = 0; channel < 3; channel++) {
        const at = (row * width + column) * 3 + channel;
        const value = 255 * ((rgb[at] ?? 0) / 255) ** gamma * contrast * (cast[channel] ?? 1) + lift + wave;
        const shownValue = far <= 0.98 ? value : far <= 1.06 ? border : 110 + 30 * (row / height);
        rgb[at] = Math.min(255, Math.max(0, shownValue));
      }
    }
  }
  const before = rgb.slice();
  for (let at = 3; at < rgb.length - 3; at++) {
    rgb[at] = ((before[at - 3] ?? 0) + 2 * (before[at] ?? 0) + (before[at + 3] ?? 0)) / 4;
  }
}
