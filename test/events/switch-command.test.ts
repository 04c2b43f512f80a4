import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSwitch } from '../../src/events/switch-command.ts';

describe('parseSwitch', () => {
  it.each([
    ['ON', true],
    ['OFF', false],
    [' ON\r\n', true],
    ['on', null],
    ['', null],
    ['ONOFF', null],
    ['{"state":"ON"}', null],
    [`ON${' '.repeat(15)}`, null],
  ])('"%s" is %s', (text, expected) => {
    expect(parseSwitch(Buffer.from(text))).toBe(expected);
  });

  it('takes any bytes without failing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => parseSwitch(bytes) !== undefined));
  });
});
