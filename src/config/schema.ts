import { z } from 'zod';
import { COMMANDS } from '../events/command.ts';

/** Environment variables that set keys of the configuration begin so. */
export const ENV_PREFIX = 'EYELINE_';

const URL_SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const USER_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;
const SOURCE_SCHEMES = new Set(['rtsp', 'rtsps', 'http', 'https', 'file']);
const LOGIN_SCHEMES = new Set(['rtsp', 'rtsps', 'http', 'https']);

/** Whether a URL holds a user name or a password. */
export function holdsCredentials(url: string): boolean {
  return USER_IN_URL.test(url);
}

interface Problem {
  path: (string | number)[];
  message: string;
}

/** A check across keys that runs though single keys are wrong, so that all errors are told at once. */
function evenIfInvalid(problems: (value: unknown) => Problem[]) {
  return z.superRefine<unknown>(
    (value, context) => {
      for (const problem of problems(value)) context.addIssue({ code: 'custom', ...problem });
    },
    { when: () => true },
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const slug = z
  .string()
  .regex(/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/, 'must be lower-case letters and digits with single "-" or "_" between them')
  .max(64);
const text = z.string().min(1);
const file = z.string().min(1).nullable().default(null);
/** A day: timers of Node overflow above 24.8 days. */
const LONGEST_MS = 86_400_000;
const positiveMs = z.int().min(1).max(LONGEST_MS);
const share = z.number().min(0).max(1);
const rate = z.number().gt(0).max(0.5);

/** A secret in the clear, or where it is kept; platform/credentials.ts `readSecret` fetches it. */
const secret = z
  .union(
    [
      z.string().min(1),
      z.strictObject({ file: text.describe('File that holds the secret.') }),
      z.strictObject({
        credential: z
          .string()
          .regex(/^(?!\.\.?$)[^/]+$/)
          .describe('Name of a systemd credential (LoadCredential=).'),
      }),
      z.strictObject({ env: text.describe('Environment variable that holds the secret.') }),
    ],
    'must be {file: path}, {credential: name}, {env: NAME} or text',
  )
  .meta({ writeOnly: true });

const retry = z
  .strictObject({
    firstDelayMs: positiveMs.default(1000).describe('Delay before the first retry.'),
    maxDelayMs: positiveMs.default(30_000).describe('Longest delay between two tries.'),
    factor: z.number().min(1).max(10).default(2).describe('How much longer each delay is than the one before.'),
    jitter: share
      .default(0.3)
      .describe('Random share taken off a delay, so that many devices do not come back at once.'),
  })
  .check(
    evenIfInvalid((value) => {
      const { firstDelayMs, maxDelayMs } = record(value);
      if (typeof firstDelayMs !== 'number' || typeof maxDelayMs !== 'number' || maxDelayMs >= firstDelayMs) return [];
      return [{ path: ['maxDelayMs'], message: 'must not be less than firstDelayMs' }];
    }),
  )
  .prefault({});

const device = z
  .strictObject({
    id: slug.default('eyeline').describe('Name of this device in MQTT topics; unique among your devices.'),
    name: text.default('Eyeline').describe('Name shown to people.'),
    site: slug.default('home').describe('Site the device belongs to; devices of a site share people.'),
  })
  .prefault({});

const point = z.strictObject({
  x: share.describe('0 is the left edge of the picture, 1 the right.'),
  y: share.describe('0 is the upper edge of the picture, 1 the lower.'),
});

/** Refuses an id that comes twice in a list. */
function distinctIds(value: unknown): Problem[] {
  const ids = Array.isArray(value) ? value.map((it) => record(it).id) : [];
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (typeof id !== 'string' || first === index) return [];
    return [{ path: [index, 'id'], message: `"${id}" is the id of entry ${first} already` }];
  });
}

const zones = z
  .array(
    z.strictObject({
      id: slug.describe('Name of the zone in events.'),
      polygon: z.array(point).min(3).describe('Its corners, in order.'),
    }),
  )
  .check(evenIfInvalid(distinctIds))
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
  .check(evenIfInvalid(distinctIds))
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

const cameras = z
  .array(camera)
  .check(
    evenIfInvalid((value) => {
      const ids = Array.isArray(value) ? value.map((it) => record(it).id) : [];
      return ids.flatMap((id, index) => {
        const first = ids.indexOf(id);
        if (typeof id !== 'string' || first === index) return [];
        return [{ path: [index, 'id'], message: `"${id}" is the id of cameras[${first}] already` }];
      });
    }),
  )
  .prefault([])
  .describe('The cameras to watch.');

