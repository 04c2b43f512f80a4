import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normaliseName, slugOf } from '../../src/gallery/person-name.ts';

it.each([
  ['Anna Berg', 'anna-berg'],
  ['  José Ñuñez ', 'jose-nunez'],
  ['Łukasz Groß', 'lukasz-gross'],
  ["Seán O'Neill Jr.", 'sean-oneill-jr'],
  ['Ærø & Co', 'aero-co'],
  ['Nguyễn Thị Đào', 'nguyen-thi-dao'],
  ['../../etc/passwd', 'etc-passwd'],
  ['a#+/b', 'a-b'],
  ['李 Wei', 'wei'],
  ['李小龍', null],
  ['Анна', null],
  ['🙂', null],
])('the slug of %j is %j', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

it('a slug is always safe in topics and file names', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const slug = slugOf(name);
      if (slug !== null) expect(slug).toMatch(/^(?=.{1,48}$)[a-z0-9]+(-[a-z0-9]+)*$/);
    }),
  );
});

it('names are one however their letters are composed and spaced', () => {
  expect(normaliseName('  José \t Berg\n')).toBe('José Berg');
  expect(normaliseName('Jose\u0301')).toBe('Jos\u00e9');
});

it.each([
  ['empty', '   '],
  ['a control character', 'a\u0000b'],
  ['too long', 'x'.repeat(201)],
])('refuses a name that is %s', (_, name) => {
  expect(normaliseName(name)).toBeNull();
});
