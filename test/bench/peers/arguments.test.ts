import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from '../../../bench/peers/arguments.ts';

describe('the arguments of the peers bench', () => {
  it('have defaults that need no data', () => {
    expect(readArguments([])).toMatchObject({
      people: null,
      pairs: null,
      pictures: 200,
      rounds: 5,
      seed: 1,
      peers: ['human', 'human-no-mesh', 'face-api', 'face-api-tiny'],
      json: false,
    });
  });

  it('are read', () => {
    const argv =
      '--dir d --pairs p.csv --images i --pictures 7 --rounds 3 --seed 9 --processes 1 --peers face-api --json';
    expect(readArguments(argv.split(' '))).toEqual({
      people: 'd',
      pairs: { list: 'p.csv', images: 'i' },
      pictures: 7,
      rounds: 3,
      seed: 9,
      processes: 1,
      peers: ['face-api'],
      json: true,
    });
  });

  it('may ask for help', () => {
    expect(readArguments(['--help'])).toBeNull();
  });

  it.each([
    [['--pairs', 'p.csv'], '--pairs and --images go together'],
    [['--images', 'i'], '--pairs and --images go together'],
    [['--pictures', '0'], '--pictures must be a whole number from 1, not "0"'],
    [['--rounds', '2.5'], '--rounds must be a whole number from 1, not "2.5"'],
    [['--seed', 'x'], '--seed must be a whole number from 1, not "x"'],
    [['--peers', 'human,dlib'], '--peers: "dlib" is none of human, human-no-mesh, face-api, face-api-tiny'],
    [['--fast'], "Unknown option '--fast'"],
    [['people/'], "Unexpected argument 'people/'"],
  ])('%j is refused', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(UsageError);
    expect(() => readArguments(argv)).toThrow(message);
  });
});
