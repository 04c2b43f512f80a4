import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url).pathname;

/** Each library with the only files that may import it. A library that is not here is one nobody agreed on. */
const LIBRARIES: Readonly<Record<string, RegExp>> = {
  '@u4/opencv4nodejs': /^src\/capture\/opencv[^/]*\.ts$/,
  'onnxruntime-node': /^src\/inference\/onnxruntime-model\.ts$/,
  mqtt: /^src\/events\/mqtt[^/]*\.ts$/,
  aedes: /^src\/commands\/demo\//,
  libsql: /^src\/(gallery\/[^/]*store|events\/sqlite-event-spool)[^/]*\.ts$/,
  pg: /^src\/gallery\/master\/postgres[^/]*\.ts$/,
  '@aws-sdk/client-s3': /^src\/gallery\/master\/s3[^/]*\.ts$/,
  undici: /^src\/gallery\/sync\/undici[^/]*\.ts$/,
  usearch: /^src\/gallery\/search\/usearch[^/]*\.ts$/,
  'sd-notify': /^src\/platform\/systemd\.ts$/,
  pino: /^src\/platform\/logger\.ts$/,
  'prom-client': /^src\/platform\/metrics\.ts$/,
  pacote: /^src\/inference\//,
  tar: /^src\/inference\//,
  '@npmcli/config': /^src\/inference\//,
  ssri: /^src\/inference\//,
  uplot: /^src\/commands\/chart-library\.ts$/,
  protobufjs: /^src\/inference\//,
  flatbuffers: /^src\/inference\/convert\//,
  'cli-progress': /^src\/commands\//,
  commander: /^src\/(main\.ts|commands\/)/,
  yaml: /^src\/config\//,
  zod: /^src\/(config\/|inference\/(?:manifest|convert)|events\/|gallery\/(?:portable|bundle\/|master\/|sync\/)|commands\/train\/people-of-model)/,
};

/** Describe data and touch nothing: a file that imports one of these is no adapter. */
const PURE = new Set(['zod', 'yaml', 'commander', 'protobufjs', 'flatbuffers']);

/** OpenCV and ONNX Runtime take options from the environment alone, so their adapters must set them there. */
const MAY_USE_ENVIRONMENT = /^src\/(main\.ts$|capture\/opencv|inference\/onnxruntime-model\.ts$)/;

const MAY_WIRE = /^src\/(main\.ts$|app\.ts$|wiring\/|commands\/|pictures\/picture-worker\.ts$)/;

