// npm run build: all packages, whether they are stale or not; turbo skips what has not changed.
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

ensureInstalled();
ensureBuilt({ always: true });
