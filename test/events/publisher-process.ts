import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { openEventSpool } from '../../src/events/sqlite-event-spool.ts';
import { draft, KeepingLogger, onlinePublisher, publisherOptions } from './publisher-fixture.ts';

// A publisher in a process of its own, to be killed: argv[2] is the broker's URL. Says `online` when it is. With a file
// for its spool as argv[3] it then publishes for ever, and says the sequence of each event as soon as it has handed it over.
const [, , url = '', file] = process.argv;
const spool = file ? openEventSpool(file, 'porch', new KeepingLogger()) : null;
const publisher = await onlinePublisher(publisherOptions(url, { spool }));
writeSync(1, 'online\n');
for (let sequence = 1; spool; sequence++) {
  publisher.publishIdentity(draft());
  writeSync(1, `${sequence}\n`);
  // Enough to keep the broker busy, and to let it answer.
  if (sequence % 5 === 0) await setImmediate();
}
