/** The lockfile says what the manifests say, and knows every platform's packages: else `npm ci` refuses it. */

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, Manifest>>;
}

export function checkLockfile(lockfile: Lockfile, workspaces: Readonly<Record<string, Manifest>>): string[] {
  const stale = Object.entries(workspaces).filter(
    ([path, manifest]) => dependenciesOf(manifest) !== dependenciesOf(lockfile.packages[path]),
  );
  return [
    ...stale.map(([path]) => `package-lock.json is older than ${path}/package.json: run npm install`),
    ...missingPlatforms(lockfile).map(
      (name) => `package-lock.json lacks ${name}: run node scripts/complete-lockfile.mjs`,
    ),
  ];
}

function dependenciesOf(manifest: Manifest | undefined): string {
  return JSON.stringify(Object.entries(manifest?.dependencies ?? {}).sort());
}

function missingPlatforms({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => {
    const names = Object.keys(optionalDependencies);
    return names.filter((name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages));
  });
}
