import { writeFile } from 'node:fs/promises';
import { identityEventJsonSchema } from '../src/events/identity-event.ts';

// Writes docs/schemas/identity-event.schema.json from the zod schema; a test keeps the two in step.
const file = new URL('../docs/schemas/identity-event.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(identityEventJsonSchema(), null, 2)}\n`);
