import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadSuite, SHIPPED_SUITE } from '../../src/config/evaluation-suite.ts';

function file(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'eyeline-suite-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'suite.yaml'), text);
  return join(dir, 'suite.yaml');
}

it('reads the suite that comes with the product: every baseline on every shared set', async () => {
  const { pairs, people, methods } = await loadSuite(SHIPPED_SUITE);
  expect(pairs.flatMap(({ name, mask }) => mask.map((who) => `${name} ${who}`))).toEqual([
    'LFW none',
    'LFW probe',
    'LFW both',
  ]);
  expect(people.map(({ dir, probe }) => [dir, ...probe])).toEqual([
    ['m2fred-dev', 'masked', 'plain'],
    ['rmfrd-dev', 'masked', 'plain'],
  ]);
  expect(new Set(methods.map(({ encoder }) => encoder))).toEqual(
    new Set(['auto', 'upper', 'block50', 'mobilefacenet-512-upper']),
  );
  expect(methods.filter(({ encoder }) => encoder === 'auto').map(({ upperEncoder }) => upperEncoder)).toEqual([
    null,
    'mobilefacenet-512-upper',
  ]);
  expect(new Set(methods.map(({ classifier }) => classifier))).toEqual(
    new Set(['nearest', 'softmax', 'svm', 'hariri']),
  );
  expect(new Set(methods.map(({ name }) => name)).size).toBe(methods.length);
});

it.each([
  ['{}', 'methods: '],
  ['methods: []', 'methods: '],
  ['methods: [{name: a, encoder: full, classifier: magic}]', 'methods[0].classifier: '],
  ['methods: [{name: a, encoder: full}]\npairs: [{name: x, images: y}]', 'pairs[0].pairs: '],
  ['methods: [{name: a, encoder: full}]\npeople: [{name: x, dir: y, probe: []}]', 'people[0].probe: '],
  ['methods: [{name: a, encoder: full}]\nextra: 1', '(root): '],
])('names what is wrong in %j', async (text, problem) => {
  const path = file(text);
  await expect(loadSuite(path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`${path}:\n  ${problem}`),
  });
});

it('says what is no YAML, and what is not there', async () => {
  await expect(loadSuite(file('methods: [a'))).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  await expect(loadSuite('/nowhere/suite.yaml')).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
});
