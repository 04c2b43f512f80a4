import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart, MaskState } from '../core/person.ts';
import type { Picture } from '../core/picture.ts';
import { type AlignmentPoints, alignToTemplate, movedMarks, TEMPLATE_MARKS, TEMPLATE_SIZE } from '../faces/align.ts';
import type { Detection, FaceDetector } from '../faces/detect.ts';
import { leastScoreOf } from '../faces/detectors/least-score.ts';
import { type OpenModel, openDetector } from '../faces/detectors/open-detector.ts';
import { secondLookDetector } from '../faces/detectors/second-look-detector.ts';
import {
  createFaceAnalyser,
  type Face,
  type FaceAnalyser,
  type FaceEmbedding,
  type PartEncoder,
} from '../faces/face-analyser.ts';
import { cropEmbedder, type FaceEmbedder, frameEmbedder } from '../faces/face-embedder.ts';
import { alignmentsGiven, openLandmarker } from '../faces/landmarkers/open-landmarker.ts';
import { createLivenessAssessor, LIVENESS_FAMILIES, type LivenessAssessor } from '../faces/liveness.ts';
import { maskAssessor } from '../faces/mask-state.ts';
import { differentFaceScore, type ScoreCalibration, sameFaceScore } from '../faces/score-calibration.ts';
import type { ReadFace } from '../gallery/choose-face.ts';
import type { FaceReader } from '../gallery/enrol.ts';
import type { FaceCrop } from '../gallery/template.ts';
import { alignmentWay } from '../inference/alignment-way.ts';
import { checkAligning } from '../inference/check-aligning.ts';
import { InferencePool } from '../inference/inference-pool.ts';
import { jointShareOf } from '../inference/joint-share.ts';
import { calibrationOf, readCalibrations } from '../inference/manifest-calibration.ts';
import { type BatcherOptions, ModelBatcher } from '../inference/model-batcher.ts';
import { openOnnxModel } from '../inference/onnxruntime-model.ts';
import { createModelStore, type ModelStore } from '../inference/store.ts';
import type { BatchModel } from '../inference/vision-model.ts';

/** An encoder that makes templates and probes. */
export interface EncoderInUse {
  readonly id: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly part: FacePart;
  /** What its scores mean; empty where nobody measured it. */
  readonly calibration: ScoreCalibration;
}

/** The chain from pictures to embeddings with its models open. */
export interface OpenFaceAnalyser {
  readonly analyser: FaceAnalyser;
  /** The chain for one of several users at a time (a camera): what they ask for shares batches, in fair turns. */
  lane(name: string): FaceAnalyser;
  /** Size of the picture the detector takes. */
  readonly detectorInput: Size;
  /** Score from which on what the detector finds is a face. */
  readonly leastScore: number;
  /** Side of the aligned crop the encoder takes. */
  readonly cropSize: number;
  /** The full-face one. */
  readonly encoder: EncoderInUse;
  /** All encoders in use, the full-face one first. */
  readonly encoders: readonly EncoderInUse[];
  /** Tells faces from pictures of faces, for one user; null where that is not asked for. */
  readonly liveness: ((lane: string) => LivenessAssessor) | null;
  /** Rejects with INFERENCE_FAILED when the models cannot run any more. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface ChainOptions {
  readonly clock?: Clock;
  /** Where runs, which block their thread, take place: in a thread of their own (the default), or in the caller's. */
  readonly runIn?: 'own-thread' | 'this-thread';
  /** Where faces are followed: what the detector is less sure of than `leastScore` is given too, from here on. */
  readonly lowScore?: number;
  /** How pictures share runs; what fits the models' timings when left out. */
  readonly policy?: BatcherOptions['policy'];
  /** Whether the models that tell faces from pictures of faces are opened too. */
  readonly liveness?: boolean;
  /** Threads with a copy of the models each; one when left out, which is enough for whoever asks for one thing at a time. */
  readonly workers?: number;
  /** Told of every run of a model. */
  readonly onRun?: BatcherOptions['onRun'];
  /** Told of every model that was opened: for whoever measures it bare. */
  readonly onOpen?: (model: BatchModel) => void;
}

