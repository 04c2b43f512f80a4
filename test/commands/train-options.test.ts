import { expect, it } from 'vitest';
import { commandOf } from '../../src/commands/train/train-options.ts';

it.each([
  ['mask-state', { data: ['people'] }, 'eyeline train mask-state --data people'],
  [
    'my recipe.yaml',
    { data: ['a b', "o'neill"], worn: ['$HOME'], resume: true },
    `eyeline train 'my recipe.yaml' --data 'a b' 'o'\\''neill' --worn '$HOME'`,
  ],
  [
    'all',
    {
      data: ['people'],
      out: 'runs/one',
      cores: 2,
      nice: 0,
      maxMinutes: 1.5,
      fold: 0,
      landmarks: 'l.onnx',
      config: 'e.yaml',
      install: true,
      json: true,
    },
    'eyeline train all --data people --out runs/one --cores 2 --nice 0 --max-minutes 1.5 --fold 0 --landmarks l.onnx --config e.yaml --install --json',
  ],
] as const)('the command for %s', (recipe, options, command) => {
  expect(commandOf(recipe, options)).toBe(command);
});
