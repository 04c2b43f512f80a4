import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import {
  CommandError,
  type CommandName,
  type CommandRequest,
  type CommandResponse,
  parseCommand,
  requestIdOf,
} from './command.ts';
import { LogOnce } from './log-once.ts';
import type { MqttIncoming, MqttOutgoing } from './mqtt-connection.ts';
import type { DeviceTopics } from './topics.ts';

/** Commands in work at a time; more are refused. */
const IN_WORK_MAX = 8;
const RESPONSE_TOPIC_MAX = 256;

/** Carries a command out; gives the result. Throws CommandError to say why not. */
export type CommandHandler = (request: CommandRequest) => Promise<Readonly<Record<string, unknown>>>;

export interface CommandsOptions {
  readonly topics: DeviceTopics;
  /** First part of every topic of ours, below which nobody may send an answer of ours. */
  readonly prefix: string;
  readonly discoveryPrefix: string;
  readonly allowed: readonly CommandName[];
  /** Sends an answer. */
  readonly send: (message: MqttOutgoing) => void;
  readonly logger: Logger;
}

/**
 * Requests on the command topic: parsed, checked against the commands that are allowed, carried out and answered, on the
 * topic the request names (MQTT 5, section 4.10) or the device's own. Whatever arrives is answered or counted; nothing
 * here throws.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #log: LogOnce;
  readonly #count = { requests: 0, refusedRequests: 0 };
  #inWork = 0;
  #handler: CommandHandler = async () => {
    throw new CommandError('NOT_AVAILABLE', 'the device does not take commands yet');
  };

  constructor(options: CommandsOptions) {
    this.#options = options;
    this.#log = new LogOnce(options.logger);
  }

  /** The topics to subscribe to: none when nothing is allowed. */
  get topics(): readonly string[] {
    return this.#options.allowed.length > 0 ? [this.#options.topics.command] : [];
  }

  /** Requests carried out, and requests refused or failed. */
  get counters() {
    return this.#count;
  }

  onCommand(handler: CommandHandler): void {
    this.#handler = handler;
  }

  /** Takes a message; one that is no request passes. A retained request may be days old: it is not carried out. */
  take(message: MqttIncoming): void {
    if (message.topic !== this.#options.topics.command) return;
    if (message.retained) {
      this.#count.refusedRequests++;
      this.#log.warn(
        { topic: message.topic },
        `a request on ${message.topic} is ignored: it is retained, so it may be old`,
      );
      return;
    }
    void this.#answer(message);
  }

  async #answer(message: MqttIncoming): Promise<void> {
    let request: CommandRequest | null = null;
    let response: Pick<CommandResponse, 'ok' | 'result' | 'error'>;
    try {
      request = parseCommand(message.payload);
      response = { ok: true, result: { ...(await this.#carryOut(request)) }, error: null };
      this.#count.requests++;
      this.#options.logger.info({ command: request.command }, `command ${request.command} over MQTT carried out`);
    } catch (error) {
      this.#count.refusedRequests++;
      const code = error instanceof CommandError ? error.code : 'FAILED';
      this.#log.warn(
        { command: request?.command, code },
        `a command over MQTT was not carried out: ${messageOf(error)}`,
      );
      // What went wrong inside is for the log, not for whoever may publish.
      const text = error instanceof CommandError ? error.message : 'the command failed; the log of the device says why';
      response = { ok: false, result: null, error: { code, message: text } };
    }
    const { command = null, id = null } = request ?? { id: requestIdOf(message.payload) };
    this.#send(message, { schema: 'eyeline.response/1', id, command, ...response });
  }

  async #carryOut(request: CommandRequest): Promise<Readonly<Record<string, unknown>>> {
    const { command } = request;
    if (!this.#options.allowed.includes(command)) {
      throw new CommandError('NOT_ALLOWED', `${command} is not allowed: add it to mqtt.commands of the configuration`);
    }
    if (this.#inWork >= IN_WORK_MAX) throw new CommandError('BUSY', 'too many commands at a time');
    this.#inWork++;
    try {
      return await this.#handler(request);
    } finally {
      this.#inWork--;
    }
  }

  #send({ correlationData, responseTopic }: MqttIncoming, response: CommandResponse): void {
    const { send, topics } = this.#options;
    if (responseTopic !== null && !this.#mayAnswerOn(responseTopic)) {
      this.#log.warn({}, 'a command asks for its answer on a topic that is not for answers: it is sent on the own one');
    }
    const topic = responseTopic !== null && this.#mayAnswerOn(responseTopic) ? responseTopic : topics.response;
    const payload = JSON.stringify(response);
    send({ topic, payload, retain: false, contentType: 'application/json', correlationData });
  }

  /** A requester must not have us write where only the device may: a made-up event would open a door. */
  #mayAnswerOn(topic: string): boolean {
    const { discoveryPrefix, prefix, topics } = this.#options;
    if (topic === topics.response || topic.startsWith(`${topics.response}/`)) return true;
    const taken = [prefix, discoveryPrefix].some((part) => topic === part || topic.startsWith(`${part}/`));
    return (
      !taken &&
      topic.length > 0 &&
      topic.length <= RESPONSE_TOPIC_MAX &&
      !/^\$|[+#]/.test(topic) &&
      !topic.includes('\0')
    );
  }
}
