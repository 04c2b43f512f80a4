import { expect, it } from 'vitest';
import type { MaskState } from '../../src/core/person.ts';
import { FaceShelf } from '../../src/evaluation/face-shelf.ts';
import type { FaceSource, ReadPicture } from '../../src/evaluation/face-source.ts';
import { maskConfusion } from '../../src/evaluation/mask-confusion.ts';
import { NO_LANDMARKS } from './made-faces.ts';

/** Tells of a picture the state its name begins with; of one with a drawn mask that the mask is worn, whatever was drawn. */
const source: FaceSource = {
  async *read(files, { mask }) {
    for (const file of files) {
      const [name = ''] = file.split('-');
      if (name === 'lost') yield { file, face: null, reason: 'no face', message: 'no face' };
      else if (name === 'text') yield { file, face: null, reason: 'unreadable', message: 'no picture' };
      else yield told(file, mask ? 'worn' : (name as MaskState));
    }
  },
};

function told(file: string, state: MaskState): ReadPicture {
  const face = {
    crops: {},
    landmarks: NO_LANDMARKS,
    box: { x: 0, y: 0, width: 1, height: 1 },
    score: 1,
    quality: { size: 1, sharpness: 1, exposure: 1, pose: 1, completeness: 1, score: 1 },
    mask: { state, confidence: 0.8 },
  };
  return { file, face, reason: null };
}

const READ = { choose: 'largest', pad: 0, cropPx: 112, alignedBy: [] } as const;
const shelf = () => new FaceShelf(source, () => 0);

it('counts what is told of plain and masked pictures, and of masks drawn on the plain ones', async () => {
  const people = [
    {
      person: 'a',
      plain: ['none-1', 'none-2', 'worn-3', 'lost-4', 'text-5'],
      masked: ['worn-6', 'incorrect-7', 'none-8'],
    },
  ];
  const { figures, mistakes } = await maskConfusion(shelf(), { people, simulate: null, read: READ });
  expect(figures).toMatchObject({
    confusion: {
      none: { none: 2, worn: 1, incorrect: 0 },
      worn: { none: 1, worn: 1, incorrect: 1 },
      incorrect: { none: 0, worn: 0, incorrect: 0 },
    },
    faces: 6,
    noneAgainstMask: 4 / 6,
    accuracy: 3 / 6,
    notFound: 1,
    skipped: 1,
  });
  expect(figures.balanced).toBeCloseTo((2 / 3 + 1 / 3) / 2, 9);
  expect(mistakes.map(({ file, truth, told }) => [file, truth, told])).toEqual([
    ['worn-3', 'none', 'worn'],
    ['incorrect-7', 'worn', 'incorrect'],
    ['none-8', 'worn', 'none'],
  ]);

  const drawn = await maskConfusion(shelf(), { people, simulate: { seed: 1 }, read: READ });
  expect(drawn.figures.confusion.worn).toEqual({ none: 1, worn: 4, incorrect: 1 });
  expect(drawn.figures.confusion.incorrect).toEqual({ none: 0, worn: 3, incorrect: 0 });
});

it('has nothing to say without faces', async () => {
  const people = [{ person: 'a', plain: ['lost-1'], masked: [] }];
  await expect(maskConfusion(shelf(), { people, simulate: null, read: READ })).rejects.toMatchObject({
    code: 'NOTHING_TO_EVALUATE',
  });
});
