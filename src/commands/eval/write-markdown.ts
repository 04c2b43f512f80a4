import { readFile } from 'node:fs/promises';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { writeFileAtomic } from '../../inference/files.ts';

const FROM = '<!-- eval all -->';
const TO = '<!-- /eval all -->';

/**
 * Checks that a Markdown file has a place for results, told before the work and not after it. Throws USAGE.
 */
export async function checkPlace(file: string): Promise<void> {
  placeIn(await textOf(file), file);
}

/** Puts lines between the two comments of a Markdown file that mark the place. Throws USAGE and OUTPUT_UNWRITABLE. */
export async function writeMarkdown(file: string, lines: readonly string[]): Promise<void> {
  const text = await textOf(file);
  const [from, to] = placeIn(text, file);
  try {
    await writeFileAtomic(file, [text.slice(0, from), ...lines, text.slice(to)].join('\n'));
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

function placeIn(text: string, file: string): [from: number, to: number] {
  const from = text.indexOf(FROM);
  const to = text.indexOf(TO, from);
  if (from === -1 || to === -1) {
    throw new EyelineError('USAGE', `${file} has no place for results: put ${FROM} and ${TO} into it, on a line each`);
  }
  return [from + FROM.length, to];
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new EyelineError('USAGE', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
