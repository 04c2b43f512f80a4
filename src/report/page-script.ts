/** Draws the charts of the page with uPlot, which is in the page before it. Runs in a browser. */
export const PAGE_SCRIPT = `
(() => {
  const COLOURS = ['#1f6feb', '#d1570d', '#1a7f37', '#8250df', '#c7a008', '#0a7ea4', '#bf3989', '#57606a'];
  const percent = (value) => value == null ? '–' : (value * 100).toFixed(2) + ' %';
  const rate = (value) => value == null ? '–' : value >= 0.01 ? String(+value.toPrecision(3)) : value.toExponential(1);
  const decades = (plot, axis, low, high) => {
    const splits = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-6); power <= Math.log10(high) + 1e-6; power++) splits.push(10 ** power);
    return splits;
  };
  const sections = JSON.parse(document.getElementById('charts').textContent);
  sections.forEach((charts, section) => charts.forEach((chart, number) => {
    const place = document.getElementById('chart-' + section + '-' + number);
    const shown = chart.lines.map((line) => line.values.filter((value) => value != null)).flat();
    const whole = chart.x.values.every(Number.isInteger);
    const long = chart.x.values[chart.x.values.length - 1] > 60;
    const least = shown.reduce((low, value) => Math.min(low, value), 1);
    const series = chart.lines.map((line, at) => ({
      label: line.name,
      stroke: line.guide ? '#b6bfc8' : COLOURS[(at - (chart.lines[0].guide ? 1 : 0)) % COLOURS.length],
      dash: line.guide ? [4, 4] : undefined,
      width: line.guide ? 1 : 2,
      spanGaps: true,
      points: { show: !line.guide && chart.x.values.length <= 20, size: 6 },
      value: (plot, value) => chart.y.free ? (value == null ? '–' : String(+value.toPrecision(4))) : chart.x.log && chart.y.log ? rate(value) : percent(value),
    }));
    const axis = (label, log, steps) => ({
      label,
      ...(log ? { splits: decades } : steps ? { incrs: steps } : {}),
      values: (plot, values) => values.map((value) => log ? value.toExponential(0) : String(+value.toPrecision(3))),
      grid: { stroke: '#e6eaee' },
      stroke: '#5b6875',
      font: '11px system-ui',
      labelFont: '12px system-ui',
    });
    new uPlot({
      title: chart.title,
      width: Math.max(320, Math.min(560, place.clientWidth)),
      height: 320,
      scales: {
        x: { time: false, distr: chart.x.log ? 3 : 1, range: [chart.x.values[0], chart.x.values[chart.x.values.length - 1]] },
        y: { distr: chart.y.log ? 3 : 1, ...(chart.y.free ? {} : { range: chart.y.log ? [10 ** Math.floor(Math.log10(Math.max(least, 1e-6))), 1] : [0, 1.02] }) },
      },
      axes: [axis(chart.x.label, chart.x.log, chart.y.free || long ? null : whole ? [1, 2, 5, 10] : [0.1, 0.2, 0.5]), axis(chart.y.label, chart.y.log, chart.y.free ? null : [0.1, 0.2, 0.5])],
      series: [{ label: chart.x.label, value: (plot, value) => value == null ? '–' : chart.x.log ? rate(value) : String(+value.toFixed(2)) }, ...series],
      cursor: { drag: { x: false, y: false } },
    }, [chart.x.values, ...chart.lines.map((line) => line.values)], place);
  }));
})();
`;
