/**
The style sheet of a page. The page's policy allows this one style and nothing else.
*/

import {dotsStyle, drawingStyle} from '../../drawing/style.js';

/** The whole style sheet. */
export const pageStyle = `:root{color-scheme:light dark;--bg:#fff;--fg:#16202b;--dim:#4d5763;--rule:#d3d9e0;--soft:#f4f6f9;--ok:#116329;--bad:#b3121d;--doubt:#7a4d00;--link:#0550ae}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#edf2f7;--dim:#aab4c0;--rule:#353e4a;--soft:#151b23;--ok:#56d364;--bad:#ff8b82;--doubt:#e3b341;--link:#79c0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 8px}
h2{font-size:19px;margin:44px 0 8px;overflow-wrap:anywhere}
.case{font-size:16px;margin:28px 0 6px;overflow-wrap:anywhere}
p{margin:6px 0;max-width:72ch;overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
a{color:var(--link)}
.dim{color:var(--dim)}
.pass{color:var(--ok)}.fail{color:var(--bad)}.inconclusive{color:var(--doubt)}.unavailable{color:var(--dim)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:12px 0;font-size:14px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--rule)}
th{font-weight:600;color:var(--dim)}
td code{overflow-wrap:anywhere}
td:first-child{white-space:nowrap}
article{border-top:1px solid var(--rule);margin-top:24px}
details{margin:10px 0}
summary{cursor:pointer;padding:4px 0}
details pre{overflow:auto;max-height:480px;background:var(--soft);padding:12px;border-radius:6px;white-space:pre-wrap}
ul,ol{padding-left:24px;margin:6px 0}
li{margin:3px 0;overflow-wrap:anywhere}
.asked li{color:var(--dim)}
.asked .hit{color:inherit}
.reasons{color:inherit;border-left:4px solid var(--bad);padding:2px 0 2px 16px;list-style:none;margin:10px 0}
.reasons.inconclusive{border-color:var(--doubt);color:inherit}
figure{margin:14px 0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:16px}
.pair figure{margin:0;min-width:0}
figure .dw{display:block;width:100%;height:auto;border:1px solid var(--rule);border-radius:10px}
@media screen and (max-width:760px){.pair{grid-template-columns:1fr}figure{overflow-x:auto}figure .dw{min-width:720px}main{padding:20px 14px 48px}}
.wide{max-width:1400px}
@media print{@page{size:A4;margin:12mm}main{max-width:none;padding:0}body{font-size:11px}figure,tr,li{break-inside:avoid}figure .dw{max-height:262mm;border:0}h2,.case{break-after:avoid}}
${drawingStyle}${dotsStyle}`;

/** The SHA-256 of {@link pageStyle} in base64: the only style that the page's policy allows. A test recomputes it. */
export const pageStyleHash = '6bkLJiSUKzbJ4VzwDVKZFICBevpLzjm/va8pR68FKOk=';
