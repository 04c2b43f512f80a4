import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart } from '../core/person.ts';
import { turnByTurn } from '../core/steps.ts';
import { combineSnapshots, type EncoderSnapshots } from './encoder-snapshots.ts';
import type { GalleryChanges } from './gallery-changes.ts';
import type { BuildGraph } from './search/build-hnsw.ts';
import { type SnapshotOptions, snapshotOf } from './snapshot.ts';
import type { GalleryEncoder, TemplateMatrix } from './template.ts';
import { createBlock, type TemplateBlock, withIndex } from './template-block.ts';
import { compacting, isDue, onBase, type TemplateLayers, withChanges } from './template-layers.ts';

/** From so many templates on comparing all of them takes several milliseconds, a graph less than one: docs/performance.md. */
const GRAPH_PAYS_FROM = 100_000;

/** From how many templates of an encoder on they are searched by a graph, as `gallery.index` says. */
export function graphFrom(index: 'auto' | 'exact' | 'hnsw'): number {
  return { auto: GRAPH_PAYS_FROM, exact: Number.POSITIVE_INFINITY, hnsw: 0 }[index];
}

export type LiveEncoder = GalleryEncoder & { readonly part: FacePart };

export interface GalleryTemplatesOptions extends SnapshotOptions {
  readonly encoders: readonly LiveEncoder[];
  /** From how many templates of an encoder on they are searched by a graph. */
  readonly graphFrom: number;
  readonly buildGraph: BuildGraph;
  readonly logger: Logger;
  /** Told of a snapshot with the same people and templates that is searched in another way. */
  readonly onReplaced: (snapshot: EncoderSnapshots) => void;
}

/** The templates of one encoder, and what is being made of them. */
interface Held {
  readonly encoder: LiveEncoder;
  layers: TemplateLayers;
  working: boolean;
}

/**
 * The templates of the encoders in use, as they change. A change takes effect at once and costs as much as it is large;
 * putting many changes together with the rest, and making a graph, is done meanwhile, without keeping anybody waiting.
 */
export class GalleryTemplates {
  readonly #options: GalleryTemplatesOptions;
  #held: readonly Held[] = [];
  #work = new AbortController();
  #working: Promise<unknown> = Promise.resolve();
  #graphsFail = false;

  constructor(options: GalleryTemplatesOptions) {
    this.#options = options;
  }

  /** Everything anew, all templates of one moment at best. Throws RangeError when one is damaged; then all stays as it was. */
  replace(load: (encoder: LiveEncoder) => TemplateMatrix): EncoderSnapshots {
    const held = this.#options.encoders.map((encoder) => {
      const base = createBlock(load(encoder));
      return { encoder, layers: { version: base.templates.version, base, changed: new Map() }, working: false };
    });
    this.#work.abort();
    this.#work = new AbortController();
    return this.#take(held);
  }

  /** Takes changes since the newest version up. Throws RangeError when a template is damaged; then all stays as it was. */
  change(changes: GalleryChanges): EncoderSnapshots {
    const layers = this.#held.map((it) => withChanges(it.layers, changes, it.encoder, it.encoder.part));
    const snapshot = this.#snapshot(layers);
    this.#held.forEach((it, at) => {
      it.layers = layers[at] ?? it.layers;
    });
    this.#improve();
    return snapshot;
  }

  /** Ends what is being made. Never throws. */
  async stop(): Promise<void> {
    this.#work.abort();
    await this.#working;
  }

  #take(held: readonly Held[]): EncoderSnapshots {
    const snapshot = this.#snapshot(held.map(({ layers }) => layers));
    this.#held = held;
    this.#improve();
    return snapshot;
  }

  #snapshot(layers: readonly TemplateLayers[]): EncoderSnapshots {
    return combineSnapshots(layers.map((it) => snapshotOf(it, this.#options)));
  }

  /** One after the other: each may take a processor core and much memory. */
  #improve(): void {
    const { signal } = this.#work;
    for (const held of this.#held) {
      if (held.working || !(isDue(held.layers) || this.#wantsGraph(held.layers.base))) continue;
      held.working = true;
      this.#working = this.#working.then(async () => {
        try {
          await this.#improveOne(held, signal);
        } catch (error) {
          if (!signal.aborted) this.#options.logger.error({ error: messageOf(error) }, 'arranging the gallery failed');
        }
        held.working = false;
      });
    }
  }

  async #improveOne(held: Held, signal: AbortSignal): Promise<void> {
    const from = held.layers;
    const due = isDue(from);
    const base = await this.#withGraph(due ? await turnByTurn(compacting(from), signal) : from.base, signal);
    signal.throwIfAborted();
    if (base === from.base) return;
    held.layers = due ? onBase(held.layers, base, from.version) : { ...held.layers, base };
    this.#options.onReplaced(this.#snapshot(this.#held.map(({ layers }) => layers)));
  }

  async #withGraph(block: TemplateBlock, signal: AbortSignal): Promise<TemplateBlock> {
    const { rows, templates } = block;
    if (!rows || !this.#wantsGraph(block)) return block;
    const { logger, buildGraph } = this.#options;
    const started = performance.now();
    try {
      const index = await buildGraph(rows, templates.dimension, signal);
      const seconds = Math.round((performance.now() - started) / 1000);
      logger.info(
        { templates: index.size, encoder: templates.encoder, seconds },
        `${index.size} templates are searched by a graph from now on`,
      );
      return withIndex(block, index);
    } catch (error) {
      signal.throwIfAborted();
      this.#graphsFail = true;
      logger.warn(
        { templates: templates.owners.length, error: messageOf(error) },
        `no graph could be made (${messageOf(error)}): all templates are compared, which takes longer`,
      );
      return block;
    }
  }

  #wantsGraph({ index, templates }: TemplateBlock): boolean {
    const { graphFrom } = this.#options;
    return !this.#graphsFail && index?.kind === 'exact' && templates.owners.length >= graphFrom;
  }
}
