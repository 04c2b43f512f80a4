import { type ClassifierSampling, classifierSampler } from './classifier-sampler.ts';
import { type DetectorSampling, detectorSampler } from './detector-sampler.ts';
import { type EncoderSampling, encoderSampler } from './encoder-sampler.ts';
import type { FaceStore } from './face-store.ts';
import { type LandmarkSampling, landmarkSampler } from './landmark-sampler.ts';
import { type MaskStateSampling, maskStateSampler } from './mask-state-sampler.ts';
import type { Sampler } from './sampler.ts';
import { type TripletSampling, tripletSampler } from './triplet-sampler.ts';

/** What batches are made of, as it is told to a thread. */
export type Sampling =
  | { readonly kind: 'landmarks'; readonly options: LandmarkSampling }
  | { readonly kind: 'encoder'; readonly options: EncoderSampling }
  | { readonly kind: 'detector'; readonly options: DetectorSampling }
  | { readonly kind: 'triplets'; readonly options: TripletSampling }
  | { readonly kind: 'classifier'; readonly options: ClassifierSampling }
  | { readonly kind: 'mask-state'; readonly options: MaskStateSampling };

export function makeSampler(store: FaceStore, sampling: Sampling): Sampler {
  switch (sampling.kind) {
    case 'landmarks':
      return landmarkSampler(store, sampling.options);
    case 'encoder':
      return encoderSampler(store, sampling.options);
    case 'detector':
      return detectorSampler(store, sampling.options);
    case 'triplets':
      return tripletSampler(store, sampling.options);
    case 'classifier':
      return classifierSampler(sampling.options);
    case 'mask-state':
      return maskStateSampler(store, sampling.options);
  }
}
