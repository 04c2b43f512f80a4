import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { isMissing, writeFileAtomic } from '../../inference/files.ts';
import { type ModelEntry, TRAINED_FOLDER } from '../../inference/manifest.ts';
import { joinPeople, type TrainedPeople } from '../../training/data/trained-people.ts';

/** Beside a model that was installed, named as it is: whom it was trained on. It holds names of people and is for this machine alone. */
const ENDING = '.people.json';

const peopleFile = z.strictObject({
  /** SHA-256 of the model. */
  model: z.string(),
  fold: z.int().min(0),
  trainedOn: z.array(z.string()),
  heldOut: z.array(z.string()),
});

/** What an installed model's files are named by. */
export function nameOfInstalled(id: string, sha256: string): string {
  return `${id}.${sha256.slice(0, 12)}`;
}

/** Throws what the file system does. */
export async function writePeople(modelsDir: string, { id, sha256 }: Model, people: TrainedPeople): Promise<void> {
  const file = join(modelsDir, TRAINED_FOLDER, `${nameOfInstalled(id, sha256)}${ENDING}`);
  const content: z.input<typeof peopleFile> = {
    model: sha256,
    fold: people.fold,
    trainedOn: [...people.trainedOn],
    heldOut: [...people.heldOut],
  };
  await writeFileAtomic(file, `${JSON.stringify(content, null, 1)}\n`);
}

type Model = Pick<ModelEntry, 'id' | 'sha256'>;

/**
 * Whom a model was trained on, under whatever id it is in use; null for one that was not installed here. Throws MANIFEST_INVALID for
 * a file that cannot be read.
 */
export async function peopleOfModel(modelsDir: string, { sha256 }: Model): Promise<TrainedPeople | null> {
  const folder = join(modelsDir, TRAINED_FOLDER);
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw unreadable(folder, messageOf(error), error);
  });
  let people: TrainedPeople | null = null;
  for (const name of names.sort()) {
    if (!name.endsWith(nameOfInstalled('', sha256) + ENDING)) continue;
    const { model, ...found } = await readPeople(join(folder, name));
    if (model === sha256) people = joinPeople(people, found);
  }
  return people;
}

/** Whether a model was installed here; of those that builds before installed nobody knows whom they were trained on. */
export function isInstalled(modelsDir: string, { source }: Pick<ModelEntry, 'source'>): boolean {
  return source.kind === 'file' && dirname(resolve(source.path)) === resolve(modelsDir, TRAINED_FOLDER);
}

async function readPeople(file: string): Promise<z.output<typeof peopleFile>> {
  try {
    return peopleFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw unreadable(file, error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error), error);
  }
}

function unreadable(path: string, what: string, cause: unknown): EyelineError {
  return new EyelineError(
    'MANIFEST_INVALID',
    `${path}: cannot be read: ${what}: it says whom a model was trained on; restore it, or delete it and train on people that model has not seen`,
    { cause },
  );
}
