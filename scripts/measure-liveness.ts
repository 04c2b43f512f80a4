/**
 * Measures how faces are told from pictures of faces: frames of films of live people, and the same frames as if a screen or a
 * print had been filmed (simulated: a flat picture, smaller and askew in another scene, with a border, moire or a colour cast, another tone
 * curve, blur and a second compression). APCER is the share of attacks taken for live, BPCER that of live faces taken for
 * attacks (ISO/IEC 30107-3), by looks and by films, whose looks are fused as the daemon does.
 *
 *   ffmpeg -i FILM.mkv -vf fps=4 -q:v 2 DIR/FILM-%02d.jpg      (for each film)
 *   node --import tsx scripts/measure-liveness.ts --frames DIR [--models minifasnet-liveness,human-antispoof] [--least 0.5]
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodePicture, encodePicture } from '../src/capture/opencv-picture.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Size } from '../src/core/geometry.ts';
import { silentLogger } from '../src/core/logger.ts';
import { seededRandom, seedOf } from '../src/core/seeded-random.ts';
import { fuseLiveness } from '../src/faces/liveness.ts';
import type { StoredPicture } from '../src/pictures/picture-tools.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';

const KINDS = ['live', 'screen', 'print'] as const;
type Kind = (typeof KINDS)[number];

const { values } = parseArgs({
  options: {
    frames: { type: 'string' },
    models: { type: 'string', default: 'minifasnet-liveness,human-antispoof' },
    least: { type: 'string', default: '0.5' },
    config: { type: 'string' },
  },
});
if (!values.frames) throw new Error('--frames DIR is missing');
const least = Number(values.least);
const { config } = await loadConfig({ ...(values.config ? { file: values.config } : {}), env: process.env });
const files = (await readdir(values.frames)).filter((name) => name.endsWith('.jpg')).sort();
const models = values.models.split(',');
for (const liveness of [...models.map((id) => [id]), ...(models.length > 1 ? [models] : [])]) {
  const chain = await openFaceAnalyser({ ...config, models: { ...config.models, liveness } }, silentLogger, {
    liveness: true,
  });
  const assessor = chain.liveness?.('');
  const looks = new Map<Kind, Map<string, number[]>>(KINDS.map((kind) => [kind, new Map()]));
  let notFound = 0;
  for (const name of files) {
    const film = name.replace(/-\d+\.jpg$/, '');
    for (const kind of KINDS) {
      const picture = await shown(await readFile(join(values.frames, name)), film, kind);
      const [face] = await chain.analyser.detect(picture);
      const [live] = face && assessor ? await assessor.assess(picture, [face.box]) : [];
      picture.release();
      if (live === undefined) notFound++;
      else looks.get(kind)?.set(film, [...(looks.get(kind)?.get(film) ?? []), live]);
    }
  }
  console.log(`${liveness.join(' and ')}: ${files.length} frames, ${notFound} without a face`);
  for (const kind of KINDS) {
    const films = [...(looks.get(kind)?.values() ?? [])];
    const wrong = (value: number) => (kind === 'live' ? value < least : value >= least);
    const all = films.flat();
    const fused = films.map((lives) => fuseLiveness(lives.map((live) => ({ live, weight: 1 }))));
    const middle = [...all].sort((a, b) => a - b)[all.length >> 1]?.toFixed(2);
    const name = kind === 'live' ? 'BPCER' : 'APCER';
    const share = (of: readonly number[]) => `${of.filter(wrong).length} of ${of.length}`;
    console.log(`  ${kind.padEnd(6)} ${name} ${share(all)} looks, ${share(fused)} films; median ${middle}`);
  }
  await chain.close();
}

/** A frame, or a picture of it filmed anew: the same way for all frames of a film. */
async function shown(jpeg: Uint8Array, film: string, kind: Kind): Promise<StoredPicture> {
  const frame = await decodePicture(jpeg, film);
  if (kind === 'live') return frame;
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
  return decodePicture(await encodePicture(rgb, size, '.jpg', Math.round(between(60, 85))), film);
}

/** What filming a flat picture does to its pixels, and a scene around it. */
function filmed(
  rgb: Uint8Array,
  { width, height }: Size,
  kind: Kind,
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
