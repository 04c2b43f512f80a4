import { messageOf } from '../core/errors.ts';
import { runTrivialGraph } from './onnxruntime-model.ts';
import { PROVIDERS } from './providers.ts';

/** Entry of the process that `probeProvider` starts: answers null when the provider named works, else why not. */
const provider = PROVIDERS.find((it) => it === process.argv[2]);
const reason = provider
  ? await runTrivialGraph(provider, Number(process.argv[3])).then(() => null, messageOf)
  : 'not a provider';
process.send?.(reason, () => process.disconnect());
