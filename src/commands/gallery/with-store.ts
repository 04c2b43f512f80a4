import type { SqliteGalleryStore } from '../../gallery/sqlite-gallery-store.ts';
import type { CommandContext } from '../command.ts';
import { type Configured, loadConfigured, openGallery } from '../configured.ts';

export interface GalleryOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Runs `work` on the configured gallery, which must exist unless `create` is true, and closes it. */
export async function withStore(
  options: GalleryOptions,
  context: CommandContext,
  work: (store: SqliteGalleryStore, configured: Configured) => void | Promise<void>,
  create = false,
): Promise<void> {
  const configured = await loadConfigured(options, context);
  const store = openGallery(configured, create);
  try {
    await work(store, configured);
  } finally {
    store.close();
  }
}
