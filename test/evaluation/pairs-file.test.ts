import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePairs, readPairsFile } from '../../src/evaluation/pairs-file.ts';

describe('parsePairs', () => {
  it.each([
    ['plain', 'same,a,b\n1,x/1.jpg,x/2.jpg\n0,x/1.jpg,y/1.jpg\n'],
    ['from Windows', '\uFEFFsame,a,b\r\n1,x/1.jpg,x/2.jpg\r\n\r\n0,x/1.jpg,y/1.jpg'],
    ['words and blanks', 'Same, A, B\nTRUE , x/1.jpg , x/2.jpg\nfalse,x/1.jpg,y/1.jpg'],
    ['quoted', '"same","a","b"\n"1","x/1.jpg","x/2.jpg"\n0,"x/1.jpg",y/1.jpg'],
  ])('reads a file: %s', (_, text) => {
    expect(parsePairs(text, 'pairs.csv')).toEqual([
      { same: true, a: 'x/1.jpg', b: 'x/2.jpg' },
      { same: false, a: 'x/1.jpg', b: 'y/1.jpg' },
    ]);
  });

  it('reads what a CSV writer quotes', () => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const name = fc.string({ minLength: 1 }).filter((text) => text.trim() === text && !/[\r\n]/.test(text));
    fc.assert(
      fc.property(name, name, fc.boolean(), (a, b, same) => {
        const text = `same,a,b\n${same ? 1 : 0},${quoted(a)},${quoted(b)}\n`;
        expect(parsePairs(text, 'f')).toEqual([{ same, a, b }]);
      }),
    );
  });

  it.each([
    ['', 'pairs.csv:1: the first line must be "same,a,b"'],
    ['a,b,same\n', 'pairs.csv:1: the first line must be "same,a,b"'],
    ['same,a,b\n', 'pairs.csv holds no pairs'],
    ['same,a,b\n1,x,y\n2,x,y', 'pairs.csv:3: must be 1 or 0 and two pictures, as in "same,a,b"'],
    ['same,a,b\n1,x', 'pairs.csv:2: must be 1 or 0 and two pictures, as in "same,a,b"'],
    ['same,a,b\n1,x,', 'pairs.csv:2: must be 1 or 0 and two pictures, as in "same,a,b"'],
    ['same,a,b\n1,x,y,z', 'pairs.csv:2: must be 1 or 0 and two pictures, as in "same,a,b"'],
    ['same,a,b\n1,"x,y', 'pairs.csv:2: must be 1 or 0 and two pictures, as in "same,a,b"'],
    ['same,a,b\n1,"x"y,z', 'pairs.csv:2: must be 1 or 0 and two pictures, as in "same,a,b"'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePairs(text, 'pairs.csv')).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });
});

it('names a file that cannot be read', async () => {
  await expect(readPairsFile('/nowhere/pairs.csv')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/^\/nowhere\/pairs\.csv cannot be read: ENOENT/),
  });
});
