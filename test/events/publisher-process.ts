import { onlinePublisher, publisherOptions } from './publisher-fixture.ts';

// A publisher in a process of its own, to be killed: argv[2] is the broker's URL. Says `online` when it is.
await onlinePublisher(publisherOptions(process.argv[2] ?? ''));
process.stdout.write('online\n');
