import { deflateSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodePicture, encodeJpeg, type OpencvPicture, rgbPicture } from '../../src/capture/opencv-picture.ts';
import { type Affine, invert } from '../../src/core/geometry.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';

type Colour = readonly [red: number, green: number, blue: number];
type Paint = (x: number, y: number) => Colour;

/** A smooth picture whose channels differ in every direction. */
const GRADIENT: Paint = (x, y) => [20 + 3 * x, 10 + 5 * y, 200 - x - 2 * y];

function pixels(width: number, height: number, paint: Paint): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgb.set(paint(x, y), (y * width + x) * 3);
  return rgb;
}

/** A lossless file (PPM). */
function ppm(width: number, height: number, paint: Paint): Uint8Array {
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels(width, height, paint)]);
}

async function decoded(bytes: Uint8Array, name = 'test.ppm'): Promise<OpencvPicture> {
  const picture = await decodePicture(bytes, name);
  onTestFinished(() => picture.release());
  return picture;
}

/** What a crop must hold: each pixel looked up in the picture where the inverse matrix says, by bilinear weights. */
function bilinear(width: number, height: number, paint: Paint, matrix: Affine, size: number): number[] {
  const [a, b, c, d, e, f] = invert(matrix);
  const at = (x: number, y: number): Colour => (x < 0 || y < 0 || x >= width || y >= height ? [0, 0, 0] : paint(x, y));
  const out: number[] = [];
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++) {
      const x = a * u + b * v + c;
      const y = d * u + e * v + f;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      for (const channel of [0, 1, 2] as const) {
        let sum = 0;
        for (const [dx, dy] of [
          [0, 0],
          [1, 0],
          [0, 1],
          [1, 1],
        ] as const) {
          const weight = (dx ? x - left : 1 - x + left) * (dy ? y - top : 1 - y + top);
          sum += weight * at(left + dx, top + dy)[channel];
        }
        out.push(sum);
      }
    }
  }
  return out;
}

function largestDifference(actual: ArrayLike<number> | undefined, expected: readonly number[]): number {
  expect(actual?.length).toBe(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(value - (actual?.[index] ?? 0))));
}

describe('cut', () => {
  it('gives the pixels themselves, as RGB, where the matrix only moves them', async () => {
    const picture = await decoded(ppm(30, 20, GRADIENT));
    const [crop] = await picture.cut([{ width: 2, height: 1, colour: 'rgb', matrix: [1, 0, -10, 0, 1, -5] }]);
    expect([...(crop ?? [])]).toEqual([50, 35, 180, 53, 35, 179]);
  });

  it('gives any part as it is, black where that lies outside', async () => {
    const [width, height] = [23, 17];
    const random = seededRandom(3);
    const noise = Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
    const picture = rgbPicture(noise, { width, height });
    const cuts = [
      [0, 0, width, height],
      [3, 5, 12, 9],
      [22, 16, 1, 1],
      [-4, 2, 9, 20],
      [15, -1, 12, 6],
    ] as const;
    for (const [x, y, w, h] of cuts) {
      const expected = Array.from({ length: w * h * 3 }, (_, at) => {
        const [column, row] = [x + (Math.floor(at / 3) % w), y + Math.floor(at / 3 / w)];
        const inside = column >= 0 && column < width && row >= 0 && row < height;
        return inside ? noise[(row * width + column) * 3 + (at % 3)] : 0;
      });
      const [crop] = await picture.cut([{ width: w, height: h, colour: 'rgb', matrix: [1, 0, -x, 0, 1, -y] }]);
      expect([...(crop ?? [])]).toEqual(expected);
    }
    // The picture itself is not touched by what was taken of it.
    expect([...(await picture.fit({ width, height }))]).toEqual([...noise]);
    picture.release();
  });

  it('warps as bilinear weights computed by hand do, black outside', async () => {
    const picture = await decoded(ppm(30, 20, GRADIENT));
    // Turned by 30 degrees, half as large again, with a corner outside of the picture.
    const matrix: Affine = [1.299, -0.75, 2.3, 0.75, 1.299, -6.4];
    const expected = bilinear(30, 20, GRADIENT, matrix, 24);
    const [crop] = await picture.cut([{ width: 24, height: 24, colour: 'rgb', matrix }]);
    expect(expected.filter((value) => value === 0).length).toBeGreaterThan(30);
    // OpenCV rounds positions to 1/32 of a pixel; at the picture's edge that weighs the most.
    expect(largestDifference(crop, expected)).toBeLessThan(255 / 16);
    const mean = expected.reduce((sum, value, index) => sum + Math.abs(value - (crop?.[index] ?? 0)), 0);
    expect(mean / expected.length).toBeLessThan(0.5);
  });

  it('gives grey as the weighted sum of ITU-R BT.601, crops in order', async () => {
    const picture = await decoded(ppm(30, 20, GRADIENT));
    const crops = await picture.cut([
      { width: 1, height: 1, colour: 'grey', matrix: [1, 0, -10, 0, 1, -5] },
      { width: 2, height: 2, colour: 'grey', matrix: [1, 0, 0, 0, 1, 0] },
    ]);
    expect(crops.map(({ length }) => length)).toEqual([1, 4]);
    expect(crops[0]?.[0]).toBe(Math.round(0.299 * 50 + 0.587 * 35 + 0.114 * 180));
  });
});

