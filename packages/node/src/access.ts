/**
 * Who may talk to this node as a client: the password, and protected mode where there is none. One user, `default`, as in Redis.
 * A password set while the node runs holds until it ends, for connections made from then on.
 *
 * What a client gives is compared as a MAC under a key of this process: equal lengths, equal time, whatever it gave.
 */
import type { NodeConfig } from './config.ts';
import { isSameSecret } from './constant-time.ts';
import { isLoopbackPeer } from './loopback.ts';
import type { Runtime } from './runtime.ts';

const KEY_BYTES = 32;

export interface AccessOptions extends Pick<Required<NodeConfig>, 'requirepass' | 'unsafeNoAuth'> {}

export class Access {
  readonly #runtime: Pick<Runtime, 'mac' | 'secrets'>;
  readonly #unsafeNoAuth: boolean;
  #key: Buffer | undefined;
  #password = '';
  #expected: Buffer | undefined;

  constructor(options: AccessOptions, runtime: Pick<Runtime, 'mac' | 'secrets'>) {
    this.#runtime = runtime;
    this.#unsafeNoAuth = options.unsafeNoAuth;
    this.setPassword(options.requirepass);
  }

  /** '' when none is asked for. CONFIG GET tells it to those who know it, as Redis does; nothing else may. */
  get password(): string {
    return this.#password;
  }

  get needsPassword(): boolean {
    return this.#expected !== undefined;
  }

  setPassword(password: string): void {
    this.#password = password;
    this.#expected = password === '' ? undefined : this.#macOf(Buffer.from(password, 'utf8'));
  }

  /** Without a password every one is right: that is how Redis takes AUTH with a user. */
  isRight(given: Uint8Array): boolean {
    return this.#expected === undefined || isSameSecret(this.#macOf(given), this.#expected);
  }

  /** Protected mode: without a password clients of other machines are turned away. `address` is `host:port`. */
  isDenied(address: string): boolean {
    return !this.needsPassword && !this.#unsafeNoAuth && !isLoopbackPeer(address);
  }

  #macOf(bytes: Uint8Array): Buffer {
    if (this.#key === undefined) {
      this.#key = Buffer.alloc(KEY_BYTES);
      this.#runtime.secrets.fill(this.#key);
    }
    return this.#runtime.mac(this.#key, bytes);
  }
}
