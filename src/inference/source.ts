import { isAbsolute, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a model or picture comes from. */
export type Source =
  | { readonly kind: 'npm'; readonly package: string; readonly version: string; readonly path: string }
  | { readonly kind: 'https'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

const NPM = /^npm:((?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*)@(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)#(.+)$/;

/**
 * Reads `npm:<package>@<version>#<path>`, `https://...` or `file:...` (a path relative to `baseDir`, or absolute).
 * Throws Error with what is wrong when it is none of these; the message does not repeat the text, which may hold a
 * token.
 */
export function parseSource(text: string, baseDir: string): Source {
  if (text.startsWith('npm:')) return parseNpm(text);
  if (text.startsWith('https://')) return parseHttps(text);
  if (text.startsWith('file:')) return parseFile(text, baseDir);
  if (text.startsWith('http://')) throw new Error('must not be http: use https');
  throw new Error('must begin with npm:, https:// or file:');
}

/** The source in one line for people: nothing of it is secret but a user, a password or a query of a URL, left out. */
export function describeSource(source: Source): string {
  if (source.kind === 'npm') return `npm:${source.package}@${source.version}#${source.path}`;
  if (source.kind === 'file') return `file:${source.path}`;
  const { origin, pathname } = new URL(source.url);
  return `${origin}${pathname}`;
}

function parseNpm(text: string): Source {
  const [, name, version, path] = NPM.exec(text) ?? [];
  if (name === undefined || version === undefined || path === undefined) {
    throw new Error('must be npm:<package>@<exact version>#<path in the package>');
  }
  if (isAbsolute(path) || posix.normalize(path) !== path || path.startsWith('..')) {
    throw new Error('must name a file inside the package after #, without . or ..');
  }
  return { kind: 'npm', package: name, version, path };
}

function parseHttps(text: string): Source {
  if (!URL.canParse(text)) throw new Error('must be a URL');
  return { kind: 'https', url: text };
}

function parseFile(text: string, baseDir: string): Source {
  if (text.startsWith('file://')) {
    try {
      return { kind: 'file', path: fileURLToPath(text) };
    } catch {
      throw new Error('must be file:<path> or file:///<absolute path>');
    }
  }
  const path = text.slice('file:'.length);
  if (path === '') throw new Error('must name a file after file:');
  return { kind: 'file', path: resolve(baseDir, path) };
}
