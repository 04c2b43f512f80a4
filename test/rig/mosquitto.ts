import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accepts, freePort } from '../../src/commands/bench/local-mosquitto.ts';

const BINARY = '/usr/sbin/mosquitto';
const PORT_TRIES = 5;
const READY_TIMEOUT_MS = 20_000;

export interface MosquittoOptions {
  /** User names and passwords; anybody may come without. */
  readonly users?: Readonly<Record<string, string>>;
  /** Ask for TLS with a client certificate. */
  readonly certificates?: Certificates;
  /** Further lines of mosquitto.conf. */
  readonly lines?: readonly string[];
  /** Lines of the ACL file. */
  readonly acl?: readonly string[];
}

/** A real mosquitto on a free port of this machine, to be killed, frozen and started again. */
export class Mosquitto {
  readonly port: number;
  readonly #dir: string;
  readonly #tls: boolean;
  #process: ChildProcess | null = null;

  private constructor(port: number, dir: string, tls: boolean) {
    this.port = port;
    this.#dir = dir;
    this.#tls = tls;
  }

  static get installed(): boolean {
    return existsSync(BINARY);
  }

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const dir = await mkdtemp(join(tmpdir(), 'eyeline-mosquitto-'));
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      await writeFile(join(dir, 'mosquitto.conf'), await configuration(dir, port, options));
      const broker = new Mosquitto(port, dir, options.certificates !== undefined);
      try {
        await broker.restart();
        return broker;
      } catch (error) {
        // Somebody else may have taken the port in between.
        if (attempt < PORT_TRIES) continue;
        await rm(dir, { recursive: true, force: true });
        throw error;
      }
    }
  }

  get url(): string {
    return `${this.#tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${this.port}`;
  }

  /** Starts it (again) on the same port; resolves when it accepts connections. */
  async restart(): Promise<void> {
    const child = spawn(BINARY, ['-c', join(this.#dir, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'ignore'] });
    this.#process = child;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`mosquitto did not start:\n${await this.log()}`);
      await delay(20);
    }
    if (child.exitCode !== null) throw new Error('another process listens on the port');
  }

  /** What it has logged. */
  async log(): Promise<string> {
    return await readFile(join(this.#dir, 'mosquitto.log'), 'utf8').catch(() => '');
  }

  /** Replaces the passwords; they hold after the next start. */
  async setUsers(users: Readonly<Record<string, string>>): Promise<void> {
    await writePasswords(this.#dir, users);
  }

  /** Stops it from running, as a machine that hangs; its sockets stay open. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it without a goodbye. */
  async kill(): Promise<void> {
    await this.#end();
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.#end();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

/** Files of a certificate authority and of what it signed. */
export interface Certificates {
  readonly dir: string;
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  /** Encrypted with {@link clientKeyPassword}. */
  readonly clientKey: string;
  readonly clientKeyPassword: string;
}

/** Makes a certificate authority, a server certificate for 127.0.0.1 and a client certificate with OpenSSL. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'eyeline-certificates-'));
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const clientKeyPassword = 'test-key-password';
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
  );
  const sign = async (name: string, extensions: string, keyArgs: string[]) => {
    openssl('req', ...key, ...keyArgs, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    await writeFile(at(`${name}.ext`), extensions);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...authority,
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
  };
  await sign('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n', ['-nodes']);
  await sign('client', 'extendedKeyUsage=clientAuth\n', ['-passout', `pass:${clientKeyPassword}`]);
  return {
    dir,
    ca: at('ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
    clientKeyPassword,
  };
}

async function configuration(dir: string, port: number, options: MosquittoOptions): Promise<string> {
  const { users, certificates, acl } = options;
  if (users) await writePasswords(dir, users);
  if (acl) await writeFile(join(dir, 'acl'), `${acl.join('\n')}\n`);
  return [
    // Without this it becomes another user, who cannot read the files of the test.
    'user root',
    `log_dest file ${join(dir, 'mosquitto.log')}`,
    'persistence false',
    `listener ${port} 127.0.0.1`,
    users ? `allow_anonymous false\npassword_file ${join(dir, 'passwords')}` : 'allow_anonymous true',
    ...(acl ? [`acl_file ${join(dir, 'acl')}`] : []),
    ...(certificates
      ? [
          `cafile ${certificates.ca}`,
          `certfile ${certificates.serverCert}`,
          `keyfile ${certificates.serverKey}`,
          'require_certificate true',
        ]
      : []),
    ...(options.lines ?? []),
    '',
  ].join('\n');
}

async function writePasswords(dir: string, users: Readonly<Record<string, string>>): Promise<void> {
  const file = join(dir, 'passwords');
  await writeFile(
    file,
    Object.entries(users)
      .map((entry) => `${entry.join(':')}\n`)
      .join(''),
  );
  execFileSync('mosquitto_passwd', ['-U', file], { stdio: 'pipe' });
}
