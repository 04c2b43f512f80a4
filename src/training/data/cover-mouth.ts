import { between, pickOne } from './sampler.ts';
import type { RgbImage } from './warp.ts';

/** What is before a mouth and is no mask. */
const KINDS = ['hand', 'hand', 'microphone', 'thing', 'texture', 'collar'] as const;
type Tone = readonly [red: number, green: number, blue: number];

/**
 * A crop of a face with something before it that is no mask: fingers in the tone of its skin, a microphone, a phone or a cup, a
 * piece of its own texture from elsewhere, a collar up to the chin.
 *
 * @param crop   square, of a face's box
 * @param random numbers in 0..1; the same numbers give the same picture
 */
export function coverMouth(crop: RgbImage, random: () => number): RgbImage {
  const rgb = new Uint8Array(crop.rgb);
  const side = crop.width;
  const kind = pickOne(KINDS, random);
  const mouth = { x: side * between(0.25, 0.75, random), y: side * between(0.62, 0.95, random) };
  switch (kind) {
    case 'hand':
      drawHand({ ...crop, rgb }, mouth, skinOf(crop, random), random);
      break;
    case 'microphone': {
      const radius = side * between(0.06, 0.17, random);
      const tone = shade(random);
      const foot = { x: mouth.x + side * between(-0.6, 0.6, random), y: side * 1.2 };
      drawBar(
        { ...crop, rgb },
        mouth,
        foot,
        { radius: radius * between(0.3, 0.6, random), tone: shade(random), grain: 6 },
        random,
      );
      drawBar({ ...crop, rgb }, mouth, mouth, { radius, tone, grain: 25 }, random);
      break;
    }
    case 'thing': {
      const reach = side * between(0.1, 0.35, random);
      const angle = Math.PI * random();
      const end = { x: mouth.x + reach * Math.cos(angle), y: mouth.y + reach * Math.sin(angle) };
      drawBar(
        { ...crop, rgb },
        mouth,
        end,
        { radius: side * between(0.08, 0.2, random), tone: shade(random), grain: 12 },
        random,
      );
      break;
    }
    case 'texture':
      drawTexture(crop, rgb, random);
      break;
    case 'collar':
      drawCollar({ ...crop, rgb }, random);
      break;
  }
  return { ...crop, rgb };
}

function shade(random: () => number): Tone {
  const grey = 255 * random();
  const apart = () => Math.min(255, Math.max(0, grey + between(-40, 40, random)));
  return [apart(), apart(), apart()];
}

/** Mean of the forehead, a little lighter or darker. */
function skinOf({ rgb, width, height }: RgbImage, random: () => number): Tone {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = Math.floor(height * 0.15); y < height * 0.35; y++) {
    for (let x = Math.floor(width * 0.35); x < width * 0.65; x++, count++) {
      for (let channel = 0; channel < 3; channel++) {
        sums[channel] = (sums[channel] ?? 0) + (rgb[(y * width + x) * 3 + channel] ?? 0);
      }
    }
  }
  const light = between(0.75, 1.2, random);
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => Math.min(255, (light * sum) / Math.max(1, count)));
  return [red, green, blue];
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** One to four fingers beside each other, some with the back of the hand. */
function drawHand(image: RgbImage, at: Place, tone: Tone, random: () => number): void {
  const side = image.width;
  const angle = between(-Math.PI, Math.PI, random);
  const radius = side * between(0.04, 0.075, random);
  const length = side * between(0.15, 0.5, random);
  const fingers = 1 + Math.floor(4 * random());
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const beside = (finger: number) => (finger - (fingers - 1) / 2) * radius * 1.9;
  for (let finger = 0; finger < fingers; finger++) {
    const own = length * between(0.8, 1.1, random);
    const from = { x: at.x - sin * beside(finger), y: at.y + cos * beside(finger) };
    const to = { x: from.x + cos * own, y: from.y + sin * own };
    drawBar(image, from, to, { radius, tone, grain: 4 }, random);
  }
  if (random() < 0.5) {
    const back = { x: at.x + cos * length * 1.2, y: at.y + sin * length * 1.2 };
    drawBar(image, back, back, { radius: radius * (fingers + 0.5), tone, grain: 4 }, random);
  }
}

/** A bar with round ends, darker towards its edges. */
function drawBar(
  { rgb, width, height }: RgbImage,
  from: Place,
  to: Place,
  { radius, tone, grain }: { readonly radius: number; readonly tone: Tone; readonly grain: number },
  random: () => number,
): void {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const squared = dx * dx + dy * dy;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const along = squared > 0 ? Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / squared)) : 0;
      const away = Math.hypot(x - from.x - along * dx, y - from.y - along * dy) / radius;
      if (away >= 1) continue;
      const light = 1 - 0.45 * away ** 3;
      const noise = between(-grain, grain, random);
      for (let channel = 0; channel < 3; channel++) {
        rgb[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, (tone[channel] ?? 0) * light + noise));
      }
    }
  }
}

/** An ellipse, smaller than a mask, with what the crop shows elsewhere. */
function drawTexture({ rgb, width, height }: RgbImage, into: Uint8Array, random: () => number): void {
  const [across, down] = [width * between(0.08, 0.23, random), height * between(0.05, 0.18, random)];
  const [x0, y0] = [width * random(), height * random()];
  const [dx, dy] = [Math.floor(width * random()), Math.floor(height * random())];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (((x - x0) / across) ** 2 + ((y - y0) / down) ** 2 > 1) continue;
      const from = (((y + dy) % height) * width + ((x + dx) % width)) * 3;
      into.set(rgb.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
}

/** Cloth from below up to the chin, its edge a curve. */
function drawCollar({ rgb, width, height }: RgbImage, random: () => number): void {
  const tone = shade(random);
  const edge = height * between(0.82, 1, random);
  const bend = height * between(-0.25, 0.1, random);
  const lean = between(-0.2, 0.2, random);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const across = x / width - 0.5;
      if (y < edge + bend * 4 * across * across + lean * across * height) continue;
      const noise = between(-12, 12, random);
      for (let channel = 0; channel < 3; channel++) {
        rgb[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, (tone[channel] ?? 0) + noise));
      }
    }
  }
}
