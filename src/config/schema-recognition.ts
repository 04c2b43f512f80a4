import { z } from 'zod';
import { evenIfInvalid, file, LONGEST_MS, positiveMs, rate, record, share, text } from './schema-values.ts';

export const models = z
  .strictObject({
    dir: text.default('data/models').describe('Where pulled and prepared models are kept.'),
    manifest: file.describe('Manifest of further models of your own; null for those that come with Eyeline.'),
    detector: text.default('rfb-320-masked').describe('Model that finds faces.'),
    secondDetector: text
      .nullable()
      .default(null)
      .describe('Model that looks once more where the detector is unsure; null for none.'),
    landmarks: text.default('landmarks-68-masked').describe('Model that finds eyes, nose and mouth.'),
    maskState: text
      .nullable()
      .default('mask-state')
      .describe('Model that tells whether a mask is worn; null leaves that open, and takes every face for bare.'),
    encoder: text.default('mobilefacenet-512').describe('Model that turns a face into an embedding.'),
    upperEncoder: text
      .nullable()
      .default('mobilefacenet-512-upper')
      .describe('Model that does so for the upper part of a face, used where a mask is worn; null uses the one above.'),
    liveness: z
      .array(text)
      .min(1)
      .default(['minifasnet-liveness'])
      .describe('Models that tell a face from a picture of one; their judgements are averaged.'),
    calibration: text
      .default('data/calibration.json')
      .describe(
        'What `eyeline calibrate` measured of encoders on this machine; it goes before what their manifest says.',
      ),
  })
  .prefault({});

export const inference = z
  .strictObject({
    providers: z
      .array(z.enum(['tensorrt', 'cuda', 'webgpu', 'cpu']))
      .min(1)
      .refine((list) => new Set(list).size === list.length, { error: 'must not name a provider twice' })
      .default(['cpu'])
      .describe('ONNX Runtime execution providers, best first; the next is taken where one does not work.'),
    threads: z
      .int()
      .min(0)
      .max(256)
      .default(0)
      .describe('Threads a model runs on; 0 takes one less than there are cores, at least 1 and at most 4.'),
    workers: z
      .int()
      .min(0)
      .max(16)
      .default(0)
      .describe(
        'Threads in which models run at the same time, each with a copy of them in memory; 0 takes two on a CPU where each ' +
          'has its cores, else one.',
      ),
    device: z.int().min(0).max(63).default(0).describe('Which GPU tensorrt and cuda run on, counted from 0.'),
    fp16: z
      .boolean()
      .default(false)
      .describe('Whether tensorrt may compute in half precision: faster, a little less exact; see docs/models.md.'),
    engineCache: text
      .nullable()
      .default('data/engines')
      .describe('Folder tensorrt keeps its engines in, so that only the first start waits for them; null keeps none.'),
    tensorrtWorkspaceMb: z
      .int()
      .min(16)
      .max(65_536)
      .default(1024)
      .describe('Most memory tensorrt may use for a layer, MiB.'),
    alignment: z
      .enum(['auto', 'opencv', 'graph'])
      .default('auto')
      .describe(
        'Where faces are aligned: by OpenCV next to the frame, or in the graph of the encoder, which then takes whole ' +
          'frames; auto takes what was measured to be faster.',
      ),
  })
  .prefault({});

export const detection = z
  .strictObject({
    minScore: share
      .nullable()
      .default(null)
      .describe(
        'Least score of the detector for a face; null for the one its manifest names, since each has a scale of its own.',
      ),
    nmsIou: share.default(0.3).describe('Boxes that overlap more than this (intersection over union) are one face.'),
    minFacePx: z.int().min(1).default(40).describe('Smaller faces (shorter side of the box) are passed over.'),
    maxFaces: z.int().min(1).max(1000).default(20).describe('Most faces looked at in one frame, best score first.'),
    closerLook: z
      .strictObject({
        fromScore: share.default(0.3).describe('Least score of what is looked at again.'),
        sureFrom: share.default(0.98).describe('What has this score at first sight is a face without.'),
        most: z.int().min(0).max(20).default(4).describe('Most looks a frame, best score first; 0 for none.'),
      })
      .prefault({})
      .describe(
        'A second look from close by at what a detector like rfb-320 is not sure of; the score is of both looks.',
      ),
    secondLook: z
      .strictObject({
        fromScore: share
          .default(0.3)
          .describe('What the detector gives this score, and less than minScore, is looked at once more.'),
        minScore: share.default(0.5).describe('Least score of models.secondDetector for a face both see.'),
      })
      .prefault({})
      .describe('Where models.secondDetector is named.'),
  })
  .prefault({});

export const enrolment = z
  .strictObject({
    minFacePx: z.int().min(1).default(60).describe('Smaller faces are refused when people are enrolled.'),
    minQuality: share.default(0.3).describe('Pictures of less quality are refused when people are enrolled.'),
  })
  .prefault({});

export const recognition = z
  .strictObject({
    falseAcceptRate: rate
      .default(1e-4)
      .describe('Of the tracks of strangers, how many may be named at most; 1e-4 is one in 10,000.'),
    falseRejectRate: rate
      .default(0.05)
      .describe('Of the tracks of people enrolled, about how many may be told unknown.'),
    lookalikeMargin: z
      .number()
      .min(1)
      .default(20)
      .describe('How many times as likely as the next person of the gallery somebody must be to be named.'),
    adaptToGallery: z
      .boolean()
      .default(true)
      .describe(
        'Whether scores count for less where the people enrolled are more alike than those the scores were measured on, since strangers ' +
          'at the same door will be, too, and where a face is like everybody enrolled. It takes eight people.',
      ),
    minFrames: z.int().min(1).max(100).default(3).describe('Fewest looks at a face on which anything is decided.'),
    unknownFrames: z.int().min(1).max(100).default(6).describe('Fewest looks on which someone is told unknown.'),
    minQuality: share.default(0.2).describe('Faces of less quality do not count.'),
    cooldownMs: z
      .int()
      .min(0)
      .max(LONGEST_MS)
      .default(30_000)
      .describe('No second event for the same person and camera within this time.'),
    liveness: z
      .enum(['off', 'report', 'require'])
      .default('off')
      .describe(
        'Whether faces are told from pictures of faces: not, in events only, or so that nobody is named who does not look ' +
          'live. No proof: a good picture may pass.',
      ),
    minLiveness: share.default(0.5).describe('Least liveness of somebody named, where it is required.'),
  })
  .prefault({});

export const tracks = z
  .strictObject({
    lowScore: share
      .default(0.4)
      .describe('Faces of at least this score continue a track; to begin one takes detection.minScore.'),
    minIou: share
      .default(0.2)
      .describe('Least overlap (intersection over union) of a face with its place, widened by how unsure that is.'),
    lostAfterMs: positiveMs
      .default(1500)
      .describe('A face not seen for this long must look the same to continue its track.'),
    endAfterMs: positiveMs.default(5000).describe('A track ends when its face was not seen for this long.'),
    sameFaceRate: rate
      .default(1e-5)
      .describe('How seldom looks at two people may be so alike that a track which was lost is joined with a new one.'),
  })
  .check(
    evenIfInvalid((value) => {
      const { lostAfterMs, endAfterMs } = record(value);
      const exceeds = (least: unknown, most: unknown) =>
        typeof least === 'number' && typeof most === 'number' && least > most;
      return [
        ...(exceeds(lostAfterMs, endAfterMs)
          ? [{ path: ['endAfterMs'], message: 'must not be less than lostAfterMs' }]
          : []),
      ];
    }),
  )
  .prefault({});
