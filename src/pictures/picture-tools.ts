import type { Size } from '../core/geometry.ts';
import type { Picture } from '../core/picture.ts';
import type { FaceAnalyser } from '../faces/face-analyser.ts';
import type { PixelsFile } from '../training/data/pixels-file.ts';

/** A picture whose memory is given back by hand. */
export interface StoredPicture extends Picture {
  release(): void;
}

/** What work on stored pictures needs; the worker gives the real ones. */
export interface PictureTools {
  /** Throws PICTURE_REFUSED. */
  decode(bytes: Uint8Array, name: string): Promise<StoredPicture>;
  /** RGB pixels as a picture file of the kind that goes with an extension such as `.jpg`; quality 0 to 100. */
  encode(rgb: Uint8Array, size: Size, extension: string, quality: number): Promise<Uint8Array>;
  /** RGB pixels as a picture. */
  rgbPicture(rgb: Uint8Array, size: Size): StoredPicture;
  /** The file of pixels of a prepared set that this worker writes. */
  pixelsIn(folder: string): Pick<PixelsFile, 'append'>;
  readonly analyser: FaceAnalyser;
  /** Side of the aligned crop the analyser aligns for. */
  readonly cropSize: number;
}
