import { InvalidArgumentError } from 'commander';

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Milliseconds of a day (`2027-01-31`, its first moment in UTC) or a time (ISO 8601). */
export function parseTime(text: string): number {
  const ms = Date.parse(text);
  // Date.parse takes much else, and reads some of it in the machine's time zone.
  if (Number.isNaN(ms) || !/^\d{4}-\d\d-\d\d/.test(text) || (DAY.test(text) && dayOf(ms) !== text)) {
    throw new InvalidArgumentError('A date such as 2027-01-31 is expected.');
  }
  return ms;
}

/** The same, but a day is over with its last moment. */
export function parseEnd(text: string): number {
  return parseTime(text) + (DAY.test(text) ? DAY_MS : 0);
}

/** The day of a time, in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
