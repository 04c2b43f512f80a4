/**
 * Entry of a picture worker: a process that decodes stored pictures and runs the chain of faces on them, all by itself.
 * One a core uses the machine better than runs that share cores: nothing waits for anything, so files are read right here
 * too. A process and not a thread, since the OpenCV add-on keeps its classes once a process, and since a picture that
 * crashes a decoder crashes one worker.
 */
import { openFaceAnalyser } from '../app.ts';
import { loadOpencv } from '../capture/opencv.ts';
import { decodePicture } from '../capture/opencv-picture.ts';
import { EyelineError, messageOf } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import type { ChainConfig, FromPictureWorker, ToPictureWorker } from './picture-protocol.ts';
import { type PictureTools, readPicture } from './read-picture.ts';

/** Pictures read between two small garbage collections. */
const PICTURES_PER_COLLECTION = 16;

let tools: Promise<PictureTools> | undefined;
let read = 0;

// The parent decides when it ends; Ctrl-C reaches the whole group.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (message: ToPictureWorker) => {
  try {
    if (message.type === 'open') {
      tools = open(message.config);
      await tools;
      send({ type: 'ready' });
    } else if (tools) {
      const { ticket, file, upTo } = message;
      send({ type: 'reading', ticket, reading: await readPicture(file, upTo, await tools) });
      // A picture leaves a megabyte of garbage outside of V8's own heap: left alone it is collected by going through all
      // memory, ten milliseconds each time.
      if (++read % PICTURES_PER_COLLECTION === 0) globalThis.gc?.({ type: 'minor', execution: 'sync' });
    }
  } catch (error) {
    send({ type: 'failed', code: error instanceof EyelineError ? error.code : null, message: messageOf(error) });
  }
});

async function open(config: ChainConfig): Promise<PictureTools> {
  loadOpencv().setNumThreads(1);
  const inference = { ...config.inference, threads: 1 };
  const chain = await openFaceAnalyser({ ...config, inference }, silentLogger, { runIn: 'this-thread' });
  return { decode: decodePicture, analyser: chain.analyser, cropSize: chain.cropSize };
}

function send(message: FromPictureWorker): void {
  process.send?.(message);
}
