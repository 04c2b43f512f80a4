interface Pending {
  resolve(pixels: readonly Uint8Array[]): void;
  reject(error: Error): void;
}

/** Questions put to a camera's process, until they are answered or the process is gone. */
export class PixelRequests {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  /** Puts a question under a new id; gives the answer. */
  ask(send: (id: number) => void): Promise<readonly Uint8Array[]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      send(id);
    });
  }

  answer(id: number, pixels: readonly Uint8Array[]): void {
    this.#take(id)?.resolve(pixels);
  }

  refuse(id: number, error: Error): void {
    this.#take(id)?.reject(error);
  }

  refuseAll(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.refuse(id, error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}
