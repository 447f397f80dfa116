/** The part of cli-progress that progress.ts uses; the library brings no types. */
declare module 'cli-progress' {
  export class SingleBar {
    constructor(options: {
      readonly format?: string;
      readonly clearOnComplete?: boolean;
      readonly hideCursor?: boolean;
      readonly stream?: NodeJS.WritableStream;
    });
    start(total: number, startValue: number, payload?: Readonly<Record<string, unknown>>): void;
    update(current: number, payload?: Readonly<Record<string, unknown>>): void;
    stop(): void;
  }
}
