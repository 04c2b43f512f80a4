import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { ERRORS } from '../../src/core/errors.ts';

const JETSON = new URL('../../deploy/jetson/', import.meta.url).pathname;
const INSTALL = join(JETSON, 'install.sh');
const UNIT = join(JETSON, 'eyeline.service');

const has = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const linux = process.platform === 'linux';

/** Commands that would change the machine: stand-ins that only write down that they were called. */
const CHANGING = ['apt-get', 'rsync', 'npm', 'useradd', 'usermod', 'groupadd', 'systemctl', 'chown', 'dpkg-query'];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyeline-install-'));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'root'));
  for (const command of CHANGING) await standIn(command);
});
afterEach(() => rm(folder, { recursive: true }));

async function standIn(command: string): Promise<void> {
  const path = join(folder, 'bin', command);
  await writeFile(path, `#!/bin/sh\necho "${command} $*" >>"${folder}/calls"\n`);
  await chmod(path, 0o755);
}

const root = () => join(folder, 'root');

async function install(...flags: string[]) {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('bash', [INSTALL, ...flags], { encoding: 'utf8', env });
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  return { status, stdout, stderr, calls: calls.split('\n').filter((line) => line && !line.startsWith('dpkg-query')) };
}

describe.skipIf(!linux)('install.sh (needs Linux)', () => {
  it.skipIf(!has('shellcheck'))('has nothing shellcheck would find (needs shellcheck)', () => {
    const { stdout, status } = spawnSync('shellcheck', [INSTALL], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('prints every action of a dry run and changes nothing', async () => {
    const { status, stdout, calls } = await install('--dry-run', '--root', root());
    expect(status).toBe(0);
    expect(calls).toEqual([]);
    expect(await readdir(root())).toEqual([]);
    for (const action of [
      /^\+ apt-get update$/m,
      /^\+ env DEBIAN_FRONTEND=noninteractive apt-get install .*libopencv-dev/m,
      /^\+ rsync .* \S+\/opt\/eyeline\/$/m,
      /^\+ env OPENCV4NODEJS_DISABLE_AUTOBUILD=1 .*JOBS=max .*npm --prefix \S+ ci /m,
      /^\+ env .*npm --prefix \S+ run --silent native$/m,
      /^\+ npm --prefix \S+ run --silent build$/m,
      /^\+ write \S+\/etc\/eyeline\/eyeline\.yaml \(640, root:eyeline\)$/m,
      /^\+ write \S+\/usr\/local\/bin\/eyeline \(755, root:root\)$/m,
      /^\+ write \S+\/etc\/systemd\/system\/eyeline\.service \(644, root:root\)$/m,
    ]) {
      expect(stdout).toMatch(action);
    }
  });

  it('enables the service and pulls the models on the machine itself', async () => {
    // Should the dry run ever write, then not to this machine.
    await standIn('install');
    const { stdout, calls } = await install('--dry-run');
    expect(calls).toEqual([]);
    expect(stdout).toMatch(/^\+ systemctl daemon-reload\n\+ systemctl enable eyeline.service\n\+ \S+ models pull$/m);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'installs a configuration that is accepted, and keeps it (needs root)',
    async () => {
      const first = await install('--root', root());
      expect(first.stderr).toContain('the OpenCV add-on was not built');
      await mkdir(join(root(), 'opt/eyeline/node_modules/@u4/opencv4nodejs/build/Release'), { recursive: true });
      await writeFile(join(root(), 'opt/eyeline/node_modules/@u4/opencv4nodejs/build/Release/opencv4nodejs.node'), '');
      expect(await install('--root', root())).toMatchObject({ status: 0 });

      const path = join(root(), 'etc/eyeline/eyeline.yaml');
      const { config } = parseConfig(await readFile(path, 'utf8'), { source: path, env: {} });
      const defaults = configSchema.parse({});
      expect(config).toEqual({
        ...defaults,
        models: {
          ...defaults.models,
          dir: '/var/lib/eyeline/models',
          calibration: '/var/lib/eyeline/calibration.json',
        },
        inference: { ...defaults.inference, engineCache: '/var/lib/eyeline/engines' },
        gallery: { ...defaults.gallery, file: '/var/lib/eyeline/gallery.sqlite' },
        visitors: { ...defaults.visitors, file: '/var/lib/eyeline/visitors.sqlite' },
        events: { ...defaults.events, bufferFile: '/var/lib/eyeline/events.sqlite' },
      });
      // Commands are given in any folder: what is relative would be another file than the daemon's.
      expect(JSON.stringify(config)).not.toMatch(/"data\//);
      const unit = await readFile(join(root(), 'etc/systemd/system/eyeline.service'), 'utf8');
      expect(unit).toBe(await readFile(UNIT, 'utf8'));

      await writeFile(path, 'device: {id: mine}\n');
      const again = await install('--root', root());
      expect(again.stdout).not.toContain('+ write');
      expect(again.stdout).not.toContain(' ci --no-audit');
      expect(await readFile(path, 'utf8')).toBe('device: {id: mine}\n');
    },
  );

  it.each([
    [['--nothing'], "install: unknown argument '--nothing' (try --help)"],
    [['--root', '/nowhere'], 'install: --root needs a directory'],
  ])('refuses %j', async (flags, message) => {
    const { status, stderr, calls } = await install(...flags);
    expect(status).not.toBe(0);
    expect(stderr.trim()).toBe(message);
    expect(calls).toEqual([]);
  });
});

describe('eyeline.service', () => {
  it.skipIf(!has('systemd-analyze'))('is a unit systemd accepts (needs systemd-analyze)', () => {
    const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT], { encoding: 'utf8' });
    // It also complains of other units of the machine.
    expect((stdout + stderr).split('\n').filter((line) => line.includes('eyeline'))).toEqual([]);
    expect(status).toBe(0);
  });

  it.skipIf(!has('systemd-analyze'))('exposes little (needs systemd-analyze)', () => {
    const flags = ['security', '--offline=true', '--threshold=20', '--no-pager', UNIT];
    const { stdout, status } = spawnSync('systemd-analyze', flags, { encoding: 'utf8' });
    expect(stdout).toContain('Overall exposure level');
    expect(status).toBe(0);
  });

  it('fits the daemon: notify, watchdog, exit statuses, no rule that breaks the JIT or hides devices', async () => {
    const unit = await readFile(UNIT, 'utf8');
    const lines = unit.split('\n').filter((line) => !line.startsWith('#'));
    for (const line of [
      'Type=notify',
      'Restart=on-failure',
      // What a restart does not mend.
      `RestartPreventExitStatus=${[ERRORS.USAGE.exit, ERRORS.CONFIG_INVALID.exit, ERRORS.MODEL_MISSING.exit].join(' ')}`,
      'StateDirectory=eyeline',
      'User=eyeline',
      'SupplementaryGroups=video render',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).toMatch(/^WatchdogSec=\d+$/m);
    expect(lines.join('\n')).not.toMatch(/^(MemoryDenyWriteExecute|PrivateDevices|PrivateUsers)=/m);
  });
});