describe('pixels', () => {
  it('gives all of them in rows, BGR', async () => {
    const picture = await decoded(ppm(30, 20, GRADIENT));
    const expected = pixels(30, 20, GRADIENT);
    for (let at = 0; at < expected.length; at += 3) expected.subarray(at, at + 3).reverse();
    expect(Buffer.compare(await picture.pixels(), expected)).toBe(0);
  });
});

describe('fit', () => {
  it('shrinks by averaging, as RGB, between black bars', async () => {
    const picture = await decoded(ppm(40, 20, GRADIENT));
    const fitted = await picture.fit({ width: 10, height: 10 });
    const expected = pixels(10, 10, (x, y) => {
      if (y < 2 || y >= 7) return [0, 0, 0];
      // The mean of a gradient over 4 x 4 pixels is its value in their middle; OpenCV rounds halves to even.
      const middle = GRADIENT(4 * x + 1.5, 4 * (y - 2) + 1.5);
      return [middle[0], middle[1], middle[2]];
    });
    expect(largestDifference(fitted, [...expected])).toBeLessThanOrEqual(1);
    expect([...fitted.subarray(0, 60)].every((value) => value === 0)).toBe(true);
    expect(fitted[60]).toBeGreaterThan(20);
  });

  it('averages a pattern that sampling would miss', async () => {
    // One bright column in four, away from where a bilinear sample of a picture a quarter the size falls.
    const picture = await decoded(ppm(40, 40, (x) => (x % 4 ? [100, 100, 100] : [200, 200, 200])));
    const fitted = await picture.fit({ width: 10, height: 10 });
    expect([...new Set(fitted)]).toEqual([125]);
  });

  it('enlarges what is smaller, bars at the sides', async () => {
    const picture = await decoded(ppm(4, 8, () => [10, 20, 30]));
    const fitted = await picture.fit({ width: 16, height: 16 });
    const row = Array.from({ length: 16 }, (_, x) => fitted[(8 * 16 + x) * 3 + 2]);
    expect(row).toEqual([0, 0, 0, 0, 30, 30, 30, 30, 30, 30, 30, 30, 0, 0, 0, 0]);
  });
});

describe('decodePicture and encodeJpeg', () => {
  it('bring back what was encoded, about', async () => {
    const rgb = pixels(32, 16, GRADIENT);
    const picture = await decoded(await encodeJpeg(rgb, { width: 32, height: 16 }, 95), 'a.jpg');
    expect(picture).toMatchObject({ width: 32, height: 16 });
    expect(largestDifference(await picture.fit(picture), [...rgb])).toBeLessThan(16);
  });

  it('turn a picture upright as its EXIF orientation says', async () => {
    const rgb = pixels(32, 16, (x) => (x < 16 ? [250, 0, 0] : [0, 0, 250]));
    const jpeg = await encodeJpeg(rgb, { width: 32, height: 16 });
    // APP1: "Exif", big-endian TIFF header, one entry: tag 0x0112, SHORT, count 1, value 6 (turn right by 90 degrees).
    const exif = Buffer.from(
      '457869660000' + '4d4d002a00000008' + '0001' + '011200030000000100060000' + '00000000',
      'hex',
    );
    const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
    const turned = await decoded(Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]), 'phone.jpg');
    expect(turned).toMatchObject({ width: 16, height: 32 });
    const [top, bottom] = await turned.cut([
      { width: 1, height: 1, colour: 'rgb', matrix: [1, 0, -8, 0, 1, -4] },
      { width: 1, height: 1, colour: 'rgb', matrix: [1, 0, -8, 0, 1, -28] },
    ]);
    expect(top?.[0]).toBeGreaterThan(200);
    expect(bottom?.[2]).toBeGreaterThan(200);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('not a picture')],
    ['half a JPEG header', Buffer.from('ffd8ffe000104a46', 'hex')],
  ])('refuse %s, and name the file', async (_, bytes) => {
    const refusal = { code: 'PICTURE_REFUSED', message: expect.stringContaining('anna/1.jpg') };
    await expect(decodePicture(bytes, 'anna/1.jpg')).rejects.toMatchObject(refusal);
  });

  it('refuse more than 50 megapixels before they take memory', async () => {
    const before = process.memoryUsage.rss();
    await expect(decodePicture(blackPng(8000, 7000), 'huge.png')).rejects.toMatchObject({ code: 'PICTURE_REFUSED' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
    expect(await decoded(blackPng(80, 70), 'small.png')).toMatchObject({ width: 80, height: 70 });
  });

  it('refuse pixels that do not fill the size', async () => {
    await expect(encodeJpeg(new Uint8Array(10), { width: 2, height: 2 })).rejects.toThrow(RangeError);
  });
});

/** A valid PNG of one bit a pixel, all black. */
function blackPng(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}

/** CRC-32 of ISO 3309, as PNG asks for. */
function crc(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  }
  return ~remainder >>> 0;
}
