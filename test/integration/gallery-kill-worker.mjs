import { writeSync } from 'node:fs';
import { seededRandom } from '../../dist/core/seeded-random.js';
import { reembed } from '../../dist/gallery/reembed.js';
import { openGalleryStore } from '../../dist/gallery/sqlite-gallery-store.js';

/**
 * The built store, changed at random until the process is killed: people are enrolled, deleted, come and go in batches and are
 * embedded again. Each change is printed before it begins (`?`) and once the store has acknowledged it (`!`).
 */
const [file, seed, round] = process.argv.slice(2);
const DIMENSION = 128;
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const store = openGalleryStore(file, { logger, clock: { now: () => Date.now() } });
const random = seededRandom(Number(seed));
const pick = (below) => Math.floor(random() * below);
// Not console.log: the line must be out before the next step begins.
const say = (mark, change) => writeSync(1, `${mark}${JSON.stringify({ ...change, version: store.version() })}\n`);
let made = 0;

function axis(along) {
  const vector = new Float32Array(DIMENSION);
  vector[along % DIMENSION] = 1;
  return vector;
}

const template = () => ({
  encoder: 'a',
  part: 'full',
  embedding: axis(pick(DIMENSION)),
  quality: 1,
  mask: null,
  sourceFile: 'made.jpg',
  pictureSha256: `${round}0${made++}`.padStart(64, '0'),
});

function enrol() {
  const id = `person-${round}-${made++}`;
  const [first, ...others] = [template(), template(), template()];
  const change = { kind: 'enrol', id };
  say('?', change);
  store.ensurePerson(id);
  store.addTemplates(id, [first], { crop: { side: 8, rgb: new Uint8Array(192).fill(made) } });
  store.addTemplates(id, others);
  return change;
}

function remove(people) {
  const change = { kind: 'delete', id: people[pick(people.length)].id };
  say('?', change);
  store.removePerson(change.id);
  return change;
}

function apply(people) {
  const gone = people[pick(people.length)].id;
  const ids = [`fleet-${pick(20)}`, `fleet-${20 + pick(20)}`].filter((id) => id !== gone);
  const change = { kind: 'batch', ids, gone, applied: `${round}-${made++}` };
  say('?', change);
  const kept = { createdAtMs: 1, consentAtMs: null, consentNote: null, retainUntilMs: null };
  store.applyBatch({
    origin: 'fleet',
    encoders: ['a'],
    people: ids.map((id) => ({ id, name: id, ...kept, templates: [template(), template(), template()] })),
    tombstones: [{ id: gone, deletedAtMs: 1 }],
    state: { applied: change.applied },
  });
  return change;
}

async function embedAgain() {
  const encoders = [{ fingerprint: `b-${pick(1000)}`, dimension: DIMENSION, part: 'full' }];
  const [{ fingerprint: encoder }] = encoders;
  const change = { kind: 'reembed', encoder };
  say('?', change);
  const embed = async ({ rgb }) => [{ encoder, part: 'full', embedding: axis(rgb[0]) }];
  await reembed({ store, encoders, embed });
  return change;
}

writeSync(1, `ready\n`);
for (;;) {
  const people = store.listPeople();
  const kind = people.length < 5 ? 0 : pick(10);
  if (kind < 4) say('!', enrol());
  else if (kind < 6) say('!', remove(people));
  else if (kind < 9) say('!', apply(people));
  else say('!', await embedAgain());
}
