/** What the rooms need of a logger; pino's loggers fit. Fields first, then one line of text. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs nothing: for commands that report on their own. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
