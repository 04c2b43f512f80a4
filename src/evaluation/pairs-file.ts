import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../core/errors.ts';

/** A line of a pairs file: two pictures, relative to the folder of pictures, and whether they show one person. */
export interface PicturePair {
  readonly same: boolean;
  readonly a: string;
  readonly b: string;
}

const HEADER = 'same,a,b';
const SAME: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };
/** A field of RFC 4180: quoted, with doubled quotes inside, or plain. */
const FIELD = /\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)/y;

/** Reads a CSV file of pairs. Throws USAGE that names the file, or its first wrong line. */
export async function readPairsFile(file: string): Promise<PicturePair[]> {
  try {
    return parsePairs(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    throw new EyelineError('USAGE', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The text of a pairs file: a header `same,a,b`, then a pair a line, `same` 1 or 0. `file` is named in errors. */
export function parsePairs(text: string, file: string): PicturePair[] {
  const [header, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (header?.replaceAll(/[\s"]/g, '').toLowerCase() !== HEADER) {
    throw new EyelineError('USAGE', `${file}:1: the first line must be "${HEADER}"`);
  }
  const pairs = lines.flatMap((line, index): PicturePair[] => {
    if (line.trim() === '') return [];
    const [flag, a, b, ...more] = fieldsOf(line) ?? [];
    const same = SAME[flag?.trim().toLowerCase() ?? ''];
    if (same === undefined || !a || !b || more.length > 0) {
      throw new EyelineError('USAGE', `${file}:${index + 2}: must be 1 or 0 and two pictures, as in "${HEADER}"`);
    }
    return [{ same, a, b }];
  });
  if (pairs.length === 0) throw new EyelineError('USAGE', `${file} holds no pairs`);
  return pairs;
}

/** The fields of one line, or null when its quotes do not match. */
function fieldsOf(line: string): string[] | null {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const match = FIELD.exec(line);
    if (!match) return null;
    const [, quoted, plain = '', end] = match;
    fields.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    if (end === '') return fields;
  }
}
