import { z } from 'zod';
import type { Box } from '../core/geometry.ts';

/** Name and major version of the event. Within it fields are only added, never changed or removed. */
export const IDENTITY_SCHEMA = 'eyeline.identity/1';

const timestamp = z.iso.datetime({ precision: 3 });
const share = z.number().min(0).max(1);
const cosine = z.number().min(-1).max(1);
const milliseconds = z.number().min(0);
const text = z.string().min(1);

/** Boxes are rounded, so right and lower edge may pass the frame's by this much. */
const EDGE_SLACK = 1e-4;

/** An identity event as it goes over MQTT: who was seen, where, when, how sure, and until when it may be acted on. */
export const identityEvent = z
  .object({
    schema: z.literal(IDENTITY_SCHEMA).describe('Name and major version of this schema.'),
    id: z.uuid().describe('Names this event; one that is sent again keeps it, so that a duplicate shows.'),
    bootId: z.uuid().describe('Names one run of the daemon; sequence counts within it.'),
    sequence: z.int().min(1).describe('Counts the events of this run, from 1. A gap means events were lost.'),
    type: z
      .enum(['enter', 'update', 'exit'])
      .describe(
        'enter: first decision of a track; update: it changed; exit: the track has ended. Open no door on exit.',
      ),
    device: text.describe('Id of the device.'),
    camera: text.describe('Id of the camera.'),
    track: text.describe('Names one face followed through the frames of one camera, within one run.'),
    firstSeenAt: timestamp.describe('When the first frame that shows this face was captured (UTC).'),
    lastSeenAt: timestamp.describe('When the latest frame that shows this face was captured (UTC).'),
    capturedAt: timestamp.describe('When the frame that settled the decision, or ended the track, was captured (UTC).'),
    decidedAt: timestamp.describe('When the decision was made (UTC).'),
    expiresAt: timestamp.describe('Do not act on the event after this time (UTC).'),
    late: z
      .boolean()
      .describe('True when it waited for the broker, is sent again or had expired: for records, not for doors.'),
    decision: z.enum(['known', 'unknown', 'undecided']).describe('known: person tells who.'),
    person: z
      .object({ id: text.describe('Stable id.'), name: text.describe('Name to show to people.') })
      .nullable()
      .describe('Who it is; null unless the decision is known.'),
    score: cosine
      .nullable()
      .describe(
        'Cosine similarity to the best template, less what the face is like everybody enrolled, the mean of the looks; null when there ' +
          'was nothing to compare with.',
      ),
    threshold: cosine.describe('Score from which somebody would be named on as many looks, in a gallery of this size.'),
    far: share
      .nullable()
      .describe('Share of tracks of strangers that are named at this threshold, by the calibration; null without one.'),
    visitor: z
      .string()
      .regex(/^v-[0-9a-f]+$/)
      .nullable()
      .describe(
        'Id of an unknown visitor, the same whenever they come; null for people known, and when none are kept.',
      ),
    mask: z.enum(['none', 'worn', 'incorrect']).nullable().describe('Face mask; null when not assessed.'),
    encoder: text.describe('Fingerprint of the model that made the embedding.'),
    liveness: share.nullable().describe('1 is surely a live face, 0 surely a picture of one; null when not assessed.'),
    quality: share.describe('Quality of the face picture.'),
    frames: z.int().min(1).describe('Frames the decision rests on.'),
    box: z
      .object({ x: share, y: share, width: share, height: share })
      .describe('Face in shares of the frame: left, top, width, height.'),
    zones: z.array(text).describe("Ids of the camera's zones that the middle of the face is in."),
    crossing: z
      .object({
        line: text.describe('Id of the line.'),
        direction: z.enum(['in', 'out']).describe('in: from the left of the line to its right.'),
      })
      .nullable()
      .describe('The line the face crossed last; null when it crossed none.'),
    latencyMs: z
      .object({
        capture: milliseconds.describe('From the decoder handing the frame out until it was on its way.'),
        queue: milliseconds.describe('Waiting: on the way to the pipeline, for a batch, for the models to be free.'),
        detect: milliseconds.describe('Face detection.'),
        embed: milliseconds.describe('Landmarks, alignment, quality and embedding.'),
        decide: milliseconds.describe('Matching and deciding.'),
        publish: milliseconds.describe('From the decision being handed over until it was sent to the broker.'),
      })
      .describe('Where the time went, milliseconds.'),
    galleryVersion: z.int().min(0).describe('Version of the gallery that was searched.'),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string) =>
      issues.push({ code: 'custom', path: [path], message, input: value });
    const known = value.decision === 'known';
    if (known && value.person === null) wrong('person', 'a known decision names a person');
    if (!known && value.person !== null) wrong('person', 'only a known decision names a person');
    if (known && value.score === null) wrong('score', 'a known decision has a score');
    if (Date.parse(value.expiresAt) < Date.parse(value.capturedAt))
      wrong('expiresAt', 'expires before it was captured');
    if (value.box.x + value.box.width > 1 + EDGE_SLACK) wrong('box', 'passes the right edge of the frame');
    if (value.box.y + value.box.height > 1 + EDGE_SLACK) wrong('box', 'passes the lower edge of the frame');
  });

