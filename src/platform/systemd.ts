import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

/** The service manager above the daemon, systemd as a rule; told nothing when there is none (sd_notify(3)). */
export interface ServiceManager {
  /** Start-up is over: the service counts as started. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Shutting down has begun. */
  stopping(): void;
  /** A sign of life. */
  alive(): void;
  /** Without a sign of life for this long the service is restarted; null when it is not watched. */
  readonly watchdogMs: number | null;
}

const NOBODY: ServiceManager = { ready() {}, status() {}, stopping() {}, alive() {}, watchdogMs: null };

/** Connects to the service manager of `NOTIFY_SOCKET`; without one, or without the add-on, to nobody. Never throws. */
export async function connectServiceManager(env: NodeJS.ProcessEnv, logger: Logger): Promise<ServiceManager> {
  if (!env.NOTIFY_SOCKET) return NOBODY;
  try {
    const { default: notify } = await import('sd-notify');
    return {
      ready: () => notify.ready(),
      // A line break would begin another assignment of the protocol.
      status: (text) => notify.sendStatus(text.replace(/[\r\n]+/g, ' ')),
      stopping: () => notify.stopping(process.pid),
      alive: () => notify.watchdog(),
      watchdogMs: watchdogPeriodMs(env, process.pid),
    };
  } catch (error) {
    logger.error({ reason: messageOf(error) }, 'systemd cannot be told anything: the sd-notify add-on does not load');
    return NOBODY;
  }
}

/** Period in which the service manager wants a sign of life (sd_watchdog_enabled(3)), or null. */
export function watchdogPeriodMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const microseconds = Number(env.WATCHDOG_USEC);
  if (!Number.isFinite(microseconds) || microseconds <= 0) return null;
  if (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== pid) return null;
  return microseconds / 1000;
}
