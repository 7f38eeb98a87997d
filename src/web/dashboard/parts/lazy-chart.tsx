import { lazy, Suspense } from 'react';
import type { ChartProps } from './chart.tsx';

const Chart = lazy(() => import('./chart.tsx'));

/** A chart, whose library comes when the first one is shown. */
export function LazyChart(props: ChartProps) {
  return (
    <div style={{ minHeight: props.height ?? 220 }}>
      <Suspense fallback={null}>
        <Chart {...props} />
      </Suspense>
    </div>
  );
}
