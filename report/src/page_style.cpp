#include "page_parts.hpp"

namespace xbar::report {

// The dark theme is written twice since CSS cannot say "this attribute or that preference"; print
// is always light, because the dark rules hold on screens only.
#define XBAR_DARK                                                                           \
  "color-scheme:dark;--bg:#11151a;--xb-surface:#181d24;--line:#2b323c;--xb-ink:#e4e8ee;"    \
  "--xb-muted:#9da7b4;--xb-grid:#2a313b;--xb-axis:#6b7684;--accent:#6cb6ff;--tint:#1f262f;" \
  "--good:#4cc38a;--warn:#e3b341;--bad:#ff7b72;"                                            \
  "--xb-s1:#5fb3f0;--xb-s2:#ff9250;--xb-s3:#3ccb9d;--xb-s4:#e48fd0;--xb-s5:#d9b23f;"        \
  "--xb-s6:#9cc9e8;--xb-s7:#ff7b78;--xb-s8:#a8b2bf"

const std::string_view page_style =
    ":root{color-scheme:light;--bg:#f6f7f8;--xb-surface:#fff;--line:#e1e5e9;--xb-ink:#1c2128;"
    "--xb-muted:#5b6470;--xb-grid:#e6e9ed;--xb-axis:#8a93a0;--accent:#0067a5;--tint:#f0f2f5;"
    "--good:#1a7f4b;--warn:#8a6100;--bad:#b3262b;"
    "--xb-s1:#0067a5;--xb-s2:#c24a00;--xb-s3:#007a5a;--xb-s4:#9b3f86;--xb-s5:#876000;"
    "--xb-s6:#3a7ca5;--xb-s7:#b3262b;--xb-s8:#5c6570}\n"
    "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){" XBAR_DARK
    "}}\n"
    "@media screen{:root[data-theme=dark]{" XBAR_DARK
    "}}\n"
    R"(*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--xb-ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
.page{max-width:1152px;margin:0 auto;padding:40px 24px 56px}
header{position:relative;padding-right:88px}
h1{font-size:28px;line-height:1.2;font-weight:650;letter-spacing:-.01em;margin:0;overflow-wrap:anywhere;text-wrap:balance}
.subtitle{color:var(--xb-muted);margin:8px 0 0;max-width:72ch}
h2{font-size:20px;line-height:1.3;font-weight:650;margin:0 0 12px;scroll-margin-top:16px;overflow-wrap:anywhere}
section{margin-top:48px}
p{margin:0 0 16px;max-width:72ch;overflow-wrap:anywhere}
p,figcaption,.why,.verdict span{text-wrap:pretty}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:3px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.theme{position:absolute;right:0;top:2px;font:13px/1 inherit;font-family:inherit;color:var(--xb-muted);background:none;border:1px solid var(--line);border-radius:6px;padding:7px 11px;cursor:pointer}
.theme:hover{color:var(--xb-ink)}
.s-good{--mark:var(--good)}.s-warn{--mark:var(--warn)}.s-bad{--mark:var(--bad)}.s-neutral{--mark:var(--line)}
.verdict{display:flex;gap:14px;align-items:flex-start;margin-top:28px;padding:18px 20px;background:var(--xb-surface);border:1px solid var(--line);border-left:4px solid var(--mark);border-radius:8px}
.verdict .icon{width:24px;height:24px;margin-top:2px}
.verdict strong{display:block;text-wrap:balance;font-size:20px;line-height:1.35;font-weight:650}
.verdict span{color:var(--xb-muted)}
.icon{flex:none;width:16px;height:16px;fill:none;stroke:var(--mark);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.s-neutral>.icon,.s-neutral .icon{stroke:var(--xb-muted)}
.cards{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));gap:14px;margin:14px 0 0;padding:0}
.card{display:flex;flex-direction:column;margin:0;padding:16px 18px;background:var(--xb-surface);border:1px solid var(--line);border-radius:8px}
.card dt{display:flex;justify-content:space-between;align-items:flex-start;gap:8px;font-size:14px;line-height:1.4;color:var(--xb-muted)}
.card dt .icon{margin-top:2px}
.card dd{margin:0}
.card .value{margin-top:6px;font-size:30px;line-height:1.2;font-weight:620;letter-spacing:-.015em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.card.s-good .value,.card.s-warn .value,.card.s-bad .value{color:var(--mark)}
.card .unit{font-size:17px;font-weight:500;letter-spacing:0;color:var(--xb-muted);margin-left:.25em}
.card .why{margin-top:6px;font-size:14px;line-height:1.45;color:var(--xb-muted)}
.toc{margin-top:28px;font-size:15px}
.toc ol{display:flex;flex-wrap:wrap;gap:6px 22px;margin:0;padding:0;list-style:none}
.toc a{text-decoration:none}
.toc a:hover{text-decoration:underline}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:18px;margin:0 0 20px}
figure{margin:0;min-width:0;padding:20px 20px 16px;background:var(--xb-surface);border:1px solid var(--line);border-radius:8px}
.figures>figure:only-child:not(.full){max-width:760px}
figure.full{grid-column:1/-1}
figure svg{display:block;width:100%;height:auto}
figcaption{margin-top:12px;font-size:14px;line-height:1.5;color:var(--xb-muted);max-width:72ch}
.table{margin:0 0 20px;background:var(--xb-surface);border:1px solid var(--line);border-radius:8px;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14.5px;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:12px 16px 4px;font-size:14px;color:var(--xb-muted)}
th,td{padding:8px 16px;text-align:left;vertical-align:top}
th{font-weight:600;vertical-align:bottom;border-bottom:1px solid var(--xb-axis)}
tbody tr+tr td{border-top:1px solid var(--line)}
tbody tr:hover td{background:var(--tint)}
td.n,th.n{text-align:right}
.short{white-space:nowrap}
td .icon{width:13px;height:13px;margin-right:6px;vertical-align:-1px}
td.s-good,td.s-warn,td.s-bad{color:var(--mark);font-weight:600}
th button{all:unset;cursor:pointer;font-weight:600}
th button:hover{color:var(--accent)}
th button:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
th button::after{content:"\2195";display:inline-block;width:1em;margin-left:.25em;text-align:center;color:var(--xb-axis);font-weight:400}
th.n button::after{content:none}
th.n button::before{content:"\2195";margin-right:.35em;color:var(--xb-axis);font-weight:400}
th[aria-sort=ascending] button::after,th.n[aria-sort=ascending] button::before{content:"\2191";color:var(--accent)}
th[aria-sort=descending] button::after,th.n[aria-sort=descending] button::before{content:"\2193";color:var(--accent)}
th.n[aria-sort] button::after{content:none}
.keys{display:grid;grid-template-columns:minmax(0,max-content) minmax(0,1fr);gap:0 24px;margin:0 0 20px;padding:6px 18px;background:var(--xb-surface);border:1px solid var(--line);border-radius:8px;font-size:14.5px;line-height:1.45}
.keys div{display:grid;grid-template-columns:subgrid;grid-column:1/-1;padding:7px 0}
.keys div+div{border-top:1px solid var(--line)}
.keys dt{color:var(--xb-muted);overflow-wrap:anywhere}
.keys dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
details{margin:0 0 20px}
summary{cursor:pointer;padding:6px 0;font-weight:600;width:max-content;max-width:100%}
summary:hover{color:var(--accent)}
details>div{padding-top:10px}
pre{margin:0 0 20px;padding:14px 18px;overflow-x:auto;background:var(--tint);border:1px solid var(--line);border-radius:8px;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;tab-size:4}
footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--line);font-size:13px;color:var(--xb-muted);white-space:pre-line;overflow-wrap:anywhere}
.tip{position:fixed;z-index:9;pointer-events:none;max-width:280px;padding:7px 10px;background:var(--xb-ink);color:var(--xb-surface);border-radius:6px;font-size:13px;line-height:1.4;white-space:pre-line;font-variant-numeric:tabular-nums}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
[hidden]{display:none}
@media (max-width:960px){.cards{display:flex;flex-wrap:wrap}.card{flex:1 1 170px}}
@media (max-width:640px){.page{padding:24px 12px 40px}h1{font-size:24px}section{margin-top:36px}figure{padding:14px 12px 12px}.cards{gap:10px}.card{flex-basis:150px}.card{padding:13px 14px}.card .value{font-size:25px}.verdict{padding:14px}th,td,caption{padding-left:11px;padding-right:11px}}
@media print{@page{margin:15mm}body{background:none;font-size:10.5pt}.page{max-width:none;padding:0}.theme,.tip{display:none}section{margin-top:24pt}h2{break-after:avoid}figure,.card,.verdict,tr,.keys div{break-inside:avoid}.figures{grid-template-columns:1fr 1fr}.figures>figure:only-child:not(.full){grid-column:1/-1;max-width:120mm}thead{display:table-header-group;break-inside:avoid}table,figcaption,.keys,.card .why{font-size:9pt}th,td{padding:5px 8px}.card .value{font-size:18pt}th button::after,th button::before{content:none!important}.table,pre{overflow:visible}pre{white-space:pre-wrap}a{color:inherit;text-decoration:none}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)";

#undef XBAR_DARK

}  // namespace xbar::report