const alignmentPoints = z.enum(['five', 'eyes', 'eyes-bridge']).default('five');

const models = z
  .strictObject({
    dir: text.default('data/models').describe('Where pulled and prepared models are kept.'),
    manifest: file.describe('Manifest of further models of your own; null for those that come with Eyeline.'),
    detector: text.default('rfb-320').describe('Model that finds faces.'),
    secondDetector: text
      .nullable()
      .default(null)
      .describe('Model that looks once more where the detector is unsure; null for none.'),
    landmarks: text.default('landmarks-68-masked').describe('Model that finds eyes, nose and mouth.'),
    maskState: text
      .nullable()
      .default('mask-state')
      .describe('Model that tells whether a mask is worn; null leaves that open, and takes every face for bare.'),
    alignBy: z
      .strictObject({
        none: alignmentPoints.describe('Of a bare face.'),
        worn: alignmentPoints.describe('Of a face with a mask, also one below the nose.'),
      })
      .prefault({})
      .describe(
        'Points a face is aligned by, by mask state: five (eyes, nose, mouth), eyes, or eyes-bridge (eyes and bridge of the ' +
          'nose). People enrolled before a change stay aligned as they were: enrol them anew.',
      ),
    encoder: text.default('mobilefacenet-512').describe('Model that turns a face into an embedding.'),
    upperEncoder: text
      .nullable()
      .default(null)
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

const inference = z
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

const detection = z
  .strictObject({
    minScore: share.default(0.7).describe('Least score of the detector for a face.'),
    nmsIou: share.default(0.3).describe('Boxes that overlap more than this (intersection over union) are one face.'),
    minFacePx: z.int().min(1).default(40).describe('Smaller faces (shorter side of the box) are passed over.'),
    maxFaces: z.int().min(1).max(1000).default(20).describe('Most faces looked at in one frame, best score first.'),
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

const enrolment = z
  .strictObject({
    minFacePx: z.int().min(1).default(60).describe('Smaller faces are refused when people are enrolled.'),
    minQuality: share.default(0.3).describe('Pictures of less quality are refused when people are enrolled.'),
  })
  .prefault({});

const recognition = z
  .strictObject({
    falseAcceptRate: rate
      .default(1e-4)
      .describe('Of the tracks of strangers, how many may be named at most; 1e-4 is one in 10,000.'),
    falseRejectRate: rate
      .default(0.05)
      .describe('Of the tracks of people enrolled, about how many may be told unknown.'),
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

const tracks = z
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

const gallery = z
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
    keepCrops: z
      .boolean()
      .default(false)
      .describe(
        'Whether the aligned face of each picture enrolled is kept, encrypted: `gallery reembed` makes templates of another encoder from it.',
      ),
  })
  .prefault({});

const visitors = z
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

const mqtt = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether events are published over MQTT.'),
    url: z
      .string()
      .regex(/^(?:mqtt|mqtts|ws|wss):\/\/[^\s/]+/, 'must be an mqtt://, mqtts://, ws:// or wss:// URL')
      .default('mqtt://localhost:1883')
      .describe('The broker: mqtt:// or ws://, with TLS mqtts:// or wss://.'),
    username: text.nullable().default(null).describe('User name the broker asks for.'),
    password: secret.nullable().default(null).describe('Its password.'),
    clientId: text.max(65_535).nullable().default(null).describe('MQTT client id; null makes one from device.id.'),
    prefix: z
      .string()
      .regex(/^[^\s+#/$][^\s+#]*(?<!\/)$/, 'must be an MQTT topic without wildcards, blanks, "$" or "/" at its ends')
      .default('eyeline')
      .describe('First part of every topic.'),
    keepAliveS: z
      .int()
      .min(1)
      .max(65_535)
      .default(15)
      .describe('Seconds between signs of life; a dead link shows after one and a half.'),
    connectTimeoutMs: positiveMs.default(10_000).describe('How long connecting may take.'),
    reconnect: retry.describe('Delays between tries to reach the broker.'),
    commands: z
      .array(z.enum(COMMANDS))
      .default([])
      .describe('Commands that are taken on the command topic; see docs/mqtt.md.'),
    diagnosticsMs: positiveMs.default(30_000).describe('How often temperature, frames a second and latency are told.'),
    homeAssistant: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether the device and its entities are announced.'),
        prefix: z
          .string()
          .regex(
            /^[^\s+#/$][^\s+#]*(?<!\/)$/,
            'must be an MQTT topic without wildcards, blanks, "$" or "/" at its ends',
          )
          .default('homeassistant')
          .describe("Home Assistant's discovery prefix."),
        lastPersonMs: positiveMs.default(60_000).describe('How long the last person of a camera is told.'),
      })
      .prefault({})
      .describe('Discovery by Home Assistant; see docs/home-assistant.md.'),
    tls: z
      .strictObject({
        caFile: file.describe('Certificate authority (PEM) that signed the broker; null for those of the system.'),
        certFile: file.describe('Certificate (PEM) of this device, for brokers that ask for one.'),
        keyFile: file.describe('Private key (PEM) of that certificate.'),
        keyPassword: secret.nullable().default(null).describe('Password of the private key.'),
        verify: z.boolean().default(true).describe('Whether the certificate of the broker is checked.'),
      })
      .check(
        evenIfInvalid((value) => {
          const { certFile, keyFile } = record(value);
          if (certFile && !keyFile) return [{ path: ['keyFile'], message: 'required with certFile' }];
          if (keyFile && !certFile) return [{ path: ['certFile'], message: 'required with keyFile' }];
          return [];
        }),
      )
      .prefault({})
      .describe('For mqtts:// and wss://.'),
  })
  .prefault({});

const events = z
  .strictObject({
    attempts: z
      .boolean()
      .default(false)
      .describe(
        'Whether every look at a face is told on the topic debug/attempt, to find out why somebody is not known.',
      ),
    expireAfterMs: z
      .int()
      .min(1000)
      .max(LONGEST_MS)
      .default(10_000)
      .describe('An event is worth nothing after this time.'),
    bufferMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe('Most events kept while the broker is away; the oldest go first.'),
    bufferFile: text
      .nullable()
      .default('data/events.sqlite')
      .describe('Database they are kept in, so that a restart does not lose them; null keeps them in memory alone.'),
    bufferDays: z
      .number()
      .min(0.01)
      .max(365)
      .default(7)
      .describe('Events kept for longer than this many days are dropped.'),
  })
  .prefault({});

const privacy = z
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

const log = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least level that is written.'),
  })
  .prefault({});

const metrics = z
  .strictObject({
    port: z
      .int()
      .min(0)
      .max(65_535)
      .nullable()
      .default(null)
      .describe('Port that serves metrics for Prometheus at /metrics; 0 takes a free one, null serves none.'),
    host: text.default('127.0.0.1').describe('Address the metrics are served on; 0.0.0.0 for the whole network.'),
  })
  .prefault({});

const health = z
  .strictObject({
    stallAfterMs: z
      .int()
      .min(1000)
      .max(LONGEST_MS)
      .default(30_000)
      .describe('A part of the daemon without progress for this long lets the service manager restart it.'),
  })
  .prefault({});

const retryOfCameras = z.strictObject({ retry: retry.describe('Delays between tries to open a camera.') }).prefault({});

/** The whole configuration: types, defaults, limits and descriptions in one place. Unknown keys are refused. */
export const configSchema = z.strictObject({
  device: device.describe('This device.'),
  cameras,
  capture: retryOfCameras.describe('What holds for every camera.'),
  models: models.describe('The neural networks.'),
  inference: inference.describe('What the networks run on.'),
  detection: detection.describe('Finding faces.'),
  enrolment: enrolment.describe('What pictures must be like to enrol people.'),
  recognition: recognition.describe('Naming people.'),
  tracks: tracks.describe('Following a face from frame to frame.'),
  gallery: gallery.describe('The people enrolled.'),
  visitors: visitors.describe('Unknown people.'),
  mqtt: mqtt.describe('Where events go.'),
  events: events.describe('Events on their way.'),
  privacy: privacy.describe('What leaves the device or is kept of people.'),
  log: log.describe('What is logged, as JSON lines on standard output.'),
  metrics: metrics.describe('Counts and times for Prometheus.'),
  health: health.describe('Signs of life for systemd.'),
});

export type Config = z.output<typeof configSchema>;
export type CameraConfig = Config['cameras'][number];
export type Secret = z.output<typeof secret>;
