import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';

/** Enrols so many people, three pictures each. */
const [file = '', prefix = '', people] = process.argv.slice(2);
const store = openGalleryStore(file, { logger: silentLogger, clock: systemClock });
const embedding = new Float32Array(512);
embedding[0] = 1;
for (let number = 0; number < Number(people); number++) {
  const person = store.ensurePerson(`${prefix}-${number}`);
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
}
store.close();
