import { z } from 'zod';

const share = z.number().min(0).max(1);

/**
 * One look at a face and what it said: to find out why somebody is, or is not, recognised. Not for doors: it decides
 * nothing. Sent on the debug topic when `events.attempts` is on. Fields may be added within the same version.
 */
export const attemptReport = z.object({
  schema: z.literal('eyeline.attempt/1').describe('Name and major version of this schema.'),
  camera: z.string().describe('Id of the camera.'),
  track: z.string().describe('As in identity events.'),
  capturedAt: z.iso.datetime().describe('When the frame was captured.'),
  quality: share.describe('Of this look.'),
  mask: z.enum(['none', 'worn', 'incorrect']).nullable().describe('As believed of the track; null when not assessed.'),
  encoder: z.string().describe('Fingerprint of the encoder of this look.'),
  liveness: share.nullable().describe('Of this look, 1 is surely live; null when it was not assessed.'),
  matches: z
    .array(
      z.object({
        person: z.string().describe('Id.'),
        score: z
          .number()
          .min(-1)
          .max(1)
          .describe('Cosine similarity to the best template, less what the face is like everybody enrolled.'),
        llr: z.number().describe('Natural log-likelihood ratio of this person against a stranger.'),
        excluded: z.boolean().describe('Another face of the frame is them, or somebody said that this is not them.'),
      }),
    )
    .describe('Whom this look is most like, best first.'),
  decision: z.enum(['known', 'unknown', 'undecided']).nullable().describe('Of the track so far; null without one.'),
  person: z.string().nullable().describe('Id of whom the track is found to be.'),
});
export type AttemptReport = z.output<typeof attemptReport>;

/** People told of an attempt. */
export const ATTEMPT_MATCHES = 3;

/** JSON Schema (2020-12) of what the debug topic says. */
export function attemptJsonSchema(): object {
  return { ...z.toJSONSchema(attemptReport, { target: 'draft-2020-12', io: 'input' }), title: 'eyeline.attempt/1' };
}
