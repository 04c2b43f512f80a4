import { once } from 'node:events';
import { createDaemon } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { endsWithin } from '../core/ends-within.ts';
import { createLogger } from '../platform/logger.ts';
import { packageVersion } from '../platform/version.ts';
import type { RegisterCommand } from './command.ts';

/** How long a start that is told to stop may take to get ready for it; less than the 10 s a container is given. */
const OPENING_MS = 8000;

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
      const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
      const opening = createDaemon({ config, env, logger });
      const daemon = await Promise.race([opening, stopped.then(() => null)]);
      if (daemon === null) {
        logger.info({ reason: String(signal.reason) }, 'stopping before the models are open');
        const isOver = await endsWithin(opening, OPENING_MS, systemClock);
        const isIdle = isOver && (await (await opening).stop());
        if (!isIdle) endByForce();
        return;
      }
      try {
        await daemon.start();
        await Promise.race([stopped, daemon.failed]);
        logger.info({ reason: String(signal.reason) }, 'stopping');
      } finally {
        if (!(await daemon.stop())) endByForce();
      }
    });
};
