import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { MaskState } from '../../core/person.ts';
import { allowingForAll } from '../../evaluation/among-enrolled.ts';
import { CachedEncoder } from '../../evaluation/cached-encoder.ts';
import { type FeatureMaps, featureMaps } from '../../evaluation/classifiers/feature-maps.ts';
import { type FaceEncoder, type HideLowerFace, modelEncoder } from '../../evaluation/face-encoder.ts';
import { jointEncoder } from '../../evaluation/joint-encoder.ts';
import { type RoutedCode, routedEncoder } from '../../evaluation/routed-encoder.ts';
import { scoreOfSameRate } from '../../evaluation/score-of-same-rate.ts';
import type { AlignmentPoints } from '../../faces/align.ts';
import { blankBelow, type FaceCrop, keepBlocks } from '../../faces/occlusion.ts';
import { curveFor, type ScoreCalibration } from '../../faces/score-calibration.ts';
import { cutToFeatureMap } from '../../inference/graph/feature-map.ts';
import { prepareGraph } from '../../inference/graph/prepare.ts';
import { InferenceThread } from '../../inference/inference-thread.ts';
import { jointShareOf } from '../../inference/joint-share.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import { calibrationOf, readCalibrations } from '../../inference/manifest-calibration.ts';
import { ModelBatcher } from '../../inference/model-batcher.ts';
import { evaluateGraph, type GraphFiles } from '../../inference/onnxruntime-model.ts';
import type { ModelStore } from '../../inference/store.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { encoderFile } from './encoder-file.ts';

/** Encoders that are no model of the manifest but a way to use the configured one. */
const WAYS = ['full', 'upper', 'block50', 'auto'] as const;
type Way = (typeof WAYS)[number];

/**
 * Pictures in a run: always the same, though another number might be faster here and now. Kernels add in another order for
 * other batches, and a figure must repeat to its last digit.
 */
const BATCH = { maxBatch: 4, maxWaitMs: 0 };

const monotonic = () => systemClock.monotonic();

/** The encoders of an evaluation, each opened once, in a thread of their own. */
export class EvaluationModels {
  readonly #config: Config;
  readonly #inference: Config['inference'];
  readonly #store: ModelStore;
  readonly #thread: InferenceThread;
  readonly #align: AlignmentPoints | undefined;
  readonly #opened = new Map<string, ModelBatcher>();
  readonly #encoders = new Map<string, CachedEncoder<Float32Array>>();
  /** The daemon's comparisons, by the encoder for faces with a mask; null where one encoder is for all. */
  readonly #comparers = new Map<string | null, CachedEncoder<object>>();
  /** Where graphs are written that are made of others. */
  #scratch: string | null = null;

  /** @param align what every encoder's faces are aligned by, instead of its own */
  constructor(config: Config, store: ModelStore, logger: Logger, align?: AlignmentPoints) {
    this.#align = align;
    this.#config = config;
    // Nothing else works while faces are embedded.
    const { threads } = config.inference;
    this.#inference = { ...config.inference, threads: threads > 0 ? threads : availableParallelism() };
    this.#store = store;
    this.#thread = new InferenceThread(logger);
  }

