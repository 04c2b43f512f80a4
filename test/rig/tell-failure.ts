import type { RunnerTestCase } from 'vitest';
import type { MqttRecorder } from './mqtt-recorder.ts';
import type { Program } from './program.ts';

/** Prints what a test that failed last saw on the broker, and the last words of its daemons. */
export function tellFailure(
  task: Readonly<RunnerTestCase>,
  recorder: MqttRecorder | undefined,
  daemons: readonly (Program | undefined)[],
): void {
  if (task.result?.state !== 'fail') return;
  for (const { topic, payload } of recorder?.messages.slice(-30) ?? []) console.error(topic, payload.slice(0, 300));
  for (const daemon of daemons) console.error(daemon?.stdout.split('\n').slice(-30).join('\n') ?? 'no daemon ran');
}