interface Import {
  readonly from: string;
  /** Gone when compiled: binds nothing to the library or room. */
  readonly typeOnly: boolean;
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const declared = code.matchAll(/^\s*(import|export)\b(\s+type\b)?([^'"`;()]*?\bfrom\s*)?\s*['"]([^'"]+)['"]/gm);
  const called = code.matchAll(/\b(?:import|require|require\.resolve)\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [
    ...Array.from(declared, ([, , type, , from = '']) => ({ from, typeOnly: type !== undefined })),
    ...Array.from(called, ([, from = '']) => ({ from, typeOnly: false })),
  ];
}

function libraryOf(from: string): string | null {
  if (from.startsWith('.') || from.startsWith('node:')) return null;
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** One line for each place that breaks a rule of design.md's section on rooms (docs/architecture.md). */
function violations(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map(
    Array.from(files, ([path, source]) => [
      path,
      importsOf(source).map((it) => ({
        ...it,
        library: libraryOf(it.from),
        file: it.from.startsWith('.') ? posix.join(posix.dirname(path), it.from) : null,
      })),
    ]),
  );
  const adapters = new Set(
    Array.from(imports).flatMap(([path, found]) =>
      found.some(({ library }) => library !== null && !PURE.has(library)) ? [path] : [],
    ),
  );
  const reaches = (path: string, seen: Set<string>): string[] => {
    if (seen.has(path)) return [];
    seen.add(path);
    if (adapters.has(path)) return [path];
    const next = (imports.get(path) ?? []).flatMap(({ file, typeOnly }) => (file && !typeOnly ? [file] : []));
    return next.flatMap((file) => reaches(file, seen));
  };

  return Array.from(files).flatMap(([path, source]) => {
    const broken: string[] = [];
    const room = roomOf(path);
    const code = withoutComments(source);
    for (const { library, file, typeOnly, from } of imports.get(path) ?? []) {
      if (library !== null) {
        const allowed = LIBRARIES[library];
        if (!allowed) broken.push(`imports ${library}, which no rule allows`);
        else if (!allowed.test(path)) broken.push(`imports ${library}, which only ${allowed.source} may`);
        if (room === 'core' || room === 'pipeline') broken.push(`imports ${library}, but ${room} imports no library`);
      }
      if (file === null) continue;
      if (room === 'core' && roomOf(file) !== 'core') broken.push(`imports ${from}, but core imports nothing of ours`);
      if (!MAY_WIRE.test(path) && MAY_WIRE.test(file))
        broken.push(`imports ${from}, but rooms do not know who wires them`);
      if (!MAY_WIRE.test(path) && !typeOnly && adapters.has(file) && roomOf(file) !== room) {
        broken.push(`imports the adapter ${from} of another room, which only app.ts, wiring and commands may`);
      }
    }
    if (room === 'pipeline') {
      for (const adapter of reaches(path, new Set())) broken.push(`reaches the adapter ${adapter}`);
    }
    if (path !== 'src/main.ts' && /\bprocess\s*\.\s*exit\b/.test(code)) broken.push('calls process.exit');
    if (!MAY_USE_ENVIRONMENT.test(path) && /\bprocess\s*\.\s*env\b/.test(code)) broken.push('uses process.env');
    if (/^\s*export\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from)/m.test(code))
      broken.push('exports what another file defines');
    if (/(^|\/)(index|utils?|helpers?)\.ts$/.test(path)) broken.push('is named for nothing that it does');
    return broken.map((line) => `${path}: ${line}`);
  });
}

async function sources(): Promise<Map<string, string>> {
  const names = await readdir(join(ROOT, 'src'), { recursive: true });
  const paths = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name.replaceAll('\\', '/')}`);
  return new Map(
    await Promise.all(paths.sort().map(async (path) => [path, await readFile(join(ROOT, path), 'utf8')] as const)),
  );
}

describe('the sources', () => {
  let files = new Map<string, string>();
  beforeAll(async () => {
    files = await sources();
  });

  it('keep the rules of the rooms', () => {
    expect(files.size).toBeGreaterThan(20);
    expect(violations(files)).toEqual([]);
  });

  it('use only libraries that package.json names', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    for (const library of Object.keys(LIBRARIES)) expect(manifest.dependencies).toHaveProperty(library);
  });
});

describe('the scanner', () => {
  const found = (...files: [path: string, source: string][]) => violations(new Map(files));

  it.each([
    ["import 'pino';", [{ from: 'pino', typeOnly: false }]],
    ["import a, { type b } from 'c';", [{ from: 'c', typeOnly: false }]],
    ["import type { A } from './a.ts';", [{ from: './a.ts', typeOnly: true }]],
    [
      'import {\n  a,\n  b,\n} from \'./a.ts\';\nimport * as c from "d";',
      [
        { from: './a.ts', typeOnly: false },
        { from: 'd', typeOnly: false },
      ],
    ],
    ["export { a } from './a.ts';", [{ from: './a.ts', typeOnly: false }]],
    ["const a = await import('b');", [{ from: 'b', typeOnly: false }]],
    ["const a = require('b');", [{ from: 'b', typeOnly: false }]],
    ["// import 'a';\n/* import 'b'; */\nconst c = \"import 'd'\";", []],
  ])('reads %j', (source, imports) => {
    expect(importsOf(source)).toEqual(imports);
  });

  it.each<[string, [path: string, source: string][], string]>([
    [
      'a library outside its adapter',
      [['src/faces/a.ts', "import ort from 'onnxruntime-node';"]],
      'src/faces/a.ts: imports onnxruntime-node, which only ^src\\/inference\\/onnxruntime-model\\.ts$ may',
    ],
    [
      'a library loaded on the way',
      [['src/platform/a.ts', "await import('sd-notify');"]],
      'src/platform/a.ts: imports sd-notify, which only ^src\\/platform\\/systemd\\.ts$ may',
    ],
    [
      'a part of a scoped library',
      [['src/faces/a.ts', "import x from '@u4/opencv4nodejs/lib/x.js';"]],
      'src/faces/a.ts: imports @u4/opencv4nodejs, which only ^src\\/capture\\/opencv[^/]*\\.ts$ may',
    ],
    [
      'a library nobody agreed on',
      [['src/faces/a.ts', "import _ from 'lodash';"]],
      'src/faces/a.ts: imports lodash, which no rule allows',
    ],
    [
      'core that knows a room',
      [['src/core/a.ts', "import type { B } from '../faces/b.ts';"]],
      'src/core/a.ts: imports ../faces/b.ts, but core imports nothing of ours',
    ],
    [
      'a room that knows who wires it',
      [['src/events/a.ts', "import { run } from '../app.ts';"]],
      'src/events/a.ts: imports ../app.ts, but rooms do not know who wires them',
    ],
    [
      'a room that knows a command',
      [['src/events/a.ts', "import { x } from '../commands/run.ts';"]],
      'src/events/a.ts: imports ../commands/run.ts, but rooms do not know who wires them',
    ],
    [
      'an adapter built by another room',
      [
        ['src/gallery/a-store.ts', "import x from 'libsql';"],
        ['src/faces/b.ts', "import { A } from '../gallery/a-store.ts';"],
      ],
      'src/faces/b.ts: imports the adapter ../gallery/a-store.ts of another room, which only app.ts, wiring and commands may',
    ],
    [
      'a pipeline that reaches an adapter by a detour',
      [
        ['src/gallery/a-store.ts', "import x from 'libsql';"],
        ['src/gallery/b.ts', "import { A } from './a-store.ts';"],
        ['src/pipeline/c.ts', "import { B } from '../gallery/b.ts';"],
      ],
      'src/pipeline/c.ts: reaches the adapter src/gallery/a-store.ts',
    ],
    ['an exit', [['src/commands/a.ts', 'process.exit(1);']], 'src/commands/a.ts: calls process.exit'],
    ['an environment', [['src/commands/a.ts', 'const { A } = process.env;']], 'src/commands/a.ts: uses process.env'],
    ['a barrel', [['src/faces/a.ts', "export * from './b.ts';"]], 'src/faces/a.ts: exports what another file defines'],
    [
      'a barrel by names',
      [['src/faces/a.ts', "export { b } from './b.ts';"]],
      'src/faces/a.ts: exports what another file defines',
    ],
    ['a drawer', [['src/faces/utils.ts', '']], 'src/faces/utils.ts: is named for nothing that it does'],
  ])('finds %s', (_, files, line) => {
    expect(found(...files)).toEqual([line]);
  });

  it('refuses pipeline any library, also one that is pure', () => {
    expect(found(['src/pipeline/a.ts', "import { z } from 'zod';"])).toContain(
      'src/pipeline/a.ts: imports zod, but pipeline imports no library',
    );
  });

  it('lets pass what is allowed', () => {
    expect(
      found(
        [
          'src/gallery/a-store.ts',
          "import x from 'libsql';\nimport { C } from '../core/c.ts';\nexport { D };\nexport const D = 1;",
        ],
        ['src/core/c.ts', "import { readFile } from 'node:fs/promises';\nexport const C = 1;\n// process.exit"],
        ['src/app.ts', "import { A } from './gallery/a-store.ts';"],
        ['src/pipeline/p.ts', "import type { A } from '../gallery/a-store.ts';\nimport { C } from '../core/c.ts';"],
        ['src/main.ts', "import { run } from './commands/run.ts';\nprocess.exit(process.env.X);"],
      ),
    ).toEqual([]);
  });
});
