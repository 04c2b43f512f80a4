import { createRequire } from 'node:module';
import path from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';

/** Pixels a picture may have, whatever its file says: 50 megapixels, 150 MB once decoded. */
export const MAX_PICTURE_PIXELS = 50_000_000;

/** How the add-on answers an asynchronous call; `error` is a string or an Error. */
export type Done<T> = (error: unknown, result: T) => void;

/** Of OpenCV's Mat, what is used here. Its memory is native: `release` it, the garbage collector comes too late. */
export interface Mat {
  readonly rows: number;
  readonly cols: number;
  readonly empty: boolean;
  cvtColor(code: number): Mat;
  convertTo(type: number): Mat;
  /** alpha * this + beta * other + gamma. */
  addWeighted(alpha: number, other: Mat, beta: number, gamma: number): Mat;
  absdiff(other: Mat): Mat;
  bitwiseAnd(other: Mat): Mat;
  threshold(threshold: number, value: number, type: number): Mat;
  countNonZero(): number;
  drawFillPoly(polygons: readonly (readonly object[])[], colour: object): void;
  resize(rows: number, cols: number, fx: number, fy: number, interpolation: number): Mat;
  copyMakeBorder(top: number, bottom: number, left: number, right: number, type: number): Mat;
  /** A view, which shares the pixels. */
  getRegion(part: object): Mat;
  warpAffine(matrix: Mat, size: object, flags: number, border: number): Mat;
  /** The pixels, copied, row by row. */
  getData(): Buffer;
  release(): void;
}

/** Of OpenCV's VideoCapture, what is used here. */
export interface VideoCapture {
  /** Gives an empty Mat at the end or after a failure. */
  readAsync(done: Done<Mat>): void;
  get(property: number): number;
  release(): void;
}

/** The native add-on's own surface, without the package's wrapper. */
export interface Opencv {
  readonly Mat: {
    new (values: readonly (readonly number[])[], type: number): Mat;
    /** All pixels of one value. */
    new (rows: number, cols: number, type: number, value: number): Mat;
    /** Copies `rows * cols` pixels out of `data`, whose length it does not check. */
    new (data: Uint8Array, rows: number, cols: number, type: number): Mat;
  };
  readonly Point2: new (x: number, y: number) => object;
  readonly Vec3: new (first: number, second: number, third: number) => object;
  readonly Size: new (width: number, height: number) => object;
  readonly Rect: new (x: number, y: number, width: number, height: number) => object;
  /** Opens at once, blocking the thread; throws when it cannot. */
  readonly VideoCapture: new (
    source: string,
    api: number,
  ) => VideoCapture;
  /** Reads `data` while it works: it must be kept alive until `done` is called. */
  imdecodeAsync(data: Uint8Array, flags: number, done: Done<Mat>): void;
  imencodeAsync(extension: string, mat: Mat, flags: readonly number[], done: Done<Buffer>): void;
  setNumThreads(count: number): void;
  getBuildInformation(): string;
  readonly version: { readonly major: number; readonly minor: number; readonly revision: number };
  readonly CV_8U: number;
  readonly CV_8UC1: number;
  readonly CV_8UC3: number;
  readonly CV_32F: number;
  readonly CV_64F: number;
  readonly BORDER_CONSTANT: number;
  readonly CAP_ANY: number;
  readonly CAP_FFMPEG: number;
  readonly CAP_GSTREAMER: number;
  readonly CAP_V4L2: number;
  readonly CAP_PROP_FPS: number;
  readonly CAP_PROP_FRAME_COUNT: number;
  readonly CAP_PROP_FRAME_HEIGHT: number;
  readonly CAP_PROP_FRAME_WIDTH: number;
  readonly CAP_PROP_POS_MSEC: number;
  readonly COLOR_BGR2GRAY: number;
  readonly COLOR_BGR2RGB: number;
  readonly COLOR_RGB2BGR: number;
  readonly IMREAD_COLOR: number;
  readonly IMWRITE_JPEG_QUALITY: number;
  readonly INTER_AREA: number;
  readonly INTER_LINEAR: number;
  readonly THRESH_BINARY: number;
}

let loaded: Opencv | undefined;

/**
 * The native add-on, loaded on the first call. It is loaded itself, not through the package's wrapper: that prints to
 * standard output, reads the environment and takes longer.
 *
 * Throws EyelineError OPENCV_UNAVAILABLE when it is not built or OpenCV is not installed.
 */
export function loadOpencv(): Opencv {
  if (loaded) return loaded;
  // OpenCV reads this limit once, when its library is loaded: it refuses larger pictures by their header.
  process.env.OPENCV_IO_MAX_IMAGE_PIXELS ??= String(MAX_PICTURE_PIXELS);
  try {
    const require = createRequire(import.meta.url);
    const wrapper = require.resolve('@u4/opencv4nodejs');
    const addon: Opencv = require(path.join(path.dirname(wrapper), '../../build/Release/opencv4nodejs.node'));
    loaded = addon;
    return addon;
  } catch (error) {
    throw new EyelineError('OPENCV_UNAVAILABLE', `cannot load OpenCV: ${messageOf(error).split('\n')[0]}`, {
      cause: error,
    });
  }
}

/** Calls one of the add-on's callback functions and gives what it answers; rejects with an Error. */
export function answered<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(result);
    });
  });
}
