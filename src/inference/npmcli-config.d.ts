/** The part of @npmcli/config that we use; it comes without types. */
declare module '@npmcli/config' {
  export default class Config {
    constructor(options: {
      definitions: unknown;
      flatten: unknown;
      shorthands: unknown;
      npmPath: string;
      env?: NodeJS.ProcessEnv;
      argv: readonly string[];
      warn: boolean;
    });
    load(): Promise<void>;
    /** Options as npm's libraries take them. */
    readonly flat: Readonly<Record<string, unknown>>;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const keys: { readonly definitions: unknown; readonly flatten: unknown; readonly shorthands: unknown };
  export default keys;
}
