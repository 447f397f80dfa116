/** Who is to be told of a coordinated write's outcome. */
import type { RequestHeader } from '@kvd/replication';

export type Origin =
  | { readonly from: undefined; readonly routerStream: number }
  | { readonly from: string; readonly stream: number; readonly header: RequestHeader };
