import { z } from 'zod';
import { evenIfInvalid, file, positiveMs, record, retry, secret, text } from './schema-values.ts';

const sync = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s]+$/, 'must be an http:// or https:// URL')
      .nullable()
      .default(null)
      .describe('Where the bundles of the fleet lie; null for a device that belongs to no fleet.'),
    trust: z
      .array(z.string().regex(/^ed25519:[A-Za-z0-9+/]{43}=$/, 'must be ed25519: and a public key in base64'))
      .default([])
      .describe('Public keys of those who may publish, as `eyeline gallery keygen` tells them.'),
    keys: z.array(secret).default([]).describe('Keys that bundles are encrypted with, 64 hex digits.'),
    pollMs: positiveMs.default(300_000).describe('How often the store is asked when nothing is announced.'),
    spreadMs: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(2000)
      .describe('Announcements are followed after a random part of this, so that a fleet does not come at once.'),
    proxy: text.nullable().default(null).describe('HTTP proxy; null for what HTTPS_PROXY and NO_PROXY say.'),
    timeoutMs: positiveMs.default(30_000).describe('How long nothing may come from the store.'),
    retry: retry.describe('Delays between tries to reach the store.'),
  })
  .prefault({});

export const gallery = z
  .strictObject({
    file: text.default('data/gallery.sqlite').describe('Database of the people enrolled.'),
    refreshMs: positiveMs.default(500).describe('How often the daemon looks for people newly enrolled.'),
    key: secret
      .nullable()
      .default(null)
      .describe(
        'What templates are encrypted with, 64 hex digits; null for gallery.key beside the file, made by Eyeline.',
      ),
    sync: sync.describe('Taking the gallery over from a fleet; see docs/fleet.md.'),
    bestOf: z
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe("Of how many of a person's templates, those most alike, the mean is their score."),
    index: z
      .enum(['auto', 'exact', 'hnsw'])
      .default('auto')
      .describe(
        'How people are searched: all templates compared (exact), by a graph (hnsw), or by a graph from 100,000 templates of an encoder on.',
      ),
    keepCrops: z
      .boolean()
      .default(false)
      .describe(
        'Whether the aligned face of each picture enrolled is kept, encrypted: `gallery reembed` makes templates of another encoder from it.',
      ),
  })
  .prefault({});

export const visitors = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether unknown people are given an id that stays: embeddings of them are kept for that.'),
    file: text.default('data/visitors.sqlite').describe('Database of unknown people.'),
    max: z.int().min(1).max(10_000).default(500).describe('Most visitors kept; those not seen for longest go first.'),
    keepDays: z.int().min(1).max(365).default(30).describe('Days after which what was seen is erased.'),
  })
  .prefault({});

export const privacy = z
  .strictObject({
    snapshots: z
      .boolean()
      .default(false)
      .describe('Whether pictures of a camera may be asked for (the command snapshot); they go over MQTT.'),
    ignore: z
      .array(text)
      .default([])
      .describe('Ids of people enrolled who are recognised but never told of: no event, no log, no crop.'),
    crops: z
      .strictObject({
        folder: file.describe('Where the faces of events are kept, encrypted; null keeps none.'),
        key: secret
          .nullable()
          .default(null)
          .describe('What they are encrypted with, 64 hex digits (openssl rand -hex 32); required with folder.'),
        days: z.number().min(0.01).max(3650).default(7).describe('They are deleted after this many days.'),
      })
      .check(
        evenIfInvalid((value) => {
          const { folder, key } = record(value);
          return folder && !key ? [{ path: ['key'], message: 'required with folder' }] : [];
        }),
      )
      .prefault({})
      .describe('Pictures of faces kept for looking into events; see docs/privacy.md.'),
  })
  .prefault({});
