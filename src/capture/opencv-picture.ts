import { EyelineError } from '../core/errors.ts';
import { type Affine, letterbox, type Size } from '../core/geometry.ts';
import type { Cut, Picture } from '../core/picture.ts';
import { answered, loadOpencv, MAX_PICTURE_PIXELS, type Mat, type Opencv } from './opencv.ts';

/** OpenCV's warps address pixels with 16 bits. */
const MAX_SIDE_PX = 32_766;

/** Scale from which bilinear sampling gives every pixel a share. */
const BILINEAR_FROM = 0.75;

/** A picture in OpenCV's memory. `release` gives the memory back; the picture must not be used after. */
export class OpencvPicture implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #cv: Opencv;
  readonly #bgr: Mat;

  /** @param bgr 8-bit BGR Mat, owned by the picture from now on */
  constructor(cv: Opencv, bgr: Mat) {
    this.#cv = cv;
    this.#bgr = bgr;
    this.width = bgr.cols;
    this.height = bgr.rows;
  }

  /**
   * The picture as RGB, letterboxed into `input`. Shrinks by averaging areas: bilinear sampling of a picture four
   * times the size reads a sixteenth of its pixels, and small faces flicker with what it happens to hit. From three quarters
   * of the size on it reads them all, and takes a third of the time.
   */
  async fit(input: Size): Promise<Uint8Array> {
    const cv = this.#cv;
    const { inner, offset } = letterbox(this, input);
    const halved = this.#halved(inner);
    const interpolation = inner.width / halved.cols < BILINEAR_FROM ? cv.INTER_AREA : cv.INTER_LINEAR;
    const resized = halved.resize(inner.height, inner.width, 0, 0, interpolation);
    if (halved !== this.#bgr) halved.release();
    const right = input.width - inner.width - offset.x;
    const bottom = input.height - inner.height - offset.y;
    const padded = resized.copyMakeBorder(offset.y, bottom, offset.x, right, cv.BORDER_CONSTANT);
    resized.release();
    return takeConverted(padded, cv.COLOR_BGR2RGB);
  }

  /** Crops by bilinear warps; pixels outside the picture are black. */
  async cut(cuts: readonly Cut[]): Promise<Uint8Array[]> {
    return cuts.map((cut) => this.#cut(cut));
  }

  async pixels(): Promise<Uint8Array> {
    return this.#bgr.getData();
  }

  /**
   * The whole picture small and grey, stretched to `size`; for whoever releases it. Averages a grid of samples, four
   * a side and cell: a quarter of the noise is left, at a fraction of what averaging every pixel costs.
   */
  shrunkGrey({ width, height }: Size): Mat {
    const cv = this.#cv;
    const sampled = this.#bgr.resize(height * 2, width * 2, 0, 0, cv.INTER_LINEAR);
    const shrunk = sampled.resize(height, width, 0, 0, cv.INTER_AREA);
    sampled.release();
    const grey = shrunk.cvtColor(cv.COLOR_BGR2GRAY);
    shrunk.release();
    return grey;
  }

  release(): void {
    this.#bgr.release();
  }

  /**
   * The picture halved as often as it stays at least as large as `least`: averages of 2 x 2 pixels are what OpenCV is
   * fastest at, and averages of averages are the average. The picture itself where it cannot be halved.
   */
  #halved(least: Size): Mat {
    const cv = this.#cv;
    let mat = this.#bgr;
    while (mat.cols % 2 === 0 && mat.rows % 2 === 0 && mat.cols >= 2 * least.width && mat.rows >= 2 * least.height) {
      const half = mat.resize(mat.rows / 2, mat.cols / 2, 0, 0, cv.INTER_AREA);
      if (mat !== this.#bgr) mat.release();
      mat = half;
    }
    return mat;
  }

  #cut(cut: Cut): Uint8Array {
    const { matrix, width, height, colour } = cut;
    const cv = this.#cv;
    // The crop is converted, not the frame: it has a hundredth of the pixels.
    const code = colour === 'grey' ? cv.COLOR_BGR2GRAY : cv.COLOR_BGR2RGB;
    const part = this.#partOf(cut);
    // What is only moved need not be sampled: it takes a tenth of the time.
    if (part) return takeConverted(this.#bgr.getRegion(new cv.Rect(part.x, part.y, width, height)), code);
    return takeConverted(this.#warped(matrix, { width, height }), code);
  }

  /** Where a cut's first pixel is in the picture, if all it does is to take a part of it as it is. */
  #partOf({ matrix: [a, b, c, d, e, f], width, height }: Cut): { x: number; y: number } | null {
    const [x, y] = [-c, -f];
    if (a !== 1 || b !== 0 || d !== 0 || e !== 1 || !Number.isInteger(x) || !Number.isInteger(y)) return null;
    return x >= 0 && y >= 0 && x + width <= this.width && y + height <= this.height ? { x, y } : null;
  }

  #warped([a, b, c, d, e, f]: Affine, { width, height }: Size): Mat {
    const cv = this.#cv;
    const matrix = new cv.Mat(
      [
        [a, b, c],
        [d, e, f],
      ],
      cv.CV_64F,
    );
    const warped = this.#bgr.warpAffine(matrix, new cv.Size(width, height), cv.INTER_LINEAR, cv.BORDER_CONSTANT);
    matrix.release();
    return warped;
  }
}

