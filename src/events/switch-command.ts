/** Longest payload that is looked at: anything longer is no switch command. */
const PAYLOAD_MAX_BYTES = 16;

/** What a payload of a `…/set` topic asks for: `ON` is true, `OFF` false (blanks around it do not count), else null. */
export function parseSwitch(payload: Uint8Array): boolean | null {
  if (payload.length > PAYLOAD_MAX_BYTES) return null;
  const text = Buffer.from(payload).toString('utf8').trim();
  if (text === 'ON') return true;
  return text === 'OFF' ? false : null;
}

/** The payload that says whether something is switched on. */
export function switchPayload(on: boolean): string {
  return on ? 'ON' : 'OFF';
}