  /**
   * The encoder of an id: one of {@link WAYS}, an encoder of the manifest, or an .onnx file. Throws USAGE for any other id, and what
   * opening a model throws.
   */
  async encoder(id: string): Promise<CachedEncoder<Float32Array>> {
    if (isFile(id)) return this.#encoderOfFile(id);
    const { model, hide } = this.modelOf(id);
    // Several names of one encoder share what it made of a face.
    const name = hide ? id : model;
    const known = this.#encoders.get(name);
    if (known) return known;
    const own = modelEncoder({ id: name, ...(await this.#partsOf(id)) });
    const encoder = new CachedEncoder(await this.#asEnrolled(own, this.#store.entry(model)), monotonic);
    this.#encoders.set(name, encoder);
    return encoder;
  }

  /** With templates as the daemon makes them. Throws MODEL_UNSUPPORTED when that takes another full-face encoder than the one in use. */
  async #asEnrolled(own: FaceEncoder<Float32Array>, entry: ModelEntry): Promise<FaceEncoder<Float32Array>> {
    if (!entry.jointWith) return own;
    const id = this.#config.models.encoder;
    const { fingerprint } = await this.open(id);
    return jointEncoder(own, await this.encoder(id), jointShareOf(entry, { id, fingerprint }));
  }

  async #encoderOfFile(file: string): Promise<CachedEncoder<Float32Array>> {
    const known = this.#encoders.get(file);
    if (known) return known;
    const { input, licence } = this.#store.entry(this.#config.models.encoder);
    const files = await encoderFile(file, { pixels: input, licence, scratch: await this.#scratchFolder() });
    const model = await this.open(file, files);
    const entry = files.entry(file);
    const own = modelEncoder({ id: file, model, alignedBy: this.#alignmentOf(entry), minNorm: 0, hide: null });
    const encoder = new CachedEncoder(await this.#asEnrolled(own, entry), monotonic);
    this.#encoders.set(file, encoder);
    return encoder;
  }

  async #scratchFolder(): Promise<string> {
    this.#scratch ??= await mkdtemp(join(tmpdir(), 'eyeline-eval-'));
    return this.#scratch;
  }

  /**
   * What compares faces under an id: its encoder, or where the daemon uses two (`auto`), both. Throws as `encoder` does,
   * and MODEL_UNCALIBRATED when an encoder of two is not calibrated.
   *
   * @param upperEncoder what `auto` takes for faces with a mask, instead of the configured one; null for none
   */
  async comparer(
    id: string,
    upperEncoder: string | null = this.#config.models.upperEncoder,
  ): Promise<CachedEncoder<object>> {
    if (id !== 'auto') return this.encoder(id);
    const { encoder } = this.#config.models;
    const comparer =
      this.#comparers.get(upperEncoder) ??
      (upperEncoder === null ? await this.#openSingle() : await this.#openRouted(encoder, upperEncoder));
    this.#comparers.set(upperEncoder, comparer);
    return comparer;
  }

  /** The daemon's comparison where it has one encoder for all faces. */
  async #openSingle(): Promise<CachedEncoder<object>> {
    const encoder = await this.encoder('auto');
    return this.#config.recognition.adaptToGallery ? new CachedEncoder(allowingForAll(encoder), monotonic) : encoder;
  }

  /** Whether the models of a method are on this machine. Throws what reading a model throws, but for MODEL_MISSING. */
  async has(encoder: string, upperEncoder: string | null | undefined): Promise<boolean> {
    const models = [modelBehind(encoder, this.#config.models.encoder)];
    if (encoder === 'auto' && upperEncoder) models.push(upperEncoder);
    for (const id of models) {
      if (!this.#store.modelIds.includes(id)) return false;
      const missing = await this.#store.file(id).then(
        () => false,
        (error: unknown) => {
          if (error instanceof EyelineError && error.code === 'MODEL_MISSING') return true;
          throw error;
        },
      );
      if (missing) return false;
    }
    return true;
  }

  async #openRouted(fullId: string, upperId: string): Promise<CachedEncoder<object>> {
    const curveOf = async (id: string, mask: MaskState) => {
      const curve = curveFor(await this.calibration(id), mask);
      if (curve) return curve;
      throw new EyelineError('MODEL_UNCALIBRATED', `model ${id} has no calibration: its scores compare with no others`);
    };
    const [ofFull, ofUpper] = [await curveOf(fullId, 'none'), await curveOf(upperId, 'worn')];
    const routed = routedEncoder('auto', {
      full: await this.encoder(fullId),
      upper: await this.encoder(upperId),
      onFullScale: (score) => scoreOfSameRate(ofUpper, score, ofFull),
      allowForAll: this.#config.recognition.adaptToGallery,
    });
    return new CachedEncoder<RoutedCode>(routed, monotonic);
  }

  /** What the scores of an encoder of the manifest mean, as the daemon has it. Throws what opening a model throws. */
  async calibration(id: string): Promise<ScoreCalibration> {
    const { fingerprint } = await this.open(id);
    return calibrationOf(this.#store.entry(id), fingerprint, await readCalibrations(this.#config.models.calibration));
  }

  /** The encoder the daemon would use for a face, unless another one is named. Throws USAGE when it is no encoder. */
  idFor(mask: 'none' | 'worn', { encoder, upperEncoder }: { encoder?: string; upperEncoder?: string }): string {
    const { encoder: full, upperEncoder: configured } = this.#config.models;
    const upper = upperEncoder === 'none' ? null : (upperEncoder ?? configured);
    return this.modelOf(encoder ?? (mask === 'worn' ? (upper ?? full) : full)).model;
  }

  /**
   * The last feature map of an encoder's model, over the part of the face it is shown. Throws USAGE for an unknown id, and
   * MODEL_UNSUPPORTED when the model has none.
   */
  async featureMaps(id: string): Promise<FeatureMaps> {
    const { model: modelId, hide } = this.modelOf(id);
    const entry = this.#store.entry(modelId);
    const { graph, output } = await cutToFeatureMap(
      // Once, as it is: a mirrored look would be further rows.
      prepareGraph(await readFile(await this.#store.sourceFile(modelId)), { ...entry, mirrored: false }),
      entry.input,
      evaluateGraph,
    ).catch((error: unknown) => {
      throw new EyelineError('MODEL_UNSUPPORTED', `model ${modelId}: ${messageOf(error)}`, { cause: error });
    });
    const file = join(await this.#scratchFolder(), `${modelId}.onnx`);
    await writeFile(file, graph);
    const model = await this.open(`${modelId} feature map`, {
      entry: () => ({ ...entry, outputs: [output] }),
      file: async () => file,
    });
    return featureMaps({ model, alignedBy: this.#alignmentOf(entry), hide });
  }

  /** What faces of any encoder of the manifest are aligned by. */
  alignments(): AlignmentPoints[] {
    const encoders = this.#store.modelIds.map((id) => this.#store.entry(id)).filter(({ role }) => role === 'encoder');
    return [...new Set(encoders.map((entry) => this.#alignmentOf(entry)))];
  }

  #alignmentOf({ alignedBy = 'five' }: Pick<ModelEntry, 'alignedBy'>): AlignmentPoints {
    return this.#align ?? alignedBy;
  }

  /** Numbers of an embedding. Throws USAGE for an unknown id. */
  dimensionOf(id: string): number {
    return this.#store.entry(this.modelOf(id).model).embedding ?? 0;
  }

  /** The id of the model behind an encoder's id, and what of a face it is shown. Throws USAGE for an unknown id. */
  modelOf(id: string): { model: string; hide: HideLowerFace | null } {
    const configured = this.#config.models.encoder;
    if (isWay(id)) return usedBy(id, configured);
    if (this.#store.modelIds.includes(id) && this.#store.entry(id).role === 'encoder') return { model: id, hide: null };
    const encoders = this.#store.modelIds.filter((it) => this.#store.entry(it).role === 'encoder');
    throw new EyelineError(
      'USAGE',
      `"${id}" is no encoder; there are ${[...WAYS, ...encoders].join(', ')}, and .onnx files`,
    );
  }

  /** Opens a model, or a graph made of one, once for a name. Throws what `openOnnxModel` throws. */
  async open(name: string, files: GraphFiles = this.#store): Promise<VisionModel> {
    const open =
      this.#opened.get(name) ??
      new ModelBatcher(await this.#thread.open(files, name, this.#inference), systemClock, { policy: BATCH });
    this.#opened.set(name, open);
    return open.lane('');
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#opened.values()].map((model) => model.close()));
    await this.#thread.close();
    if (this.#scratch !== null) await rm(this.#scratch, { recursive: true, force: true });
  }

  async #partsOf(id: string) {
    const { model: modelId, hide } = this.modelOf(id);
    const model = await this.open(modelId);
    const { width, height, channels } = model.input;
    if (height > width || channels !== 3) {
      throw new EyelineError(
        'MODEL_UNSUPPORTED',
        `model ${modelId} takes ${height}x${width}x${channels}: encoders here take square RGB crops, or their upper rows`,
      );
    }
    // The length of a feature tells a face from none on whole faces only: that is what it was measured on.
    const minNorm = hide ? 0 : (this.#store.entry(modelId).minNorm ?? 0);
    return { model, alignedBy: this.#alignmentOf(this.#store.entry(modelId)), minNorm, hide };
  }
}

/** The model an encoder's id stands for, where `configured` is the encoder in use; whether there is one is not looked at. */
export function modelBehind(id: string, configured: string): string {
  return isWay(id) ? usedBy(id, configured).model : id;
}

function isWay(id: string): id is Way {
  return WAYS.some((way) => way === id);
}

function isFile(id: string): boolean {
  return id.endsWith('.onnx');
}

/** What a way does with the configured encoder. */
function usedBy(way: Way, configured: string) {
  switch (way) {
    case 'full':
    // The daemon embeds so a bare face, and every face where it has no encoder for the upper part.
    case 'auto':
      return { model: configured, hide: null };
    case 'upper':
      return { model: configured, hide: (face: FaceCrop) => blankBelow(face) };
    case 'block50':
      return { model: configured, hide: (face: FaceCrop) => keepBlocks(face) };
  }
}