/** The pixels of `mat` in other colours; releases `mat`. */
function takeConverted(mat: Mat, code: number): Uint8Array {
  const converted = mat.cvtColor(code);
  mat.release();
  const pixels = converted.getData();
  converted.release();
  return pixels;
}

/**
 * Decodes a picture file (JPEG, PNG, WebP, BMP, TIFF), turned upright as its EXIF orientation says.
 *
 * @param name what the picture is called in messages
 * Throws EyelineError PICTURE_REFUSED when it cannot be read or has more than 50 megapixels, OPENCV_UNAVAILABLE
 * without OpenCV.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<OpencvPicture> {
  const cv = loadOpencv();
  // The add-on reads the memory from another thread: a copy nobody else can change or free meanwhile.
  const data = Buffer.from(bytes);
  // Never `imdecode`: what OpenCV refuses ends the process there.
  const mat = await answered<Mat>((done) => cv.imdecodeAsync(data, cv.IMREAD_COLOR, done)).catch(() => undefined);
  if (!mat || mat.empty || data.length === 0) {
    const limit = MAX_PICTURE_PIXELS / 1e6;
    throw new EyelineError('PICTURE_REFUSED', `${name}: not a picture OpenCV can read, or over ${limit} megapixels`);
  }
  const picture = new OpencvPicture(cv, mat);
  if (picture.width * picture.height > MAX_PICTURE_PIXELS || Math.max(picture.width, picture.height) > MAX_SIDE_PX) {
    picture.release();
    throw new EyelineError('PICTURE_REFUSED', `${name}: ${picture.width}x${picture.height} pixels are too many`);
  }
  return picture;
}

/** RGB pixels (rows, 3 bytes a pixel) as a picture, copied. Throws RangeError when they do not fill `size`. */
export function rgbPicture(rgb: Uint8Array, size: Size): OpencvPicture {
  const cv = loadOpencv();
  return new OpencvPicture(cv, bgrMat(cv, rgb, size));
}

function bgrMat(cv: Opencv, rgb: Uint8Array, size: Size): Mat {
  if (rgb.length !== size.width * size.height * 3 || rgb.length === 0) {
    throw new RangeError(`${rgb.length} bytes are not ${size.width}x${size.height} RGB pixels`);
  }
  const mat = new cv.Mat(rgb, size.height, size.width, cv.CV_8UC3);
  const bgr = mat.cvtColor(cv.COLOR_RGB2BGR);
  mat.release();
  return bgr;
}

/**
 * RGB pixels (rows, 3 bytes a pixel) as a JPEG file.
 *
 * @param quality 0 to 100
 * Throws RangeError when the pixels do not fill `size`.
 */
export async function encodeJpeg(rgb: Uint8Array, size: Size, quality = 90): Promise<Uint8Array> {
  return encodePicture(rgb, size, '.jpg', quality);
}

/**
 * RGB pixels (rows, 3 bytes a pixel) as a picture file of the kind that goes with `extension`.
 *
 * @param extension of a file's name: `.jpg`, `.png` and whatever else OpenCV writes
 * @param quality 0 to 100, of a JPEG file; the other kinds lose nothing
 * Throws RangeError when the pixels do not fill `size`.
 */
export async function encodePicture(rgb: Uint8Array, size: Size, extension: string, quality = 90): Promise<Uint8Array> {
  const cv = loadOpencv();
  const bgr = bgrMat(cv, rgb, size);
  const kind = extension.toLowerCase();
  const options = kind === '.jpg' || kind === '.jpeg' ? [cv.IMWRITE_JPEG_QUALITY, quality] : [];
  try {
    return await answered<Buffer>((done) => cv.imencodeAsync(kind, bgr, options, done));
  } finally {
    bgr.release();
  }
}
