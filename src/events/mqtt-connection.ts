import { Socket } from 'node:net';
import { connect, type IClientOptions, type IConnackPacket, type MqttClient, ReasonCodes } from 'mqtt';
import { messageOf } from '../core/errors.ts';

/** Most messages sent and not acknowledged; a broker may ask for fewer (MQTT 5 receive maximum). */
const IN_FLIGHT_MAX = 64;
/** Larger packets are not taken from a broker that speaks MQTT 5. */
const PACKET_MAX_BYTES = 256 * 1024;

export type ProtocolVersion = 4 | 5;

/** Certificates as PEM; null where there is none. */
export interface MqttTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** Password of the private key. */
  readonly passphrase: string | null;
  /** False accepts any certificate of the broker. */
  readonly verify: boolean;
}

export interface MqttConnectionOptions {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly clientId: string;
  readonly keepAliveS: number;
  readonly connectTimeoutMs: number;
  readonly tls: MqttTls;
  readonly protocolVersion: ProtocolVersion;
  /** Published by the broker, retained, when the connection breaks. */
  readonly will: { readonly topic: string; readonly payload: string };
  /** Shown to the broker's operators (MQTT 5 user properties). MQTT.js cannot write an empty set of them. */
  readonly userProperties: { readonly device: string; readonly software: string };
  readonly onUp: () => void;
  readonly onMessage: (message: MqttIncoming) => void;
}

/** A message to send with QoS 1. */
export interface MqttOutgoing {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly retain: boolean;
  /** MIME type of the payload (MQTT 5); null for plain words. */
  readonly contentType?: string | null;
  /** MQTT 5 message expiry interval, whole seconds. */
  readonly expiryS?: number;
  /** Goes back to whoever asked (MQTT 5 request and response). */
  readonly correlationData?: Buffer | null;
}

export interface MqttIncoming {
  readonly topic: string;
  readonly payload: Buffer;
  /** True when the broker had kept it from before. */
  readonly retained: boolean;
  /** Where the answer is to go, and what with it (MQTT 5 request and response); null when not asked for. */
  readonly responseTopic: string | null;
  readonly correlationData: Buffer | null;
}

/** Why a connection ended or could not be made. */
export interface MqttEnd {
  readonly reason: string;
  /** MQTT reason code (return code in MQTT 3.1.1) with which the broker refused the connection. */
  readonly refusal: number | null;
}

/**
 * One life of a connection to a broker: a client of MQTT.js that never reconnects and never outlives its socket.
 * MQTT.js keeps unacknowledged messages and would send them again as they were, an identity event without `late`;
 * a client that is used once has no store to do that from. Whoever owns the connection decides what is sent again.
 */
export class MqttConnection {
  readonly #options: MqttConnectionOptions;
  #client: MqttClient | null = null;
  #inFlight = 0;
  #inFlightMax = 1;
  /** Messages and subscriptions the broker has not answered. */
  #unanswered = 0;
  #ackTimer: NodeJS.Timeout | null = null;
  #farewell = '';
  #ended = false;
  #end: (end: MqttEnd) => void = () => {};

  constructor(options: MqttConnectionOptions) {
    this.#options = options;
  }

  /** True when another message may be sent. */
  get free(): boolean {
    return !this.#ended && this.#inFlight < this.#inFlightMax;
  }

  /** Connects; resolves when the connection has ended, for whatever reason. Never rejects. */
  open(): Promise<MqttEnd> {
    return new Promise((resolve) => {
      this.#end = resolve;
      try {
        this.#listen(connect(this.#options.url, clientOptions(this.#options)));
      } catch (error) {
        this.#finish(reasonOf(error));
      }
    });
  }

