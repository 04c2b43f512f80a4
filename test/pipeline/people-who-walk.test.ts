import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/seeded-random.ts';
import type { IdentityDraft } from '../../src/events/identity-event.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { CameraPipeline } from '../../src/pipeline/camera-pipeline.ts';
import { Visits } from '../../src/pipeline/visits.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';
import { ZoneWatch } from '../../src/zones/zone-watch.ts';
import { FakeFaceAnalyser, type StagedFace, StagedFrame, stagedEmbedding } from '../fakes/fake-face-analyser.ts';
import { POLICY, SCORES, trackerOfDoor } from './door.ts';

/** By the direction of their embedding: two people enrolled and two strangers. */
const ANGLES = [0, Math.PI / 2, Math.PI, (3 * Math.PI) / 2];
const ENROLLED = [
  { id: 'ann', name: 'Ann' },
  { id: 'bob', name: 'Bob' },
];
const FRAMES = 160;
/** From then on nobody is there, and all tracks end. */
const EMPTY_FROM = 130;
const START_MS = 1_000_000;
const RIGHT = [0.5, 1, 1, 0.5].map((x, index) => ({ x, y: index < 2 ? 0 : 1 }));
/** Four people who walk to and fro, turn, hide each other, go out of sight and put masks on; ten frames a second. */
function walks(random: () => number): StagedFrame[] {
  const noise = random() * 1.2;
  const walkers = ANGLES.map((angle) => ({
    angle,
    x: random() * 540,
    step: (random() - 0.5) * 80,
    hidden: 0,
    mask: false,
  }));
  return Array.from({ length: FRAMES }, (_, index) => {
    const faces: StagedFace[] = [];
    for (const walker of walkers) {
      if (random() < 0.15) walker.step = (random() - 0.5) * 130;
      const x = walker.x + walker.step;
      if (x < 0 || x > 540) walker.step = -walker.step;
      walker.x = Math.max(0, Math.min(540, x));
      if (random() < 0.03) walker.hidden = Math.floor(random() * 12);
      if (random() < 0.01) walker.mask = !walker.mask;
      if (walker.hidden-- > 0 || index >= EMPTY_FROM || faces.some(({ box }) => Math.abs(box.x - walker.x) < 25))
        continue;
      faces.push({
        box: { x: walker.x, y: 120, width: 80, height: 100 },
        angle: walker.angle + (random() - 0.5) * noise,
        quality: random() < 0.1 ? 0.1 : 0.9,
        mask: walker.mask ? 'worn' : 'none',
      });
    }
    return new StagedFrame(index + 1, START_MS + (index + 1) * 100, faces);
  });
}

async function eventsOf(frames: readonly StagedFrame[]): Promise<IdentityDraft[]> {
  const events: IdentityDraft[] = [];
  let nowMs = 0;
  const pipeline = new CameraPipeline({
    camera: 'door',
    analyser: new FakeFaceAnalyser(),
    tracker: trackerOfDoor(),
    visits: new Visits(POLICY, new Cooldown({ cooldownMs: 2000, sameStranger: () => 0.5 }, cosine), 300),
    gallery: () => ({
      version: 1,
      has: () => true,
      search: (probe, encoder) =>
        ENROLLED.map((person, index) => ({
          person,
          score: cosine(probe, stagedEmbedding(ANGLES[index] ?? 0, encoder)),
        })).sort((a, b) => b.score - a.score),
      enrolled: () => ({ people: 2, templates: 2 }),
    }),
    scores: SCORES,
    falseAcceptRate: 1e-4,
    minQuality: 0.2,
    zones: new ZoneWatch([{ id: 'right', polygon: RIGHT }], []),
    publish: (draft) => events.push(draft),
    clock: { now: () => START_MS + nowMs, monotonic: () => nowMs, sleep: async () => {} },
    logger: silentLogger,
  });
  async function* played() {
    for (const frame of frames) {
      nowMs += 100;
      yield frame;
    }
  }
  await pipeline.run(played());
  return events;
}

it.each(Array.from({ length: 60 }, (_, index) => index + 1))(
  'of people who walk to and fro, each event is of a face of its frame, and each track told of ends once (%i)',
  async (seed) => {
    const frames = walks(seededRandom(seed));
    const events = await eventsOf(frames);
    /** What was told last of tracks that have not ended. */
    const open = new Map<string, string | null>();
    const ended = new Set<string>();
    for (const { box, capturedAtMs, decision, firstSeenAtMs, lastSeenAtMs, person, track, type, zones } of events) {
      expect(ended).not.toContain(track);
      expect(firstSeenAtMs).toBeLessThanOrEqual(lastSeenAtMs);
      if (type === 'exit') {
        if (open.has(track) || decision !== 'undecided') expect(open.get(track)).toBe(person?.id ?? null);
        open.delete(track);
        ended.add(track);
        continue;
      }
      open.set(track, person?.id ?? null);
      expect(lastSeenAtMs).toBe(capturedAtMs);
      const frame = frames.find((one) => one.capturedAtMs === capturedAtMs);
      expect(frame?.faces.map((face) => face.box.x)).toContain(box.x * 640);
      expect(zones).toEqual(box.x + box.width / 2 > 0.5 ? ['right'] : []);
    }
    expect([...open]).toEqual([]);
  },
);
