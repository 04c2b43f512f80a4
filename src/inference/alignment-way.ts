import type { Provider } from './providers.ts';

/** Where faces are aligned: by OpenCV next to the frame, or in the encoder's graph. */
export type AlignmentWay = 'opencv' | 'graph';

/**
 * What `auto` takes. Cutting a face out with OpenCV takes a twentieth of a millisecond and its crop has 38 kB; for `graph` the
 * whole frame must first leave the camera's process, which alone takes longer than cutting out all faces of a crowd, on
 * whatever provider the encoder runs (docs/models.md has the figures, scripts/measure-alignment.ts measures them anew).
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