/**
 * Opens the configured models.
 * Throws MODEL_MISSING, MODEL_CORRUPT, MODEL_UNKNOWN, MODEL_UNSUPPORTED, PROVIDER_UNAVAILABLE, INFERENCE_FAILED.
 */
export async function openFaceAnalyser(
  config: Pick<Config, 'models' | 'inference' | 'detection'>,
  logger: Logger,
  {
    clock = systemClock,
    runIn = 'own-thread',
    lowScore: wantedLowScore,
    policy,
    onRun,
    onOpen,
    liveness = false,
    workers = 1,
  }: ChainOptions = {},
): Promise<OpenFaceAnalyser> {
  const store = await createModelStore({ dir: config.models.dir, extraManifest: config.models.manifest, logger });
  const threads = new InferencePool(workers, logger);
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    await Promise.allSettled(opened.map((model) => model.close()));
    await threads.close();
  };
  const open = async (id: string) => {
    const model =
      runIn === 'own-thread'
        ? await threads.open(store, id, config.inference)
        : await openOnnxModel(store, id, { ...config.inference, logger });
    onOpen?.(model);
    const batcher = new ModelBatcher(model, clock, { ...(policy && { policy }), ...(onRun && { onRun }) });
    const { maxBatch, maxWaitMs } = batcher.policy;
    logger.debug({ model: id, maxBatch, maxWaitMs }, `model ${id} takes batches of up to ${maxBatch}`);
    opened.push(batcher);
    return batcher;
  };
  try {
    const shared = new Map<string, Promise<ModelBatcher>>();
    // A network may have several parts: MTCNN's last finds faces, and their landmarks as well.
    const openOnce: OpenModel = (id) => {
      const model = shared.get(id) ?? open(id);
      shared.set(id, model);
      return model;
    };
    const { secondDetector } = config.models;
    const minScore = leastScoreOf(store.entry(config.models.detector), config.detection.minScore);
    const lowScore = wantedLowScore ?? minScore;
    const { closerLook, secondLook, ...detection } = config.detection;
    const firstOf = await openDetector(store.entry(config.models.detector), openOnce, closerLook);
    const secondOf =
      secondDetector === null ? null : await openDetector(store.entry(secondDetector), openOnce, closerLook);
    const landmarkerOf = await openLandmarker(store.entry(config.models.landmarks), openOnce);
    const measured = await readCalibrations(config.models.calibration);
    const { maskState, upperEncoder } = config.models;
    const masks = maskState === null ? null : await openOnce(maskState);
    const openEncoder = async (key: 'encoder' | 'upperEncoder', id: string, part: FacePart): Promise<OpenEncoder> => {
      const { dimension, minNorm, alignedBy } = encoderEntry(store, key, id, part);
      requireAlignment(store, config.models.landmarks, { key, id, alignedBy });
      const encoder = await open(id);
      const { fingerprint, input, provider } = encoder.lane('');
      let aligning: FaceEmbedder | null = null;
      if (alignmentWay(config.inference.alignment, provider) === 'graph') {
        const { providers } = config.inference;
        const usable = providers.slice(providers.indexOf(provider));
        const model = await threads.openAligning(store, id, { ...config.inference, providers: usable });
        await checkAligning(encoder.lane(''), model);
        // What takes whole frames is used instead of the encoder, not beside it.
        await encoder.close();
        opened.splice(opened.indexOf(encoder), 1, model);
        aligning = frameEmbedder(model);
        logger.info({ model: id, provider }, `model ${id} aligns faces in its graph`);
      }
      const calibration = calibrationOf(store.entry(id), fingerprint, measured);
      return {
        inUse: { id, fingerprint, dimension, part, calibration },
        width: input.width,
        lane: (name) => ({ part, alignedBy, minNorm, embedder: aligning ?? cropEmbedder(encoder.lane(name)) }),
      };
    };
    const full = await openEncoder('encoder', config.models.encoder, 'full');
    const upper = upperEncoder === null ? null : await openEncoder('upperEncoder', upperEncoder, 'upper');
    const jointShare = upper ? jointShareOf(store.entry(upper.inUse.id), full.inUse) : 0;
    const spoofing = liveness
      ? await Promise.all(
          config.models.liveness.map(async (id) => {
            const { role, family } = store.entry(id);
            if (role !== 'liveness') {
              throw new EyelineError('MODEL_UNSUPPORTED', `models.liveness: ${id} is no liveness model`);
            }
            const way = LIVENESS_FAMILIES[family === 'human-antispoof' ? family : 'minifasnet'];
            return { ...way, model: await open(id) };
          }),
        )
      : [];
    const lively = liveness
      ? (name: string) =>
          createLivenessAssessor(spoofing.map(({ model, extent, live }) => ({ model: model.lane(name), extent, live })))
      : null;
    const detectorOf = (name: string): FaceDetector => {
      const limits = { ...detection, minScore };
      if (!secondOf) return firstOf(name, { ...limits, lowScore });
      return secondLookDetector({
        first: firstOf(name, { ...limits, lowScore: Math.min(lowScore, secondLook.fromScore) }),
        second: secondOf(name, { ...limits, minScore: secondLook.minScore }),
        minScore,
        fromScore: secondLook.fromScore,
        lowScore,
      });
    };
    const lane = (name: string) =>
      createFaceAnalyser({
        detector: detectorOf(name),
        landmarker: landmarkerOf(name),
        maskAssessor: masks && maskAssessor(masks.lane(name)),
        encoder: full.lane(name),
        upperEncoder: upper?.lane(name) ?? null,
        jointShare,
      });
    return {
      analyser: lane(''),
      lane,
      detectorInput: detectorOf('').input,
      leastScore: minScore,
      cropSize: full.width,
      encoder: full.inUse,
      encoders: upper ? [full.inUse, upper.inUse] : [full.inUse],
      liveness: lively,
      failed: threads.failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenEncoder {
  readonly inUse: EncoderInUse;
  readonly width: number;
  lane(name: string): PartEncoder;
}

/** What the manifest says of an encoder. Throws MODEL_UNKNOWN, MODEL_UNSUPPORTED when it is none, or for another part. */
function encoderEntry(store: ModelStore, key: string, id: string, part: FacePart) {
  const { embedding: dimension, part: made = 'full', alignedBy = 'five', minNorm = 0 } = store.entry(id);
  if (dimension === undefined) throw new EyelineError('MODEL_UNSUPPORTED', `models.${key}: ${id} is not an encoder`);
  if (made !== part) {
    throw new EyelineError('MODEL_UNSUPPORTED', `models.${key}: ${id} is an encoder for part: ${made}, not ${part}`);
  }
  return { dimension, minNorm, alignedBy };
}

/** Throws MODEL_UNSUPPORTED when the landmark model does not give what an encoder's faces are aligned by. */
function requireAlignment(
  store: ModelStore,
  landmarks: string,
  { key, id, alignedBy }: { readonly key: string; readonly id: string; readonly alignedBy: AlignmentPoints },
): void {
  if (alignmentsGiven(store.entry(landmarks)).includes(alignedBy)) return;
  const orNone = key === 'upperEncoder' ? ', or models.upperEncoder to null' : '';
  throw new EyelineError(
    'MODEL_UNSUPPORTED',
    `models.${key}: faces for ${id} are aligned by ${alignedBy}, and models.landmarks: ${landmarks} does not give these points: set ` +
      `models.landmarks to landmarks-68-masked or facemesh-468, models.${key} to another encoder${orNone}`,
  );
}

/** The chain as enrolment uses it: all faces of a picture, embedded. */
export interface OpenFaceReader {
  readonly reader: FaceReader;
  /** Size of the picture the detector takes. */
  readonly detectorInput: Size;
  /** Faces of a picture, as they are found. */
  detect(picture: Picture): Promise<readonly Detection[]>;
  /** What the encoders make of faces, in order; null for what is no face to the full-face one. */
  readFaces(picture: Picture, found: readonly Detection[]): Promise<readonly ((ReadFace & Face) | null)[]>;
  /**
   * Templates of a face that was cut out and aligned before, by every encoder in use; what is no face to one is left out.
   *
   * @param mask state of the face when it was enrolled; null when nobody judged it
   */
  embedCrop(crop: FaceCrop, mask: MaskState | null): Promise<readonly FaceEmbedding[]>;
  /** Score from which on what the detector finds is a face. */
  readonly leastScore: number;
  /** Those in use, the full-face one first. */
  readonly encoders: readonly EncoderInUse[];
  /** Score of the first encoder from which two faces are taken for one person; null when it is not calibrated. */
  readonly sameFace: number | null;
  /** Score of the first encoder below which two faces are taken for two people; null as well. */
  readonly differentFace: number | null;
  close(): Promise<void>;
}

/** Opens the chain for enrolment. Throws as {@link openFaceAnalyser} does. */
export async function openFaceReader(
  config: Pick<Config, 'models' | 'inference' | 'detection' | 'gallery'>,
  logger: Logger,
  options: ChainOptions = {},
): Promise<OpenFaceReader> {
  const { analyser, encoder, encoders, cropSize, detectorInput, leastScore, close } = await openFaceAnalyser(
    config,
    logger,
    options,
  );
  const cropsOf = async (picture: Picture, faces: readonly Face[]): Promise<FaceCrop[]> => {
    if (!config.gallery.keepCrops) return [];
    const size = { width: cropSize, height: cropSize, colour: 'rgb' } as const;
    const matrices = faces.map(({ landmarks }) => alignToTemplate(landmarks.five, cropSize));
    const crops = await picture.cut(matrices.map((matrix) => ({ matrix, ...size })));
    return faces.flatMap(({ landmarks }, index) => {
      const [rgb, matrix] = [crops[index], matrices[index]];
      return rgb && matrix ? [{ side: cropSize, rgb, marks: movedMarks(landmarks, matrix) }] : [];
    });
  };
  const detect = (picture: Picture) => analyser.detect(picture);
  const readFaces = async (picture: Picture, found: readonly Detection[]) => {
    const faces = await analyser.describe(picture, found);
    const embeddings = await analyser.embedTemplates(picture, faces);
    const crops = await cropsOf(picture, faces);
    return faces.map((face, index) => {
      const ofFace = embeddings[index] ?? [];
      // What is no face to the full-face encoder is none.
      return ofFace[0]?.part === 'full' ? { ...face, embeddings: ofFace, crop: crops[index] } : null;
    });
  };
  const reader: FaceReader = {
    read: async (picture) => (await readFaces(picture, await detect(picture))).filter((face) => face !== null),
  };
  const embedCrop = async ({ side, rgb, marks }: FaceCrop, state: MaskState | null) => {
    const { rgbPicture } = await import('../capture/opencv-picture.ts');
    const picture = rgbPicture(rgb, { width: side, height: side });
    try {
      const scale = side / TEMPLATE_SIZE;
      // Of crops that were kept without, or found by a model without a bridge, it stands where the template has it.
      const usual = movedMarks(TEMPLATE_MARKS, [scale, 0, 0, 0, scale, 0]);
      const landmarks = { five: marks?.five ?? usual.five, bridge: marks?.bridge ?? usual.bridge };
      const [embeddings = []] = await analyser.embedTemplates(picture, [
        { landmarks, mask: state && { state, confidence: 1 } },
      ]);
      return embeddings;
    } finally {
      picture.release();
    }
  };
  const sameFace = sameFaceScore(encoder.calibration, 'none');
  const differentFace = differentFaceScore(encoder.calibration, 'none');
  return { reader, detectorInput, leastScore, detect, readFaces, embedCrop, encoders, sameFace, differentFace, close };
}
