import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityEvent } from '../../src/events/identity-event.ts';
import { filmOf, framesOf } from '../rig/films.ts';
import { eventIn, Gate } from '../rig/gate.ts';
import type { Recorded } from '../rig/mqtt-recorder.ts';
import { runProgram } from '../rig/program.ts';
import { sharedData } from '../rig/shared-data.ts';

/** Two people who are enrolled, by another clip than the one they come in with a mask, and one who is not. */
const PEOPLE = {
  ann: { enrolled: sharedData('clips/again.mkv'), comes: sharedData('clips/student.mkv') },
  ben: { enrolled: sharedData('clips/bird.mkv'), comes: sharedData('clips/milk.mkv') },
  stranger: { enrolled: null, comes: sharedData('clips/learn.mkv') },
} as const;
const NAMES = Object.keys(PEOPLE) as (keyof typeof PEOPLE)[];
const complete = NAMES.every((name) => PEOPLE[name].comes) && PEOPLE.ann.enrolled && PEOPLE.ben.enrolled;

describe.skipIf(!complete)('three people who wear masks (needs ../shared/data)', () => {
  let gate: Gate;

  beforeEach(async () => {
    const folder = await Gate.folder();
    for (const name of NAMES) {
      const { enrolled, comes } = PEOPLE[name];
      await framesOf(comes, 'fps=10', join(folder, 'bare', name));
      if (enrolled) await framesOf(enrolled, 'fps=2', join(folder, 'people', name));
    }
    const masked = ['dataset', 'mask', 'bare', 'masked', '--type', 'surgical', '--fit', 'normal', '--colour', 'blue'];
    expect((await runProgram(masked, { cwd: folder })).code).toBe(0);
    const streams: Record<string, string> = {};
    for (const name of NAMES) streams[name] = await filmOf(join(folder, 'masked', name), join(folder, `${name}.mkv`));
    gate = await Gate.open(folder, streams);
    // Faces in these clips are 57 to 62 pixels wide.
    await gate.configure(NAMES, { recognition: { cooldownMs: 0 }, enrolment: { minFacePx: 50 } });
  });

  afterEach(async ({ task }) => {
    await gate?.close(task);
  });

  it('are known by the upper part of their faces when enrolled, and never taken for one another', async () => {
    expect((await gate.command('enroll', 'people')).code).toBe(0);
    gate.startDaemon();

    for (const name of ['ann', 'ben'] as const) {
      const heard = await gate.recorder.until(of(name, (event) => event.decision === 'known'));
      expect(eventIn(heard)).toMatchObject({ person: { name }, mask: 'worn' });
    }
    // The stranger was looked at until a decision was due, or left without one.
    await gate.recorder.until(of('stranger', ({ decision, type }) => decision === 'unknown' || type === 'exit'));

    const events = gate.events();
    for (const { camera, person } of events) {
      if (person) expect(person.name).toBe(camera);
    }
    expect(events.filter(({ camera, person }) => camera === 'stranger' && person)).toEqual([]);
  });
});

const of = (camera: string, holds: (event: IdentityEvent) => boolean) => (message: Recorded) => {
  const event = eventIn(message);
  return event?.camera === camera && holds(event);
};
