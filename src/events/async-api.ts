import { z } from 'zod';
import { attemptJsonSchema } from './attempt.ts';
import { commandRequest, commandResponse } from './command.ts';
import { identityEventJsonSchema } from './identity-event.ts';

/** JSON Schema (2020-12) of a request on the command topic. */
export function commandRequestJsonSchema(): object {
  return { ...z.toJSONSchema(commandRequest, { target: 'draft-2020-12', io: 'input' }), title: 'eyeline.command/1' };
}

/** JSON Schema (2020-12) of the answer to a request. */
export function commandResponseJsonSchema(): object {
  return { ...z.toJSONSchema(commandResponse, { target: 'draft-2020-12', io: 'input' }), title: 'eyeline.response/1' };
}

const count = z.int().min(0);
const time = z.iso.datetime().nullable();
const schemaOf = (payload: z.ZodType) => z.toJSONSchema(payload, { target: 'draft-2020-12', io: 'input' });
/** Payloads that programs may read and that nothing here reads back. */
const LAST_PERSON = schemaOf(
  z.object({ name: z.string().nullable(), id: z.string().nullable(), score: z.number().min(-1).max(1).nullable() }),
);
const GALLERY = schemaOf(
  z.object({
    version: count,
    people: count,
    templates: count,
    encoder: z.string(),
    lastSync: time,
    alike: z
      .array(
        z.object({
          encoder: z.string().describe('Id of the model.'),
          people: count.nullable().describe('People it was told from; null when they are too few to tell.'),
          raisedBy: z.number().min(0).describe('How much higher a score has to be for what it stood for.'),
          spread: z.number().min(1).describe('How many times as wide the scores of strangers are taken to be.'),
          leftOut: z.number().min(0).max(1).describe('Share of scores that look like one person under two names.'),
        }),
      )
      .describe('How much more alike the people are than those scores were measured on.'),
  }),
);
const GALLERY_SYNC = schemaOf(
  z.object({
    state: z.string(),
    version: count.nullable(),
    code: z.string().nullable(),
    message: z.string().nullable(),
    deviceKey: z.string(),
    receipt: z.string().nullable(),
    lastSync: time,
  }),
);
const DIAGNOSTICS = schemaOf(
  z.object({
    temperatureC: z.number().nullable(),
    cameras: z.record(z.string(), z.object({ fps: z.number().min(0), latencyMs: z.number().min(0).nullable() })),
  }),
);

const DEVICE = { device: { description: 'device.id of the configuration, a slug.' } };
const CAMERA = { ...DEVICE, camera: { description: 'Id of the camera, a slug.' } };

/** What goes over MQTT as AsyncAPI 3.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0). */
export function asyncApi(): object {
  const words = (title: string, values: readonly string[]) => ({
    title,
    contentType: 'text/plain',
    payload: { type: 'string', enum: values },
  });
  const json = (title: string, payload: object) => ({ title, contentType: 'application/json', payload });
  const channels: Record<
    string,
    { address: string; parameters: object; message: object; action: 'send' | 'receive'; retain: boolean }
  > = {
    status: {
      address: 'eyeline/{device}/status',
      parameters: DEVICE,
      message: words('Availability', ['online', 'offline', 'stopped']),
      action: 'send',
      retain: true,
    },
    event: {
      address: 'eyeline/{device}/event',
      parameters: DEVICE,
      message: json('Identity event', identityEventJsonSchema()),
      action: 'send',
      retain: false,
    },
    attempt: {
      address: 'eyeline/{device}/debug/attempt',
      parameters: DEVICE,
      message: json('Look at a face (events.attempts)', attemptJsonSchema()),
      action: 'send',
      retain: false,
    },
    cameraStatus: {
      address: 'eyeline/{device}/camera/{camera}/status',
      parameters: CAMERA,
      message: words('Camera status', ['online', 'connecting', 'offline', 'disabled']),
      action: 'send',
      retain: true,
    },
    cameraEnabled: {
      address: 'eyeline/{device}/camera/{camera}/enabled',
      parameters: CAMERA,
      message: words('Camera enabled', ['ON', 'OFF']),
      action: 'send',
      retain: true,
    },
    cameraEnabledSet: {
      address: 'eyeline/{device}/camera/{camera}/enabled/set',
      parameters: CAMERA,
      message: words('Enable camera', ['ON', 'OFF']),
      action: 'receive',
      retain: false,
    },
    cameraPerson: {
      address: 'eyeline/{device}/camera/{camera}/person',
      parameters: CAMERA,
      message: words('Face in view', ['ON', 'OFF']),
      action: 'send',
      retain: true,
    },
    cameraLastPerson: {
      address: 'eyeline/{device}/camera/{camera}/last-person',
      parameters: CAMERA,
      message: json('Who was recognised last', LAST_PERSON),
      action: 'send',
      retain: false,
    },
    cameraSnapshot: {
      address: 'eyeline/{device}/camera/{camera}/snapshot',
      parameters: CAMERA,
      message: { title: 'Picture', contentType: 'image/jpeg', payload: { type: 'string', format: 'binary' } },
      action: 'send',
      retain: false,
    },
    gallery: {
      address: 'eyeline/{device}/gallery',
      parameters: DEVICE,
      message: json('Gallery in use', GALLERY),
      action: 'send',
      retain: true,
    },
    gallerySync: {
      address: 'eyeline/{device}/gallery/sync',
      parameters: DEVICE,
      message: json('How the device stands to its fleet', GALLERY_SYNC),
      action: 'send',
      retain: true,
    },
    galleryAnnouncement: {
      address: 'eyeline/site/{site}/gallery',
      parameters: { site: { description: 'device.site of the configuration, a slug.' } },
      message: json('Newest version of the gallery of a site, signed (docs/fleet.md)', { type: 'object' }),
      action: 'receive',
      retain: true,
    },
    diagnostics: {
      address: 'eyeline/{device}/diagnostics',
      parameters: DEVICE,
      message: json('How the device does', DIAGNOSTICS),
      action: 'send',
      retain: false,
    },
    command: {
      address: 'eyeline/{device}/command',
      parameters: DEVICE,
      message: json('Command', commandRequestJsonSchema()),
      action: 'receive',
      retain: false,
    },
    response: {
      address: 'eyeline/{device}/response',
      parameters: DEVICE,
      message: json('Answer', commandResponseJsonSchema()),
      action: 'send',
      retain: false,
    },
  };
  const entries = Object.entries(channels);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Eyeline over MQTT',
      version: '1.0.0',
      description: 'Topics with the default prefix. docs/mqtt.md explains them, and what a door has to check.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      entries.map(([id, { address, message, parameters }]) => [
        id,
        { address, parameters, messages: { [id]: message } },
      ]),
    ),
    operations: Object.fromEntries(
      entries.map(([id, { action, retain }]) => [
        `${action}${id[0]?.toUpperCase()}${id.slice(1)}`,
        {
          action,
          channel: { $ref: `#/channels/${id}` },
          messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
          bindings: { mqtt: { qos: 1, retain, bindingVersion: '0.2.0' } },
        },
      ]),
    ),
  };
}
