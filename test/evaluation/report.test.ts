import { describe, expect, it } from 'vitest';
import { verificationFigures } from '../../src/evaluation/figures.ts';
import { chartsOf, tarAt } from '../../src/evaluation/report/chart-data.ts';
import { renderReport } from '../../src/evaluation/report/html-report.ts';
import type { ReportMethod } from '../../src/evaluation/report/report-model.ts';

const ROC = [
  { threshold: Number.POSITIVE_INFINITY, far: 0, tar: 0 },
  { threshold: 0.8, far: 0, tar: 0.5 },
  { threshold: 0.6, far: 0.01, tar: 0.7 },
  { threshold: 0.4, far: 0.1, tar: 1 },
  { threshold: 0.1, far: 1, tar: 1 },
];
const RELIABILITY = {
  ece: 0.1,
  bins: [
    { from: 0, to: 0.5, count: 30, predicted: 0.2, observed: 0.3 },
    { from: 0.5, to: 1, count: 4, predicted: 0.6, observed: 0.5 },
  ],
};
const METHOD: ReportMethod = {
  name: 'full <b>',
  table: { accuracy: '99 %' },
  figures: { roc: ROC, calibration: RELIABILITY, cmc: [0.5, 0.75] },
};

describe('tarAt', () => {
  it.each([
    [1, 1],
    [0.1, 1],
    [0.09, 0.7],
    [0.01, 0.7],
    [0.006, 0.5],
    // One comparison of different people is a hundredth here: less than half of one cannot be told.
    [0.004, null],
  ])('at %f is %s', (rate, tar) => {
    expect(tarAt(ROC, rate)).toBe(tar);
  });
});

describe('chartsOf', () => {
  it('has a chart for every kind of figure, each line as long as its axis', () => {
    const charts = chartsOf([METHOD, { ...METHOD, name: 'other' }]);
    expect(charts.map(({ title }) => title)).toEqual(['ROC', 'DET', 'CMC', 'Reliability']);
    for (const { x, lines } of charts) for (const { values } of lines) expect(values).toHaveLength(x.values.length);
    const [roc, det, cmc, reliability] = charts;
    expect([roc?.x.values[0], roc?.x.values.at(-1)]).toEqual([expect.closeTo(1e-5, 9), 1]);
    expect(roc?.lines[0]?.values.at(-1)).toBe(1);
    // No errors cannot be drawn on a logarithmic axis.
    expect(det?.lines[0]?.values.at(-1)).toBeNull();
    expect(cmc?.lines[1]).toMatchObject({ name: 'other', values: [0.5, 0.75] });
    expect(reliability?.lines.map(({ guide, values }) => [guide, values])).toEqual([
      [true, [0.25, 0.75]],
      [false, [0.3, null]],
      [false, [0.3, null]],
    ]);
  });

  it('leaves out what there are no figures for', () => {
    const pairs = verificationFigures([{ same: true, score: 0.5 }]);
    expect(chartsOf([{ ...METHOD, figures: { roc: pairs.roc, calibration: pairs.calibration } }])).toEqual([]);
  });
});

describe('renderReport', () => {
  const page = renderReport(
    {
      title: 'Pairs & people',
      notes: ['made with </script> "care"'],
      sections: [
        {
          title: 'LFW, plain',
          methods: [METHOD, { ...METHOD, name: '</script><script>alert(1)</script>' }],
          mistakes: [{ title: 'Ada <i>', pictures: [{ caption: "o'hara", jpeg: Uint8Array.of(0xff, 0xd8, 0xff) }] }],
        },
      ],
    },
    { script: 'window.uPlot = class {};', style: '.u{}' },
  );

  it('needs nothing from elsewhere', () => {
    expect(page).not.toMatch(/https?:\/\//);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain('src="data:image/jpeg;base64,/9j/"');
    expect(page).toContain('window.uPlot = class {};');
  });

  it('takes no text for mark-up', () => {
    expect(page).toContain('<h1>Pairs &amp; people</h1>');
    expect(page).toContain('full &lt;b&gt;');
    expect(page).toContain('Ada &lt;i&gt;');
    expect(page).toContain('o&#39;hara');
    // Its own three script elements, and none of a name.
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('holds its charts as data', () => {
    const json = /<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
    const charts = JSON.parse(json) as { lines: { name: string }[] }[][];
    expect(charts[0]).toHaveLength(4);
    expect(charts[0]?.[0]?.lines[1]?.name).toBe('</script><script>alert(1)</script>');
    for (const [number] of charts[0]?.entries() ?? []) expect(page).toContain(`id="chart-0-${number}"`);
  });
});
