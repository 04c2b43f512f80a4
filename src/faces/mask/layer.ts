import type { Point, Size } from '../../core/geometry.ts';
import { blur } from './blur.ts';
import { polygonCoverage, type Window, windowOfBoth, windowWithin } from './raster.ts';
import { scratch } from './scratch.ts';
import { toSrgb } from './srgb.ts';
import { noiseAt } from './texture-noise.ts';

/** Writes the light, linear, red, green and blue, that comes from `count` pixels of a row from a place in the picture on. */
export type Shader = (x: number, y: number, count: number, out: Float32Array) => void;

const CHANNELS = 4;

const coverageFor = scratch((length) => new Float32Array(length));

/** What is drawn over a part of a picture: sRGB times coverage, and coverage, four values a pixel. */
export class Layer {
  readonly window: Window;
  readonly #pixels: Float32Array;
  /** The part of the picture outside of which nothing was painted. */
  #painted: Window | null = null;

  constructor(window: Window) {
    this.window = window;
    this.#pixels = new Float32Array(window.width * window.height * CHANNELS);
  }

  /** Paints a polygon over what is there. */
  paint(polygon: readonly Point[], shader: Shader): void {
    const part = windowWithin(polygon, this.window);
    if (!part) return;
    this.#painted = windowOfBoth(this.#painted ?? part, part);
    const coverage = polygonCoverage(polygon, part);
    const pixels = this.#pixels;
    const light = new Float32Array(part.width * 3);
    for (let row = 0; row < part.height; row++) {
      let [first, past] = [row * part.width, (row + 1) * part.width];
      while (first < past && (coverage[first] as number) <= 0) first++;
      while (first < past && (coverage[past - 1] as number) <= 0) past--;
      if (first === past) continue;
      const x = part.x + first - row * part.width;
      const y = part.y + row;
      shader(x, y, past - first, light);
      let at = ((y - this.window.y) * this.window.width + x - this.window.x) * CHANNELS;
      for (let there = first, from = 0; there < past; there++, from += 3, at += CHANNELS) {
        const share = coverage[there] as number;
        if (share <= 0) continue;
        const rest = 1 - share;
        pixels[at] = (pixels[at] as number) * rest + share * toSrgb(light[from] as number);
        pixels[at + 1] = (pixels[at + 1] as number) * rest + share * toSrgb(light[from + 1] as number);
        pixels[at + 2] = (pixels[at + 2] as number) * rest + share * toSrgb(light[from + 2] as number);
        pixels[at + 3] = (pixels[at + 3] as number) * rest + share;
      }
    }
  }

  /** Softens all that was painted, edges included. */
  soften(sigma: number): void {
    if (!this.#painted) return;
    const { x, y } = this.window;
    const painted = { ...this.#painted, x: this.#painted.x - x, y: this.#painted.y - y };
    blur(this.#pixels, this.window, CHANNELS, sigma, painted);
  }

  /** Coverage of each pixel, 0..1. Good until the next one is asked for. */
  coverage(): Float32Array {
    const pixels = this.#pixels;
    const coverage = coverageFor(this.window.width * this.window.height);
    for (let pixel = 0, at = 3; pixel < coverage.length; pixel++, at += CHANNELS)
      coverage[pixel] = pixels[at] as number;
    return coverage;
  }

  /**
   * Lays the layer over a picture, in place.
   *
   * @param shadow how much of the picture's light is lost under and around the layer, 0..1 a pixel of the window
   * @param noise  deviation of the noise of what was painted, grey levels
   * @param seed   shifts the noise
   */
  over(rgb: Uint8Array, size: Size, shadow: Float32Array, noise: number, seed: number): void {
    const { width, height, x: left, y: top } = this.window;
    const pixels = this.#pixels;
    const [noiseX, noiseY] = [seed & 127, (seed >>> 7) & 127];
    for (let y = 0, pixel = 0, at = 0; y < height; y++) {
      let target = ((y + top) * size.width + left) * 3;
      for (let x = 0; x < width; x++, pixel++, at += CHANNELS, target += 3) {
        const share = pixels[at + 3] as number;
        const kept = (1 - share) * (1 - (shadow[pixel] as number));
        if (kept > 0.998) continue;
        const grain = share * noise * noiseAt(x + noiseX, y + noiseY);
        rgb[target] = toByte((rgb[target] as number) * kept + (pixels[at] as number) + grain);
        rgb[target + 1] = toByte((rgb[target + 1] as number) * kept + (pixels[at + 1] as number) + grain);
        rgb[target + 2] = toByte((rgb[target + 2] as number) * kept + (pixels[at + 2] as number) + grain);
      }
    }
  }
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5;
}