export type IdentityEvent = z.output<typeof identityEvent>;

type FilledByPublisher =
  | 'schema'
  | 'id'
  | 'bootId'
  | 'sequence'
  | 'device'
  | 'firstSeenAt'
  | 'lastSeenAt'
  | 'capturedAt'
  | 'decidedAt'
  | 'expiresAt'
  | 'late'
  | 'latencyMs';

/** What the pipeline tells of a decision; the publisher fills in the rest. Times are milliseconds since the epoch. */
export type IdentityDraft = Readonly<Omit<IdentityEvent, FilledByPublisher | 'zones'>> & {
  readonly zones: readonly string[];
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly capturedAtMs: number;
  readonly decidedAtMs: number;
  readonly latencyMs: Readonly<Omit<IdentityEvent['latencyMs'], 'publish'>>;
};

/** What the publisher adds to a draft. */
export interface IdentityStamp {
  readonly id: string;
  readonly bootId: string;
  readonly sequence: number;
  readonly device: string;
  readonly expiresAtMs: number;
  readonly late: boolean;
  readonly publishMs: number;
}

/**
 * The event of a draft. The box is cut at the frame's edges and the score at -1 and 1 (both may pass them by a
 * little); everything else is taken as it is, so the result still has to be checked against {@link identityEvent}.
 *
 * @throws RangeError when a time is not a number
 */
export function completeIdentity(draft: IdentityDraft, stamp: IdentityStamp): IdentityEvent {
  const { capture, queue, detect, embed, decide } = draft.latencyMs;
  return {
    schema: IDENTITY_SCHEMA,
    id: stamp.id,
    bootId: stamp.bootId,
    sequence: stamp.sequence,
    type: draft.type,
    device: stamp.device,
    camera: draft.camera,
    track: draft.track,
    firstSeenAt: new Date(draft.firstSeenAtMs).toISOString(),
    lastSeenAt: new Date(draft.lastSeenAtMs).toISOString(),
    capturedAt: new Date(draft.capturedAtMs).toISOString(),
    decidedAt: new Date(draft.decidedAtMs).toISOString(),
    expiresAt: new Date(stamp.expiresAtMs).toISOString(),
    late: stamp.late,
    decision: draft.decision,
    person: draft.person && { id: draft.person.id, name: draft.person.name },
    score: draft.score === null ? null : clamp(draft.score, -1, 1),
    threshold: draft.threshold,
    far: draft.far,
    visitor: draft.visitor,
    mask: draft.mask,
    encoder: draft.encoder,
    liveness: draft.liveness,
    quality: draft.quality,
    frames: draft.frames,
    box: clip(draft.box),
    zones: [...draft.zones],
    crossing: draft.crossing && { line: draft.crossing.line, direction: draft.crossing.direction },
    latencyMs: {
      capture: round(capture, 1),
      queue: round(queue, 1),
      detect: round(detect, 1),
      embed: round(embed, 1),
      decide: round(decide, 1),
      publish: round(stamp.publishMs, 1),
    },
    galleryVersion: draft.galleryVersion,
  };
}

/** JSON Schema (2020-12) of the event, for consumers: fields added later within the same version stay valid. */
export function identityEventJsonSchema(): object {
  const schema = z.toJSONSchema(identityEvent, { target: 'draft-2020-12', io: 'input' });
  return {
    ...schema,
    title: IDENTITY_SCHEMA,
    description: 'Identity event of Eyeline. Never retained; do not act on it when late is true or expiresAt is past.',
  };
}

function clip(box: Box): Box {
  const x = clamp(box.x, 0, 1);
  const y = clamp(box.y, 0, 1);
  return {
    x: round(x, 5),
    y: round(y, 5),
    width: round(clamp(box.x + box.width, x, 1) - x, 5),
    height: round(clamp(box.y + box.height, y, 1) - y, 5),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
