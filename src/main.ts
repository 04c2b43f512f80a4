#!/usr/bin/env -S node --max-semi-space-size=2
import { Command, CommanderError } from 'commander';
import { registerBench } from './commands/bench.ts';
import { registerCalibrate } from './commands/calibrate.ts';
import { registerCheckConfig } from './commands/check-config.ts';
import type { CommandContext } from './commands/command.ts';
import { registerCrops } from './commands/crops.ts';
import { registerDataset } from './commands/dataset.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEnroll } from './commands/enroll.ts';
import { registerEval } from './commands/eval.ts';
import { registerGallery } from './commands/gallery.ts';
import { registerModels } from './commands/models.ts';
import { registerRun } from './commands/run.ts';
import { registerTrain } from './commands/train.ts';
import { registerVisitors } from './commands/visitors.ts';
import { ERRORS, EXIT_INTERNAL, EyelineError } from './core/errors.ts';
import { redact } from './core/redact.ts';
import { packageVersion } from './platform/version.ts';

const stop = new AbortController();
let status = 0;
let byForce = false;

const context: CommandContext = {
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
  interactive: process.stdout.isTTY === true,
  env: process.env,
  signal: stop.signal,
  exitWith: (code) => {
    status = code;
  },
  endByForce: () => {
    byForce = true;
  },
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) return stop.abort(signal);
    // A second Ctrl-C means: now. The signal itself ends the process; `process.exit` would wait for a thread that hangs.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // The first process of a container outlives a signal of its own.
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}
// A reader that goes away (`eyeline … | head`) is no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = new Command('eyeline')
  .description('Recognises people at a building entrance, also behind a mask, and tells over MQTT who came.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for the arguments)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'eyeline: ')) })
  .exitOverride();
for (const register of [
  registerRun,
  registerVisitors,
  registerCalibrate,
  registerCheckConfig,
  registerEnroll,
  registerGallery,
  registerCrops,
  registerModels,
  registerEval,
  registerTrain,
  registerDataset,
  registerDoctor,
  registerBench,
  registerDemo,
]) {
  register(program, context);
}

try {
  // `eval --stream` is understood as well as `eval stream`.
  const [node = '', script = '', command, ...rest] = process.argv;
  const asked =
    command === 'eval' && rest[0] === '--stream' ? [command, 'stream', ...rest.slice(1)] : process.argv.slice(2);
  await program.parseAsync([node, script, ...asked]);
} catch (error) {
  status = report(error);
}
// What is still on its way into a pipe would be cut off after 64 kB.
await Promise.all([process.stdout, process.stderr].map(written));
if (byForce) {
  process.kill(process.pid, 'SIGKILL');
  // The first process of a container outlives a signal of its own, but not this.
  process.abort();
}
process.exit(status);

/** Resolves once all that was written to a stream has left it, or cannot any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ERRORS.USAGE.exit;
  if (error instanceof EyelineError) {
    context.warn(redact(`eyeline: ${error.message} [${error.code}]`));
    context.warn(`  ${error.help}`);
    // Its thread cannot be ended, and a process that exits would wait for it.
    if (error.code === 'MODEL_HANGS') context.endByForce();
    return error.exitCode;
  }
  context.warn(
    redact(`eyeline: unexpected failure: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  );
  return EXIT_INTERNAL;
}
