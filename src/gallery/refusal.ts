/** Why pictures are refused, by code; docs/gallery.md lists the same codes. */
export const REFUSALS = [
  'NOT_IN_PERSON_FOLDER',
  'NESTED_FOLDER',
  'NOT_A_NAME',
  'UNREADABLE',
  'NOT_A_PICTURE',
  'NO_FACE',
  'SEVERAL_FACES',
  'FACE_TOO_SMALL',
  'QUALITY_TOO_LOW',
  'ALREADY_ENROLLED',
] as const;

export type RefusalCode = (typeof REFUSALS)[number];

/** A picture that was not enrolled. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly file: string;
  /** Name of the person it was meant for; null when that cannot be told. */
  readonly person: string | null;
  /** One line for people, without the file. */
  readonly reason: string;
}

/** A refusal from its parts. */
export function refusal(code: RefusalCode, file: string, person: string | null, reason: string): Refusal {
  return { code, file, person, reason };
}
