/** Style of the report. */
export const PAGE_STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1d2733; margin: 2rem auto; max-width: 1320px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
.note { color: #5b6875; margin: .15rem 0; overflow-wrap: anywhere; }
section { margin-top: 2.25rem; padding-top: 1.25rem; border-top: 1px solid #dde3e9; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; white-space: nowrap; font-weight: normal; }
tr:first-child th { color: #5b6875; border-bottom: 1px solid #dde3e9; }
tr:not(:first-child) th { font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(480px, 1fr)); gap: 1rem 2rem; margin-top: 1rem; }
.u-title { font-size: 14px; }
.u-legend { text-align: left; font-size: 12px; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 1rem; }
figure { margin: 0; padding: .6rem; background: #f4f6f8; border-radius: 6px; }
figcaption { font-size: 13px; margin-bottom: .4rem; }
.pair { display: flex; gap: .5rem; }
.pair div { flex: 0 1 120px; min-width: 0; }
.pair img { width: 100%; max-width: 120px; border-radius: 4px; display: block; }
.pair span { display: block; font-size: 11px; color: #5b6875; overflow-wrap: anywhere; }
`;
