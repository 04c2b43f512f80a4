import { writeFile } from 'node:fs/promises';
import { asyncApi, commandRequestJsonSchema, commandResponseJsonSchema } from '../src/events/async-api.ts';
import { attemptJsonSchema } from '../src/events/attempt.ts';
import { identityEventJsonSchema } from '../src/events/identity-event.ts';

/** Files of docs/schemas, all made of the zod schemas; a test keeps them in step. */
export function schemaFiles(): Record<string, object> {
  return {
    'identity-event.schema.json': identityEventJsonSchema(),
    'attempt.schema.json': attemptJsonSchema(),
    'command-request.schema.json': commandRequestJsonSchema(),
    'command-response.schema.json': commandResponseJsonSchema(),
    'asyncapi.json': asyncApi(),
  };
}

if (import.meta.filename === process.argv[1]) {
  for (const [name, schema] of Object.entries(schemaFiles())) {
    const file = new URL(`../docs/schemas/${name}`, import.meta.url);
    await writeFile(file, `${JSON.stringify(schema, null, 2)}\n`);
  }
}
