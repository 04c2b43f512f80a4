/**
 * Loaded with `node --require`: runs of models hang in native code, as in a driver that does not answer, from when there is a
 * FIFO at EYELINE_TEST_HANG until whoever has opened it for writing closes it.
 */
const { existsSync, openSync, readSync } = require('node:fs');
const Module = require('node:module');

const load = Module._load;
Module._load = (request, ...rest) => {
  const loaded = load(request, ...rest);
  if (request !== 'onnxruntime-common' || loaded.hangs) return loaded;
  const { prototype } = loaded.InferenceSession;
  const { run } = prototype;
  prototype.run = function (...args) {
    const fifo = process.env.EYELINE_TEST_HANG;
    if (existsSync(fifo)) readSync(openSync(fifo, 'r'), Buffer.alloc(1));
    return run.apply(this, args);
  };
  loaded.hangs = true;
  return loaded;
};
