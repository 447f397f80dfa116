/** Codes are API and have a heading each in docs/errors.md; messages are not API. */
export type RingErrorCode =
  | 'RING_MEMBERS' // a list of members that no ring can be made of
  | 'RING_OPTIONS' // an option is out of its range
  | 'RING_CORRUPTION' // bytes are not those of a ring
  | 'RING_INCOMPATIBLE_FORMAT'; // written by a newer version

export class RingError extends Error {
  override readonly name = 'RingError';
  readonly code: RingErrorCode;

  constructor(code: RingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
