import { z } from 'zod';
import { COMMANDS } from '../events/command.ts';
import { cameras } from './schema-cameras.ts';
import { gallery, privacy, visitors } from './schema-gallery.ts';
import { detection, enrolment, inference, models, recognition, tracks } from './schema-recognition.ts';
import { evenIfInvalid, file, LONGEST_MS, positiveMs, record, retry, secret, slug, text } from './schema-values.ts';

/** Environment variables that set keys of the configuration begin so. */
export const ENV_PREFIX = 'EYELINE_';

const device = z
  .strictObject({
    id: slug.default('eyeline').describe('Name of this device in MQTT topics; unique among your devices.'),
    name: text.default('Eyeline').describe('Name shown to people.'),
    site: slug.default('home').describe('Site the device belongs to; devices of a site share people.'),
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
