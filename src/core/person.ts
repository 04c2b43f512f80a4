/** Someone enrolled: a stable slug and the name shown to people. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

export type MaskState = 'none' | 'worn' | 'incorrect';

/** Which part of a face an embedding was computed from. */
export type FacePart = 'full' | 'upper';
