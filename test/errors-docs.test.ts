import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERRORS, EXIT_INTERNAL, EyelineError } from '../src/core/errors.ts';

const ROOT = new URL('../', import.meta.url).pathname;

/** Cells of the table rows below a heading. */
function table(text: string, heading: string): string[][] {
  const section = text.split(/^## /m).find((it) => it.startsWith(heading)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/errors.md', () => {
  let text = '';
  beforeAll(async () => {
    text = await readFile(join(ROOT, 'docs/errors.md'), 'utf8');
  });

  it('lists every code with its status and its help, in the order of the catalogue', () => {
    const listed = table(text, 'Codes').map(([code, status, , help]) => [code, Number(status), help]);
    expect(listed).toEqual(Object.entries(ERRORS).map(([code, { exit, help }]) => [`\`${code}\``, exit, help]));
  });

  it('says what each code means', () => {
    for (const [code, , meaning] of table(text, 'Codes')) expect(meaning, code).toMatch(/^[A-Z].*\.$/);
  });

  it('lists every exit status', () => {
    const statuses = new Set([0, EXIT_INTERNAL, ...Object.values(ERRORS).map(({ exit }) => exit)]);
    expect(table(text, 'Exit statuses').map(([status]) => Number(status))).toEqual([...statuses].sort((a, b) => a - b));
  });

  it('names no code that is not raised anywhere', async () => {
    const names = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
    const sources = names.filter((name) => name !== join('core', 'errors.ts'));
    const code = (await Promise.all(sources.map((name) => readFile(join(ROOT, 'src', name), 'utf8')))).join('\n');
    const unused = Object.keys(ERRORS).filter((it) => !new RegExp(`['.]${it}\\b`).test(code));
    expect(unused).toEqual([]);
  });
});

it('an error knows its exit status and its help', () => {
  const error = new EyelineError('CONFIG_INVALID', 'x');
  expect([error.name, error.exitCode, error.help]).toEqual([
    'EyelineError',
    3,
    'Correct the keys named; `eyeline check-config` checks the file without starting.',
  ]);
});
