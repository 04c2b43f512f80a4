import { z } from 'zod';

/** Commands that may be allowed (`mqtt.commands`). */
export const COMMANDS = ['camera', 'snapshot', 'gallery-sync', 'deny', 'settings'] as const;
export type CommandName = (typeof COMMANDS)[number];

/** Longest request that is looked at. */
export const REQUEST_MAX_BYTES = 4096;

const id = z.string().min(1).max(128).optional().describe('Given back in the answer.');
const camera = z.string().min(1).max(64).describe('Id of the camera.');

/** What may be changed while the daemon runs; it holds until the next start. */
export const settingChanges = z
  .strictObject({
    cooldownMs: z.int().min(0).max(86_400_000).optional().describe('As recognition.cooldownMs of the configuration.'),
    minQuality: z.number().min(0).max(1).optional().describe('As recognition.minQuality of the configuration.'),
  })
  .describe('The settings to change; none only asks for them.');
export type SettingChanges = z.output<typeof settingChanges>;

/** A request on the command topic. Unknown fields are refused: what is not understood must not be half done. */
export const commandRequest = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('camera'), id, camera, enabled: z.boolean().describe('Whether it is watched.') }),
  z.strictObject({ command: z.literal('snapshot'), id, camera }),
  z.strictObject({ command: z.literal('gallery-sync'), id }),
  z.strictObject({
    command: z.literal('deny'),
    id,
    track: z.string().min(1).max(128).describe('Track of the event that named somebody wrongly.'),
    person: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('Id of the person it is not; whom it was named when left out.'),
  }),
  z.strictObject({ command: z.literal('settings'), id, set: settingChanges.default({}) }),
]);
export type CommandRequest = z.output<typeof commandRequest>;

export const COMMAND_ERRORS = [
  'MALFORMED',
  'NOT_ALLOWED',
  'UNKNOWN_CAMERA',
  'NOT_AVAILABLE',
  'BUSY',
  'FAILED',
] as const;
export type CommandErrorCode = (typeof COMMAND_ERRORS)[number];

/** The answer to a request. */
export const commandResponse = z.object({
  schema: z.literal('eyeline.response/1').describe('Name and major version of this schema.'),
  id: z.string().nullable().describe('Of the request; null when it had none.'),
  command: z.enum(COMMANDS).nullable().describe('Of the request; null when it was not understood.'),
  ok: z.boolean().describe('Whether the command was carried out.'),
  result: z.record(z.string(), z.unknown()).nullable().describe('What came of it; null when it was not carried out.'),
  error: z
    .object({ code: z.enum(COMMAND_ERRORS).describe('Why not.'), message: z.string().describe('In words.') })
    .nullable()
    .describe('Null when it was carried out.'),
});
export type CommandResponse = z.output<typeof commandResponse>;

/** Why a command is not carried out; goes to whoever asked. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}

/** The request in a message. Throws a CommandError MALFORMED that says where it is wrong, never what stood there. */
export function parseCommand(payload: Uint8Array): CommandRequest {
  if (payload.length > REQUEST_MAX_BYTES) {
    throw new CommandError('MALFORMED', `the request is longer than ${REQUEST_MAX_BYTES} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new CommandError('MALFORMED', 'the request is no JSON in UTF-8');
  }
  const { data, error } = commandRequest.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  const where = issue?.path.map(String).join('.') || 'the request';
  const what = issue?.code === 'unrecognized_keys' ? 'has a field that is not known' : 'is not as it has to be';
  throw new CommandError('MALFORMED', `${where} ${what}`);
}

/** The `id` of a request that may be anything, so that even a bad one is answered by name; null when there is none. */
export function requestIdOf(payload: Uint8Array): string | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.subarray(0, REQUEST_MAX_BYTES)).toString('utf8'));
    const { id: name } = value as { id?: unknown };
    return typeof name === 'string' && name.length > 0 && name.length <= 128 ? name : null;
  } catch {
    return null;
  }
}
