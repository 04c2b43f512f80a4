import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { nativePart } from '../../src/platform/native-parts.ts';

const oneThread = nativePart('one_decoder_thread');
const releasePages = nativePart('release_pages');

/** getconf(1) asks sysconf(3), as OpenCV does. */
function getconf(name: string, preloaded?: string): number {
  return Number(execFileSync('getconf', [name], { env: { ...process.env, LD_PRELOAD: preloaded } }));
}

describe.skipIf(!oneThread)('one-decoder-thread (needs the add-on compiled)', () => {
  it('tells of one processor, whatever the machine has', () => {
    expect(getconf('_NPROCESSORS_ONLN', oneThread)).toBe(1);
    expect(getconf('_NPROCESSORS_CONF', oneThread)).toBe(1);
  });

  it('leaves all other answers as they are', () => {
    for (const name of ['PAGESIZE', 'OPEN_MAX', '_PHYS_PAGES']) expect(getconf(name, oneThread)).toBe(getconf(name));
  });
});

describe.skipIf(!releasePages)('releasePages (needs the add-on compiled)', () => {
  /** In a process of its own: what is dropped here would slow down other tests. */
  function inProcess<T>(code: string): T {
    const script = `
      const { readFileSync } = require('node:fs');
      const { createHash } = require('node:crypto');
      const { releasePages } = require(${JSON.stringify(releasePages)});
      const resident = (kind) => Number(new RegExp(kind + ':\\\\s+(\\\\d+) kB').exec(readFileSync('/proc/self/status', 'utf8'))[1]);
      ${code}`;
    return JSON.parse(
      execFileSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8', timeout: 30_000 }),
    );
  }

  it('drops pages of program files that nobody uses', () => {
    const { before, dropped, after } = inProcess<{ before: number; dropped: number; after: number }>(`
      const before = resident('RssFile');
      const dropped = releasePages();
      console.log(JSON.stringify({ before, dropped, after: resident('RssFile') }));`);
    // Node's own code is 95 MB, of which starting looks at a third.
    expect(dropped).toBeGreaterThan(20e6);
    expect(after).toBeLessThan(before * 0.7);
  });

  it('changes nothing in what the process does', () => {
    const { hashes } = inProcess<{ hashes: string[] }>(`
      const work = () => {
        const text = JSON.stringify(Array.from({ length: 1000 }, (_, i) => [Math.sin(i), String(i).padStart(9), new Date(i).toISOString()]));
        return createHash('sha256').update(require('node:zlib').deflateSync(text)).digest('hex');
      };
      const hashes = [];
      for (let round = 0; round < 4; round++) { hashes.push(work()); releasePages(); }
      console.log(JSON.stringify({ hashes }));`);
    expect(hashes).toHaveLength(4);
    expect(new Set(hashes).size).toBe(1);
  });

  it('gives back free memory between allocations', () => {
    // 70 of 80 MB are given up; of half of that the test is content, whatever else was allocated in between.
    const { given } = inProcess<{ given: number }>(`
      // Blocks too small to be mapped one by one, every eighth kept: what lies between them does not go by itself.
      let blocks = Array.from({ length: 800 }, () => Buffer.allocUnsafeSlow(100_000).fill(1));
      const kept = blocks.filter((_, index) => index % 8 === 0);
      const held = resident('RssAnon');
      blocks = null;
      const look = () => {
        // Frees the blocks sooner or later, in a thread of its own.
        gc();
        releasePages();
        const given = held - resident('RssAnon');
        if (given > 35_000) console.log(JSON.stringify({ given, kept: kept.length }));
        else setImmediate(look);
      };
      look();`);
    expect(given).toBeGreaterThan(35_000);
  });
});
