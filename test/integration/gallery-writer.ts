import { writeSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';

/** Enrols people until it is killed (or `limit` are), and prints the name of each once the store has acknowledged it. */
const [file = '', prefix = '', limit = 'Infinity'] = process.argv.slice(2);
const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
const embedding = new Float32Array(512);
embedding[0] = 1;
for (let number = 0; number < Number(limit); number++) {
  const name = `${prefix}-${number}`;
  const person = store.ensurePerson(name);
  const pictures = [0, 1, 2].map((salt) => ({
    encoder: 'encoder-a',
    part: 'full' as const,
    embedding,
    quality: 1,
    mask: null,
    sourceFile: `${salt}.jpg`,
    pictureSha256: `${salt}`.padStart(64, '0'),
  }));
  store.addTemplates(person.id, pictures);
  // Not console.log: the line must be out before the next change begins.
  writeSync(1, `${name}\n`);
}
store.close();
