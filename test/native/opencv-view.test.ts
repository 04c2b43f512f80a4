import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const VIEW = join(ROOT, 'native/opencv-view.sh');
const ADDON = join(ROOT, 'node_modules/@u4/opencv4nodejs/build/Release/opencv4nodejs.node');
const MODULES = ['core', 'imgcodecs', 'imgproc', 'videoio'];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-view-'));
  await mkdir(join(folder, 'headers/opencv2'), { recursive: true });
  await mkdir(join(folder, 'libraries'));
  await writeFile(join(folder, 'headers/opencv2/core.hpp'), '');
});
afterEach(() => rm(folder, { recursive: true }));

const view = () => join(folder, 'view');

/** A system with these modules of OpenCV. */
async function install(modules: readonly string[]): Promise<void> {
  for (const module of modules) {
    for (const end of ['so', 'so.406']) await writeFile(join(folder, `libraries/libopencv_${module}.${end}`), '');
  }
}

function run(...flags: string[]) {
  const [OPENCV_INCLUDE_DIR, OPENCV_LIB_DIR] = [join(folder, 'headers'), join(folder, 'libraries')];
  const env = { ...process.env, OPENCV_INCLUDE_DIR, OPENCV_LIB_DIR };
  const { status, stdout, stderr } = spawnSync('bash', [VIEW, ...flags, view()], { encoding: 'utf8', env });
  return { status, lines: stdout.split('\n').filter(Boolean), stderr };
}

describe('opencv-view.sh', () => {
  it('shows the modules we use and no other', async () => {
    await install([...MODULES, 'highgui', 'dnn']);
    const { status, lines, stderr } = run();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines).toEqual([`OPENCV_INCLUDE_DIR=${view()}/include`, `OPENCV_LIB_DIR=${view()}/lib`]);
    const files = MODULES.flatMap((module) => [`libopencv_${module}.so`, `libopencv_${module}.so.406`]);
    expect((await readdir(join(view(), 'lib'))).sort()).toEqual(files);
    expect(await readlink(join(view(), 'lib/libopencv_core.so'))).toBe(join(folder, 'libraries/libopencv_core.so'));
    // The add-on looks for headers in the folder itself, then in its opencv4.
    expect(await readlink(join(view(), 'include/opencv4'))).toBe(join(folder, 'headers'));
    expect(existsSync(join(view(), 'include/opencv2/highgui.hpp'))).toBe(true);
  });

  it('follows an OpenCV that changed', async () => {
    await install(MODULES);
    await mkdir(join(view(), 'lib'), { recursive: true });
    await writeFile(join(view(), 'lib/libopencv_core.so.405'), '');
    expect(run().status).toBe(0);
    expect(await readdir(join(view(), 'lib'))).not.toContain('libopencv_core.so.405');
  });

  it('makes nothing and says why when a module is missing', async () => {
    await install(['core', 'imgproc', 'imgcodecs', 'world']);
    const { status, lines, stderr } = run();
    expect({ status, lines }).toEqual({ status: 0, lines: [] });
    expect(stderr).toContain(`no libopencv_videoio.so in ${folder}/libraries`);
    expect(stderr).toContain('compiling against all modules of OpenCV');
    expect(existsSync(view())).toBe(false);
  });

  it('only says what it would do in a dry run', async () => {
    await install(MODULES);
    expect(run('--dry-run').lines).toEqual([`OPENCV_INCLUDE_DIR=${view()}/include`, `OPENCV_LIB_DIR=${view()}/lib`]);
    expect(existsSync(view())).toBe(false);
  });
});

it.skipIf(!existsSync(join(ROOT, '.cache/opencv')))(
  'the add-on is linked against these modules alone (needs .cache/opencv)',
  () => {
    const dynamic = execFileSync('readelf', ['-d', ADDON], { encoding: 'utf8' });
    const linked = Array.from(dynamic.matchAll(/\(NEEDED\).*\[libopencv_(\w+)\.so/g), ([, module]) => module);
    expect(linked.sort()).toEqual(MODULES);
  },
);
