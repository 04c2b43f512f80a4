/** What Eyeline uses of the sd-notify add-on, which comes without types. */
declare module 'sd-notify' {
  const notify: {
    ready(): void;
    stopping(pid: number): void;
    watchdog(): void;
    sendStatus(text: string): void;
  };
  export default notify;
}
