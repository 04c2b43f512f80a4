import { once } from 'node:events';
import { createDaemon } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import { createLogger } from '../platform/logger.ts';
import { packageVersion } from '../platform/version.ts';
import type { RegisterCommand } from './command.ts';

/** `eyeline run`: the daemon, until SIGTERM or SIGINT. */
export const registerRun: RegisterCommand = (program, { endByForce, env, signal }) => {
  program
    .command('run')
    .description('watch the cameras and publish identity events, until told to stop')
    .option('-c, --config <file>', 'configuration file (config/eyeline.yaml where there is one)')
    .action(async (options: { config?: string }) => {
      const { config, source, warnings } = await loadConfig({
        ...(options.config ? { file: options.config } : {}),
        env,
      });
      const logger = createLogger({ level: config.log.level });
      logger.info({ version: packageVersion(), config: source, pid: process.pid }, 'eyeline starts');
      for (const warning of warnings) logger.warn({ config: source }, warning);
      const daemon = await createDaemon({ config, env, logger });
      try {
        await daemon.start();
        await Promise.race([signal.aborted ? undefined : once(signal, 'abort'), daemon.failed]);
        logger.info({ reason: String(signal.reason) }, 'stopping');
      } finally {
        if (!(await daemon.stop())) endByForce();
      }
    });
};
