import { z } from 'zod';
import { distinctIds, evenIfInvalid, positiveMs, record, secret, share, slug, text } from './schema-values.ts';

const URL_SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

const USER_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;

const SOURCE_SCHEMES = new Set(['rtsp', 'rtsps', 'http', 'https', 'file']);

const LOGIN_SCHEMES = new Set(['rtsp', 'rtsps', 'http', 'https']);

/** Whether a URL holds a user name or a password. */
export function holdsCredentials(url: string): boolean {
  return USER_IN_URL.test(url);
}

const point = z.strictObject({
  x: share.describe('0 is the left edge of the picture, 1 the right.'),
  y: share.describe('0 is the upper edge of the picture, 1 the lower.'),
});

const zones = z
  .array(
    z.strictObject({
      id: slug.describe('Name of the zone in events.'),
      polygon: z.array(point).min(3).describe('Its corners, in order.'),
    }),
  )
  .check(evenIfInvalid(distinctIds((index) => `entry ${index}`)))
  .default([])
  .describe('Parts of the picture; events say in which of them the middle of the face is.');

const lines = z
  .array(
    z.strictObject({
      id: slug.describe('Name of the line in events.'),
      from: point.describe('Where it begins.'),
      to: point.describe('Where it ends; whoever goes from its left to its right, seen this way, goes in.'),
    }),
  )
  .check(evenIfInvalid(distinctIds((index) => `entry ${index}`)))
  .default([])
  .describe('Lines that people cross; events say which a face crossed last, and whether in or out.');

const motion = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether frames are held back while nothing moves.'),
    threshold: z
      .int()
      .min(1)
      .max(254)
      .default(10)
      .describe('How much a spot must change, in grey levels of 255; less is more sensitive.'),
    minArea: share.default(0.0005).describe('Share of the picture that must change; less is more sensitive.'),
    ignore: z
      .array(z.array(point).min(3))
      .default([])
      .describe('Polygons in which motion does not count: a street, a tree, a screen.'),
    holdMs: positiveMs.default(3000).describe('How long all frames are looked at after the last motion.'),
    idleIntervalMs: positiveMs
      .default(1000)
      .describe('How often a frame is looked at while nothing moves; keep it below tracks.endAfterMs.'),
  })
  .prefault({});

const camera = z
  .strictObject({
    id: slug.describe('Name of the camera in MQTT topics and logs; unique.'),
    name: text.optional().describe('Name shown to people; the id if left out.'),
    source: text
      .refine((source) => SOURCE_SCHEMES.has(URL_SCHEME.exec(source)?.[1]?.toLowerCase() ?? 'file'), {
        error: 'must be an rtsp, rtsps, http or https URL, a file, /dev/videoN or a GStreamer pipeline',
      })
      .describe(
        'rtsp://, rtsps:// or http(s):// URL, a file, /dev/videoN or a GStreamer pipeline that ends in appsink.',
      ),
    backend: z
      .enum(['auto', 'ffmpeg', 'gstreamer'])
      .default('auto')
      .describe('What OpenCV opens the source with; auto takes GStreamer for pipelines, FFmpeg for the rest.'),
    transport: z.enum(['tcp', 'udp']).default('tcp').describe('How RTSP carries the stream; tcp loses nothing.'),
    enabled: z.boolean().default(true).describe('Whether the camera is watched when the daemon starts.'),
    fps: z
      .number()
      .min(0.1)
      .max(60)
      .default(10)
      .describe('Frames a second that are looked at; the others are dropped.'),
    openTimeoutMs: positiveMs.default(15_000).describe('How long opening may take until it is tried again.'),
    stallTimeoutMs: positiveMs.default(10_000).describe('How long no frame may come until the camera is opened again.'),
    motion: motion.describe('Holding back frames in which nothing moves, so that an idle scene costs little.'),
    zones,
    lines,
    loop: z.boolean().default(false).describe('Files only: start again at the end.'),
    credentials: z
      .strictObject({
        username: text.describe('User name the camera asks for.'),
        password: secret.describe('Its password.'),
      })
      .nullable()
      .default(null)
      .describe('User name and password put into the URL, so that it need not hold them.'),
  })
  .check(
    evenIfInvalid((value) => {
      const { source, credentials } = record(value);
      if (typeof source !== 'string' || !credentials) return [];
      if (!LOGIN_SCHEMES.has(URL_SCHEME.exec(source)?.[1]?.toLowerCase() ?? '')) {
        return [{ path: ['credentials'], message: 'only an rtsp, rtsps, http or https source takes them' }];
      }
      if (!holdsCredentials(source)) return [];
      return [{ path: ['credentials'], message: 'the source already holds a user name' }];
    }),
  )
  .transform((it) => ({ ...it, name: it.name ?? it.id }));

export const cameras = z
  .array(camera)
  .check(evenIfInvalid(distinctIds((index) => `cameras[${index}]`)))
  .prefault([])
  .describe('The cameras to watch.');
