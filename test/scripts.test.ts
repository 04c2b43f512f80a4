import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const checked = spawnSync('shellcheck', ['--version']).status === 0;

describe('the shell scripts', () => {
  it.skipIf(!checked)('have nothing shellcheck would find (needs shellcheck)', () => {
    const scripts = ['scripts/setup.sh', '.ci/run', 'deploy/jetson/install.sh', 'native/opencv-view.sh'];
    const found = spawnSync('shellcheck', scripts, { cwd: root });
    expect(found.stdout.toString()).toBe('');
    expect(found.status).toBe(0);
  });

  it('refuse an argument they do not know', () => {
    const { status, stderr } = spawnSync('bash', ['scripts/setup.sh', '--fast'], { cwd: root });
    expect(stderr.toString()).toContain("unknown argument '--fast'");
    expect(status).toBe(2);
  });
});

it('no file of the repository names a package registry', () => {
  // Spelt in two parts, or this file would be found.
  const pattern = ['registry', '\\.(npmjs|yarnpkg)'].join('');
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const { stdout } = spawnSync('grep', ['-lE', pattern, ...files], { cwd: root, encoding: 'utf8' });
  expect(stdout).toBe('');
});
