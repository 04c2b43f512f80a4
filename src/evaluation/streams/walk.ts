import type { Affine, Size } from '../../core/geometry.ts';
import { normalNumbers, seededRandom } from '../../core/seeded-random.ts';

/** How somebody walks by: what one frame shows of a still picture. */
export interface WalkFrame {
  /** Picture to frame. */
  readonly matrix: Affine;
  /** Factor of the light, and exponent of the tone curve. */
  readonly gain: number;
  readonly gamma: number;
  /** Length of the motion blur, whole pixels, 1 is none; share of a 3x3 binomial blur, 0..1. */
  readonly smearPx: number;
  readonly softness: number;
  /** Standard deviation of the sensor's noise, of 255. */
  readonly noise: number;
  /** Of the compression, 0..100. */
  readonly jpegQuality: number;
}

export interface WalkPlan {
  readonly frames: number;
  readonly fps: number;
  readonly frame: Size;
}

/** After this time pose and light of a frame say only a third (1/e) of what a later one has. */
const MEMORY_S = 0.4;
const DEGREE = Math.PI / 180;

/**
 * The frames of somebody walking up to a camera, the same for a seed: they come nearer from about half the size, and sway, and pose, light
 * and focus wander as first-order autoregressive noise about what they are for the whole track. A turned head is a narrower
 * one here: a still picture has no depth.
 */
export function walkFrames(picture: Size, { frames, fps, frame }: WalkPlan, seed: number): WalkFrame[] {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const normal = normalNumbers(random);
  const keep = Math.exp(-1 / (fps * MEMORY_S));
  const wander = () => {
    let value = normal();
    return () => {
      const now = value;
      value = keep * value + Math.sqrt(1 - keep * keep) * normal();
      return now;
    };
  };
  const [far, near] = [between(0.5, 0.75), between(0.8, 1.1)];
  const [fromX, toX] = [between(-35, 35), between(-35, 35)];
  const step = between(0, 2 * Math.PI);
  const [yaw, pitch, roll, light, focus, haste] = [wander(), wander(), wander(), wander(), wander(), wander()];
  const [yawAbout, pitchAbout, rollAbout] = [12 * normal(), 6 * normal(), 3 * normal()];
  const [gain, gamma] = [Math.exp(0.2 * normal()), Math.exp(0.15 * normal())];
  const [softness, noise, jpegQuality] = [between(0, 0.8), between(0, 7), Math.round(between(35, 90))];
  return Array.from({ length: frames }, (_, index): WalkFrame => {
    const share = frames > 1 ? index / (frames - 1) : 0;
    const scale = (far + (near - far) * share) * (frame.height / picture.height);
    const angle = (rollAbout + 4 * roll()) * DEGREE;
    const wide = scale * Math.cos((yawAbout + 12 * yaw()) * DEGREE);
    const high = scale * Math.cos((pitchAbout + 8 * pitch()) * DEGREE);
    const [a, b] = [wide * Math.cos(angle), -high * Math.sin(angle)];
    const [d, e] = [wide * Math.sin(angle), high * Math.cos(angle)];
    const toCentre = { x: (picture.width - 1) / 2, y: (picture.height - 1) / 2 };
    const x = frame.width / 2 + fromX + (toX - fromX) * share;
    const y = frame.height / 2 + 4 * Math.sin(step + (2 * Math.PI * 1.8 * index) / fps);
    return {
      matrix: [a, b, x - a * toCentre.x - b * toCentre.y, d, e, y - d * toCentre.x - e * toCentre.y],
      gain: gain * Math.exp(0.08 * light()),
      gamma,
      smearPx: 1 + Math.min(5, Math.floor(Math.abs(1.6 * haste()))),
      softness: Math.min(1, Math.max(0, softness + 0.3 * focus())),
      noise,
      jpegQuality,
    };
  });
}

/** What a camera makes of the pixels, RGB in rows: motion blur, focus, light, noise. Works in place. */
export function spoil(rgb: Uint8Array, { width, height }: Size, frame: WalkFrame, seed: number): void {
  smear(rgb, width, height, frame.smearPx);
  soften(rgb, width, height, frame.softness);
  const tone = Float32Array.from({ length: 256 }, (_, value) => 255 * ((value / 255) ** frame.gamma * frame.gain));
  const random = seededRandom(seed);
  // Uniform noise of the same deviation: what JPEG and the models make of it is the same, and it is fast.
  const reach = frame.noise * Math.sqrt(12);
  for (let at = 0; at < rgb.length; at++) {
    const value = (tone[rgb[at] ?? 0] ?? 0) + reach * (random() - 0.5);
    rgb[at] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}

/** Running mean along the rows. */
function smear(rgb: Uint8Array, width: number, height: number, length: number): void {
  if (length <= 1) return;
  const before = rgb.slice();
  const half = length >> 1;
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < 3; channel++) {
      const at = (x: number) => before[(y * width + Math.min(width - 1, Math.max(0, x))) * 3 + channel] ?? 0;
      let sum = 0;
      for (let x = -half; x < length - half; x++) sum += at(x);
      for (let x = 0; x < width; x++) {
        rgb[(y * width + x) * 3 + channel] = sum / length;
        sum += at(x + length - half) - at(x - half);
      }
    }
  }
}

/** A share of a 1-2-1 blur both ways. */
function soften(rgb: Uint8Array, width: number, height: number, share: number): void {
  if (share <= 0) return;
  for (const step of [3, 3 * width]) {
    const before = rgb.slice();
    const last = width * height * 3 - step;
    for (let at = step; at < last; at++) {
      const mean = ((before[at - step] ?? 0) + 2 * (before[at] ?? 0) + (before[at + step] ?? 0)) / 4;
      rgb[at] = (1 - share) * (before[at] ?? 0) + share * mean;
    }
  }
}
