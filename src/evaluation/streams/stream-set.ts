import { seededRandom, seedOf } from '../../core/seeded-random.ts';
import { shuffled } from '../../core/shuffled.ts';
import type { FaceEmbedding } from '../../faces/face-analyser.ts';
import type { StreamLook, TemplatesTask, WalkTask } from '../../pictures/picture-protocol.ts';
import type { PersonPictures } from '../people-folder.ts';
import type { WalkPlan } from './walk.ts';

/** Somebody with what is enrolled of them and how they walk by. */
export interface StreamPerson {
  readonly id: string;
  /** By all encoders; none of who has one picture only. */
  readonly templates: readonly FaceEmbedding[];
  /** One a frame; null where no face was found. */
  readonly track: readonly (StreamLook | null)[];
}

export interface StreamPlan {
  readonly people: readonly PersonPictures[];
  /** Most pictures enrolled of a person; the last picture is the one that walks by. */
  readonly enrol: number;
  readonly seed: number;
  readonly masked: boolean;
  readonly walk: WalkPlan;
}

/** What works on the pictures. */
export type StreamSource = (tasks: readonly (TemplatesTask | WalkTask)[]) => AsyncIterable<{
  readonly templates?: readonly FaceEmbedding[] | null;
  readonly looks?: readonly (StreamLook | null)[] | null;
  readonly reason: string | null;
}>;

/** So many people of a folder, the same for a seed. */
export function somePeople(people: readonly PersonPictures[], count: number, seed: number): PersonPictures[] {
  return shuffled(people, seededRandom(seedOf(seed, 'people'))).slice(0, count);
}

/** Has everybody walk by once. A person whose picture cannot be read, or shows no face, is left out and counted. */
export async function recordStreams(
  { people, enrol, seed, masked, walk }: StreamPlan,
  source: StreamSource,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<{ people: StreamPerson[]; leftOut: number }> {
  const jobs = people.flatMap(({ person, plain }) => {
    const file = plain.at(-1);
    if (file === undefined) return [];
    const enrolled = plain.slice(0, -1).slice(0, enrol);
    return [
      ...enrolled.map((picture) => ({ person, task: { kind: 'templates' as const, file: picture } })),
      { person, task: { kind: 'walk' as const, file, name: person, seed, plan: walk, masked } },
    ];
  });
  const templates = new Map<string, FaceEmbedding[]>();
  const recorded: StreamPerson[] = [];
  let [done, leftOut] = [0, 0];
  for await (const answer of source(jobs.map(({ task }) => task))) {
    const job = jobs[done++];
    onProgress(done, jobs.length);
    if (!job) continue;
    const own = templates.get(job.person) ?? [];
    templates.set(job.person, own);
    if (job.task.kind === 'templates') own.push(...(answer.templates ?? []));
    else if (answer.looks) recorded.push({ id: job.person, templates: own, track: answer.looks });
    else leftOut++;
  }
  return { people: recorded, leftOut };
}
