import { type Affine, letterbox, type Point, type Size } from '../core/geometry.ts';
import type { Cut, Picture } from '../core/picture.ts';

const CHANNELS = 3;

/** A picture with a black border on all sides, without a copy of its pixels. Its geometry includes the border. */
export class PaddedPicture implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #picture: Picture;
  readonly #left: number;
  readonly #top: number;

  /** @param share width of the border, as a share of the picture's width left and right, of its height above and below */
  constructor(picture: Picture, share: number) {
    this.#picture = picture;
    this.#left = Math.round(picture.width * share);
    this.#top = Math.round(picture.height * share);
    this.width = picture.width + 2 * this.#left;
    this.height = picture.height + 2 * this.#top;
  }

  async fit(input: Size): Promise<Uint8Array> {
    const { inner, offset } = letterbox(this, input);
    const x = offset.x + Math.round((this.#left * inner.width) / this.width);
    const y = offset.y + Math.round((this.#top * inner.height) / this.height);
    const right = offset.x + Math.round(((this.#left + this.#picture.width) * inner.width) / this.width);
    const bottom = offset.y + Math.round(((this.#top + this.#picture.height) * inner.height) / this.height);
    const size = { width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
    return bordered(await this.#picture.fit(size), size, input, { x, y });
  }

  async pixels(): Promise<Uint8Array> {
    return bordered(await this.#picture.pixels(), this.#picture, this, { x: this.#left, y: this.#top });
  }

  async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    return this.#picture.cut(cuts.map((cut) => ({ ...cut, matrix: this.#withoutBorder(cut.matrix) })));
  }

  #withoutBorder([a, b, c, d, e, f]: Affine): Affine {
    return [a, b, c + a * this.#left + b * this.#top, d, e, f + d * this.#left + e * this.#top];
  }
}

/** Pixels of `size` put into black ones of size `whole`, their left upper corner at `at`. */
function bordered(pixels: Uint8Array, size: Size, whole: Size, at: Point): Uint8Array {
  const padded = new Uint8Array(whole.width * whole.height * CHANNELS);
  for (let row = 0; row < size.height; row++) {
    const from = row * size.width * CHANNELS;
    padded.set(pixels.subarray(from, from + size.width * CHANNELS), ((at.y + row) * whole.width + at.x) * CHANNELS);
  }
  return padded;
}
