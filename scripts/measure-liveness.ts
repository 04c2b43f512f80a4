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
import { decodePicture } from '../src/capture/opencv-picture.ts';
import { loadConfig } from '../src/config/load.ts';
import { silentLogger } from '../src/core/logger.ts';
import { fuseLiveness } from '../src/faces/liveness.ts';
import { openFaceAnalyser } from '../src/wiring/open-faces.ts';
import { filmAgain } from './film-again.ts';

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
      const jpeg = await readFile(join(values.frames, name));
      const picture = await decodePicture(kind === 'live' ? jpeg : await filmAgain(jpeg, film, kind), name);
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
