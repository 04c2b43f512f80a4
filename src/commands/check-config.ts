import { loadConfig } from '../config/load.ts';
import { modelsInUse } from '../config/models-in-use.ts';
import { printable } from '../config/printable.ts';
import { ConfigError } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { EyelineError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { RegisterCommand } from './command.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

/** `eyeline check-config`: says whether the configuration can be used, what is wrong, and what is unwise. */
export const registerCheckConfig: RegisterCommand = (program, context) => {
  program
    .command('check-config')
    .description('Check the configuration without starting.')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print one JSON object: ok, source, config and warnings, or the errors')
    .action(async (options: Options) => {
      try {
        const file = options.config;
        const { config, source, warnings } = await loadConfig({ env: context.env, ...(file && { file }) });
        const shown = printable(config);
        if (options.json) {
          context.print(JSON.stringify({ ok: true, source, config: shown, warnings }, null, 2));
          return;
        }
        context.print(`${source}: ok`);
        for (const line of summary(shown)) context.print(`  ${line}`);
        for (const warning of warnings) context.print(`warning: ${warning}`);
      } catch (error) {
        if (!options.json || !(error instanceof EyelineError)) throw error;
        const errors = error instanceof ConfigError ? error.problems : [];
        const message = redact(error.message);
        context.print(JSON.stringify({ ok: false, code: error.code, message, errors, help: error.help }, null, 2));
        context.exitWith(error.exitCode);
      }
    });
};

function summary(config: Config): string[] {
  const { device, cameras, inference, models, gallery, mqtt } = config;
  const watched = cameras.map((camera) => `${camera.id}${camera.enabled ? '' : ' (disabled)'} ${camera.source}`);
  return [
    `device   ${device.id} at site ${device.site}`,
    ...(watched.length > 0 ? watched.map((line) => `camera   ${line}`) : ['camera   none']),
    `models   ${modelsInUse(models).join(', ')} in ${models.dir} on ${inference.providers.join(', ')}`,
    `gallery  ${gallery.file}`,
    `mqtt     ${mqtt.enabled ? `${mqtt.url}, topics ${mqtt.prefix}/${device.id}/…` : 'off'}`,
  ];
}