  /**
   * Sends with QoS 1. `done` is called once when the broker has answered, with its reason when it refused the
   * message; it is not called when the connection ends before.
   */
  publish(message: MqttOutgoing, done: (refusal: string | null) => void): void {
    const { contentType = null, correlationData = null, expiryS, payload, retain, topic } = message;
    this.#inFlight++;
    this.#asked();
    const properties = {
      // What is text is UTF-8 (MQTT 5, section 3.3.2.3.2).
      ...(contentType === null ? {} : { contentType, payloadFormatIndicator: typeof payload === 'string' }),
      ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
      ...(correlationData === null ? {} : { correlationData }),
    };
    this.#client?.publish(topic, payload, { qos: 1, retain, properties }, (error) => {
      // Only a reason code is an answer of the broker; other errors come with the end of the connection.
      if (this.#ended || (error && !isRefusal(error))) return;
      this.#inFlight--;
      this.#answered();
      done(error ? reasonOf(error) : null);
    });
  }

  /** Subscribes with QoS 1; `done` gets the broker's reason when it refused a topic. */
  subscribe(topics: readonly string[], done: (refusal: string | null) => void): void {
    if (topics.length === 0) {
      done(null);
      return;
    }
    this.#asked();
    this.#client?.subscribe([...topics], { qos: 1 }, (error) => {
      if (this.#ended) return;
      this.#answered();
      done(error ? reasonOf(error) : null);
    });
  }

  /** Says goodbye: the broker drops the will. `open` resolves when the socket is closed. */
  close(): void {
    this.#client?.end(false, { reasonCode: 0 });
  }

  /** Drops the connection without a word: the broker publishes the will. */
  destroy(): void {
    this.#finish('closed');
  }

  #listen(client: MqttClient): void {
    this.#client = client;
    client.on('connect', (connack) => this.#connected(client, connack));
    client.on('message', (topic, payload, packet) => {
      if (this.#ended) return;
      const { responseTopic = null, correlationData = null } = packet.properties ?? {};
      this.#options.onMessage({ topic, payload, retained: packet.retain, responseTopic, correlationData });
    });
    client.on('disconnect', ({ reasonCode }) => {
      this.#farewell = `the broker ended the connection: ${reasonText(reasonCode ?? 0)}`;
    });
    client.on('error', (error) => this.#finish(reasonOf(error), isRefusal(error) ? error.code : null));
    client.on('close', () => this.#finish(this.#farewell || 'the connection was closed'));
  }

  #connected(client: MqttClient, connack: IConnackPacket): void {
    if (this.#ended) return;
    const { receiveMaximum, maximumQoS, retainAvailable } = connack.properties ?? {};
    const lacks = [
      ...(maximumQoS === 0 ? ['messages of QoS 1'] : []),
      ...(retainAvailable === false ? ['retained messages'] : []),
    ];
    if (lacks.length > 0) {
      this.#finish(`the broker does not take ${lacks.join(' and ')}`);
      return;
    }
    this.#inFlightMax = Math.min(IN_FLIGHT_MAX, receiveMaximum ?? IN_FLIGHT_MAX);
    // An event is one small packet: it must not wait for the acknowledgement of the one before (Nagle).
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    this.#options.onUp();
  }

  #asked(): void {
    this.#unanswered++;
    this.#ackTimer ??= this.#expectAck();
  }

  #answered(): void {
    this.#unanswered--;
    if (this.#ackTimer) clearTimeout(this.#ackTimer);
    this.#ackTimer = this.#unanswered > 0 ? this.#expectAck() : null;
  }

  /** A broker that answers pings but acknowledges nothing is as good as gone. */
  #expectAck(): NodeJS.Timeout {
    const timeoutMs = this.#options.keepAliveS * 1500;
    return setTimeout(() => this.#finish(`no acknowledgement within ${timeoutMs} ms`), timeoutMs);
  }

  #finish(reason: string, refusal: number | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#ackTimer) clearTimeout(this.#ackTimer);
    this.#client?.end(true);
    // After a goodbye that was not answered `end` does nothing more.
    this.#client?.stream.destroy();
    this.#end({ reason, refusal });
  }
}

function clientOptions(options: MqttConnectionOptions): IClientOptions {
  const { protocolVersion, will, tls, username, password } = options;
  return {
    protocolVersion,
    clientId: options.clientId,
    clean: true,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    keepalive: options.keepAliveS,
    connectTimeout: options.connectTimeoutMs,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    ...(protocolVersion === 5
      ? { properties: { maximumPacketSize: PACKET_MAX_BYTES, userProperties: { ...options.userProperties } } }
      : {}),
    ...loginOptions({ username, password, tls }),
  };
}

/** Who somebody is to a broker, and how its certificate is checked. */
export interface MqttLogin {
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: MqttTls;
}

/** A login as MQTT.js takes it. */
export function loginOptions({ username, password, tls }: MqttLogin): IClientOptions {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.passphrase === null ? {} : { passphrase: tls.passphrase }),
    rejectUnauthorized: tls.verify,
  };
}

function isRefusal(error: unknown): error is Error & { code: number } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** Why something failed, in words that are the same each time, on one line. */
function reasonOf(error: unknown): string {
  // Connecting to a name with several addresses fails with one error for each and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  // The message of an OpenSSL error holds the number of a thread and lines of its source.
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
  return messageOf(error).trim() || 'unknown error';
}

function reasonText(code: number): string {
  const known: Readonly<Record<number, string>> = ReasonCodes;
  return known[code] || `reason code ${code}`;
}
