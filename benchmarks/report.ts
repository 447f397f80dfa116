/** A result for people: markdown, which is also what the terminal shows. */
import { machineLine, noiseWarning } from './machine.ts';
import { type BenchmarkResult, type Measurement, median, type Ratio, type Section } from './results.ts';

export function toMarkdown(result: BenchmarkResult): string {
  const { machine, options, sections } = result;
  const warning = noiseWarning(machine);
  const head = [
    `# Benchmarks of ${machine.date}, commit ${machine.commit}`,
    machineLine(machine),
    `Medians of ${options.runs} runs, each in a fresh process and directory, the subjects in turn. Quote the ratios (kvd / peer; in brackets slowest over fastest run, and fastest over slowest), never the absolutes.`,
    ...(warning === undefined ? [] : [`**${warning}**`]),
  ];
  return `${[...head, ...sections.flatMap(sectionParts)].join('\n\n')}\n`;
}

function sectionParts(section: Section): string[] {
  const missing = section.missing.map((reason) => `- not measured: ${reason.replaceAll('\n', ' ')}`);
  return [
    `## ${section.title}`,
    section.about,
    ...(section.measurements.length === 0 ? [] : [speedTable(section.measurements)]),
    ...(section.ratios.length === 0 ? [] : [ratioTable(section)]),
    ...detailTables(section),
    ...(missing.length === 0 ? [] : [missing.join('\n')]),
  ];
}

function speedTable(measurements: readonly Measurement[]): string {
  return pivot('operations/s', measurements, (found) => formatCount(found.medianOperationsPerSecond));
}

function ratioTable({ ratios }: Section): string {
  const columns = unique(ratios.map(({ subject, peer }) => `${subject} / ${peer}`));
  const workloads = unique(ratios.map(({ workload }) => workload));
  const rows = workloads.map((workload) => {
    const cells = columns.map((column) => {
      const found = ratios.find(
        (ratio) => ratio.workload === workload && `${ratio.subject} / ${ratio.peer}` === column,
      );
      return found === undefined ? '-' : formatRatio(found);
    });
    return [workload, ...cells];
  });
  return table(['ratio of medians', ...columns], rows);
}

/** Latencies, pauses and the like: one table per detail, medians of the runs. */
function detailTables({ measurements }: Section): string[] {
  const names = unique(measurements.flatMap(({ runs }) => runs.flatMap(({ details }) => Object.keys(details))));
  return names
    .filter((name) => name !== 'elapsedMs')
    .map((name) => pivot(name, measurements, ({ runs }) => formatDetail(runs.map(({ details }) => details[name]))));
}

function pivot(title: string, measurements: readonly Measurement[], cell: (found: Measurement) => string): string {
  const subjects = unique(measurements.map(({ subject }) => subject));
  const rows = unique(measurements.map(({ workload }) => workload)).map((workload) => {
    const cells = subjects.map((subject) => {
      const found = measurements.find((entry) => entry.workload === workload && entry.subject === subject);
      return found === undefined ? '-' : cell(found);
    });
    return [workload, ...cells];
  });
  return table([title, ...subjects], rows);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(column.length, 4, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

function formatCount(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : `${(value / 1000).toFixed(1)}k`;
}

function formatRatio({ ratio, lowest, highest }: Ratio): string {
  return `${ratio.toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`;
}

function formatDetail(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return '-';
  const value = median(known);
  return value >= 10 ? String(Math.round(value)) : value.toFixed(2);
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
