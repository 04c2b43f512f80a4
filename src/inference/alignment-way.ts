import type { Provider } from './providers.ts';

/** Where faces are aligned: by OpenCV next to the frame, or in the encoder's graph. */
export type AlignmentWay = 'opencv' | 'graph';

/**
 * What `auto` takes. On a CPU OpenCV cuts a face out in a fifteenth of the time the graph takes (docs/models.md has the
 * figures, scripts/measure-alignment.ts measures them anew). A GPU was not measured. There the graph could save a twentieth
 * of a millisecond a face, for which the whole frame must get to the daemon and the GPU, longer than the crops of eight
 * faces; and faces of several cameras no longer share a batch.
 */
const MEASURED: Readonly<Record<Provider, AlignmentWay>> = {
  tensorrt: 'opencv',
  cuda: 'opencv',
  webgpu: 'opencv',
  cpu: 'opencv',
};

/** The way to align, as configured, for an encoder that runs on `provider`. */
export function alignmentWay(configured: 'auto' | AlignmentWay, provider: Provider): AlignmentWay {
  return configured === 'auto' ? MEASURED[provider] : configured;
}
