import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filmAgain } from '../../scripts/film-again.ts';
import { attemptReport } from '../../src/events/attempt.ts';
import { filmOf, framesOf } from '../rig/films.ts';
import { Gate } from '../rig/gate.ts';
import { sharedData } from '../rig/shared-data.ts';

/** One person: enrolled by a clip, before the camera in another one, and on a print, held before it, of a third. */
const [enrolled, comes, shown] = ['again', 'student', 'brother'].map((name) => sharedData(`clips/${name}.mkv`)) as [
  string | null,
  string | null,
  string | null,
];
/** Looks at the print after which it would have been named long since: a decision rests on ten at most. */
const LOOKS = 12;

describe.skipIf(!enrolled || !comes || !shown)('somebody, and a print that shows them (needs ../shared/data)', () => {
  let gate: Gate;

  const start = async (liveness: 'report' | 'require') => {
    await gate.configure(['live', 'print'], {
      recognition: { cooldownMs: 0, liveness },
      events: { attempts: true },
    });
    expect((await gate.command('enroll', 'people')).code).toBe(0);
    gate.startDaemon();
  };
  const events = (camera: string) => gate.events().filter((event) => event.camera === camera);
  const attempts = () =>
    gate.recorder.messages
      .filter(({ topic }) => topic === 'eyeline/gate/debug/attempt')
      .map(({ payload }) => attemptReport.parse(JSON.parse(payload)))
      .filter(({ camera }) => camera === 'print');
  const known = (camera: string) => events(camera).find(({ decision }) => decision === 'known');

  beforeEach(async () => {
    const folder = await Gate.folder();
    const films = (name: string) => filmOf(join(folder, name), join(folder, `${name}.mkv`));
    await framesOf(enrolled, 'fps=2', join(folder, 'people', 'ann'));
    await framesOf(comes, 'fps=10', join(folder, 'live'));
    await framesOf(shown, 'fps=10', join(folder, 'shown'));
    await mkdir(join(folder, 'print'));
    for (const name of await readdir(join(folder, 'shown'))) {
      const jpeg = await readFile(join(folder, 'shown', name));
      await writeFile(join(folder, 'print', name), await filmAgain(jpeg, 'brother', 'print'));
    }
    gate = await Gate.open(folder, { live: await films('live'), print: await films('print') });
  });

  afterEach(async ({ task }) => {
    await gate?.close(task);
  });

  it('with `report` both are named, and the event says that the print does not look live', async () => {
    await start('report');
    await gate.recorder.until(() => known('live') !== undefined && known('print') !== undefined);
    expect(known('live')).toMatchObject({ person: { name: 'ann' } });
    expect(known('print')).toMatchObject({ person: { name: 'ann' } });
    expect(known('print')?.liveness ?? 1).toBeLessThan(0.5);
  });

  it('with `require` the print is never named, however well it matches', async () => {
    await start('require');
    await gate.recorder.until(() => known('live') !== undefined && attempts().length >= LOOKS);
    // It matches: without the liveness it would be named.
    expect(attempts().filter(({ matches: [best] }) => best && best.llr > 0).length).toBeGreaterThan(LOOKS / 2);
    expect(attempts().filter(({ decision, person }) => decision === 'known' || person !== null)).toEqual([]);
    expect(events('print').filter(({ person }) => person !== null)).toEqual([]);
  });
});
