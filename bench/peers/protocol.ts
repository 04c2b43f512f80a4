import type { FoundFace, RgbPicture, SystemName, SystemTraits } from './system.ts';

/** What the bench and the process of a system say to each other: one answer to each message, in order. */

export type ToSystem =
  /** `alone` when no other process shares the work. */
  | { readonly type: 'open'; readonly system: SystemName; readonly alone: boolean }
  /** Look at these now and tell what is found. */
  | { readonly type: 'read'; readonly pictures: readonly RgbPicture[] }
  /** Keep these to be timed on, in place of those kept before. */
  | { readonly type: 'keep'; readonly pictures: readonly RgbPicture[] }
  /** Look at those kept. */
  | { readonly type: 'run' };

export interface RunFigures {
  readonly faces: number;
  /** Processor time of all threads, milliseconds. */
  readonly cpuMs: number;
  /** Memory of the process at the end (RSS). */
  readonly memoryMb: number;
}

export type FromSystem =
  | ({ readonly type: 'opened' } & SystemTraits)
  | { readonly type: 'read'; readonly faces: readonly (readonly FoundFace[])[] }
  | { readonly type: 'kept' }
  | ({ readonly type: 'ran' } & RunFigures)
  | { readonly type: 'failed'; readonly message: string };
