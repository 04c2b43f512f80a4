import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The parts of native/, written in C: what JavaScript has no way to do. All can be done without. */
export type NativePart = 'one_decoder_thread' | 'release_pages';

/** File of a part; undefined when it was not compiled. The place is the same seen from src/ and from dist/. */
export function nativePart(part: NativePart): string | undefined {
  const path = fileURLToPath(new URL(`../../native/build/Release/${part}.node`, import.meta.url));
  return existsSync(path) ? path : undefined;
}

/**
 * Gives back memory this process holds but does not use: pages of program files it only looked at while they were
 * loaded (they come back from the page cache should they be needed), and free memory between allocations. Blocks the
 * thread for some 35 ms. Gives the bytes of address space that were dropped, resident or not.
 */
export type ReleasePages = () => number;

/** The function, undefined where it was not compiled or cannot be loaded. */
export function loadReleasePages(): ReleasePages | undefined {
  const path = nativePart('release_pages');
  if (!path) return undefined;
  try {
    const addon: { readonly releasePages: ReleasePages } = createRequire(import.meta.url)(path);
    return addon.releasePages;
  } catch {
    return undefined;
  }
}
