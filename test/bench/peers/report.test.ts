import { expect, describe as group, it } from 'vitest';
import { describe, type Report, speedsOf, spreadOf } from '../../../bench/peers/report.ts';

const rounds = (...wallMs: number[]) => wallMs.map((ms) => ({ wallMs: ms, faces: 11, cpuMs: ms * 2, memoryMb: 100 }));

group('spreadOf', () => {
  it.each([
    [[3], { median: 3, min: 3, max: 3 }],
    [[5, 1, 3], { median: 3, min: 1, max: 5 }],
    [[10, 2, 4, 9], { median: 6.5, min: 2, max: 10 }],
  ])('of %j', (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });

  it('is refused of nothing', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

group('speedsOf', () => {
  const speeds = speedsOf(
    [
      { system: 'eyeline', processes: 1, rounds: rounds(100, 200, 100) },
      { system: 'eyeline', processes: 2, rounds: rounds(50, 50, 50) },
      { system: 'human', processes: 1, rounds: rounds(1000, 2400, 900) },
      { system: 'human', processes: 2, rounds: rounds(600, 500, 400) },
    ],
    10,
  );

  it('gives pictures a second and milliseconds a picture', () => {
    expect(speeds[0]).toMatchObject({
      picturesPerSecond: { median: 100, min: 50, max: 100 },
      msPerPicture: 10,
      cpuMsPerPicture: 20,
      faces: 11,
      memoryMb: 100,
    });
  });

  it('compares the rounds of systems that are run the same way', () => {
    expect(speeds.map(({ eyelineTimes }) => eyelineTimes)).toEqual([
      null,
      null,
      { median: 10, min: 9, max: 12 },
      { median: 10, min: 8, max: 12 },
    ]);
  });
});

group('the report', () => {
  const traits = { name: 'name 1.0', runsOn: 'runtime', settings: 'settings' };
  const report: Report = {
    machine: { cpu: 'CPU', cores: 2, node: '20.0.0', load: [0.25, 2] },
    pictures: { what: 'faces/', seed: 1, timed: 10, lookedAt: 12, rounds: 3 },
    systems: [
      {
        system: 'eyeline',
        ...traits,
        withFace: 12,
        accuracy: { measure: 'cosine', verification: 0.98765, rank1: null, auc: 0.99876, pairs: 20 },
      },
      { system: 'human', ...traits, withFace: 9, accuracy: null },
    ],
    speed: speedsOf(
      [
        { system: 'eyeline', processes: 1, rounds: rounds(100, 100, 200) },
        { system: 'human', processes: 1, rounds: rounds(1000, 1250, 1250) },
      ],
      10,
    ),
  };

  it('lines up its columns', () => {
    const lines = describe(report).split('\n');
    expect(lines[0]).toBe('2 cores of CPU, Node.js 20.0.0, load 0.3 before, 2.0 after');
    const first = lines.findIndex((line) => line.includes('pictures/s'));
    expect(lines.slice(first, first + 3)).toEqual([
      '         processes  pictures/s     min-max     ms  CPU ms  faces   MB  Eyeline is   min-max',
      'eyeline          1       100.0  50.0-100.0   10.0    20.0     11  100',
      'human            1         8.0    8.0-10.0  125.0   250.0     11  100      10.0 x  6.3-12.5',
    ]);
  });

  it('shows what is right and leaves out what is not known', () => {
    const lines = describe(report).split('\n');
    expect(lines.find((line) => /^eyeline +12 of/.test(line))).toMatch(/12 of 12 +98\.77 % +- +0\.9988 +cosine$/);
    expect(lines.find((line) => /^human +9 of/.test(line))).toMatch(/9 of 12 +- +- +- +-$/);
  });

  it('survives JSON', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});
