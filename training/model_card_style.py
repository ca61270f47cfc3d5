"""The style sheet of a model card: light and dark by the reader's setting, and on paper. It loads nothing."""

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--bg:#f6f5f1;--panel:#fff;--ink:#1b2430;--soft:#566170;--line:#d9dce2;--grid:#eceef1;
--model:#0b66a8;--rules:#c2540a;--other:#7c8794;--good:#17703f;--bad:#ad2118;--warn:#855300;
--good-bg:#e6f3ea;--bad-bg:#fae8e6;--warn-bg:#fbf1dd;--train:#8aa4c4;--test:#0b66a8;
--q0:#2166ac;--q1:#4f8ec4;--q2:#8fb8d8;--q3:#b3aab8;--q4:#e8a07a;--q5:#dd6f43;--q6:#b7370f;--qn:#9aa3ad}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--panel:#1a2028;--ink:#e7ebf0;--soft:#a2adba;--line:#343d49;
--grid:#2a323c;--model:#62b5f0;--rules:#f39a55;--other:#8d99a8;--good:#6cc892;--bad:#f28b82;--warn:#e6b85c;
--good-bg:#18301f;--bad-bg:#3a1d1b;--warn-bg:#362a12;--train:#56708f;--test:#62b5f0;
--q0:#5aa9f2;--q1:#6b9fd2;--q2:#7f93ad;--q3:#948a96;--q4:#c98d6d;--q5:#e38350;--q6:#fb7a3c;--qn:#6d7783}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI","Noto Sans",
"Noto Sans JP",sans-serif;overflow-wrap:break-word}
a{color:var(--model)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--panel);padding:.4rem .8rem}
header,main,footer{max-width:66rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.2rem}
header .kicker{font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:0}
h1{font-size:2rem;line-height:1.2;margin:.2rem 0 .3rem;letter-spacing:-.01em}
h2{font-size:1.32rem;margin:0 0 .6rem;letter-spacing:-.005em}
h3{font-size:1.03rem;margin:1.6rem 0 .5rem}
p{margin:.5rem 0;max-width:48rem}ul{margin:.4rem 0;padding-left:1.2rem;max-width:48rem}li{margin:.25rem 0}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--grid);padding:.08em .32em;
border-radius:4px;unicode-bidi:isolate;overflow-wrap:anywhere}
.sub{color:var(--soft);margin:0 0 1rem}
nav{margin:1.1rem 0 0;font-size:.9rem}nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.05rem;padding:0;
max-width:none}nav a{text-decoration:none}nav a:hover{text-decoration:underline}
section{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:1.35rem 1.5rem 1.5rem;
margin:1.15rem 0}
.verdict{border-left:6px solid var(--other)}
.verdict.good{border-left-color:var(--good)}.verdict.bad{border-left-color:var(--bad)}
.verdict.unsure{border-left-color:var(--warn)}
.verdict h2{font-size:1.6rem;line-height:1.25}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:.8rem;margin:1.1rem 0 .3rem;
padding:0;
list-style:none;max-width:none}
.tiles li{margin:0;border:1px solid var(--line);border-radius:10px;padding:.75rem .9rem}
.tiles .name{display:block;font-size:.82rem;color:var(--soft)}
.tiles .value{display:block;font-size:1.55rem;font-weight:650;font-variant-numeric:tabular-nums;line-height:1.25}
.tiles .more{display:block;font-size:.82rem;color:var(--soft)}
.note{border-radius:8px;padding:.6rem .85rem;margin:.8rem 0;max-width:48rem}
.note.good{background:var(--good-bg)}.note.bad{background:var(--bad-bg)}.note.warn{background:var(--warn-bg)}
.note p{margin:.15rem 0}
.absent{color:var(--soft);font-style:italic}
.wide{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;color:var(--soft);font-size:.87rem;padding:.1rem 0 .45rem}
table.fit{width:auto;min-width:min(26rem,100%)}
th,td{padding:.38rem .6rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
th{font-weight:600}
thead th{border-bottom:2px solid var(--line);font-size:.82rem;color:var(--soft);vertical-align:bottom}
td.text,th.text{text-align:left}td:not(.text){white-space:nowrap}
tbody th{text-align:left;font-weight:600;min-width:8.5rem}
tbody th code{overflow-wrap:break-word}
td small{display:block;color:var(--soft);font-size:.8rem;white-space:nowrap}
tr.ours td,tr.ours th{background:color-mix(in srgb,var(--model) 9%,transparent)}
.pill{display:inline-block;border-radius:99px;padding:.05rem .55rem;font-size:.8rem;font-weight:600;white-space:nowrap;
background:var(--grid);color:var(--soft)}
.pill.good{background:var(--good-bg);color:var(--good)}.pill.bad{background:var(--bad-bg);color:var(--bad)}
.pill.warn{background:var(--warn-bg);color:var(--warn)}
figure{margin:1rem 0 .4rem}figcaption{color:var(--soft);font-size:.87rem;max-width:48rem;margin-top:.35rem}
.beside{display:flex;flex-wrap:wrap;gap:0 3rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:.9rem 1.2rem}
.charts.one{grid-template-columns:1fr}
.charts:not(.one)>div{max-width:34rem}.charts h4{margin:.2rem 0;font-size:.9rem;font-weight:600}
.charts h4 span{font-weight:400;color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;padding:0;margin:.2rem 0 .3rem;font-size:.85rem;
max-width:none}
.legend li{margin:0}.legend i{display:inline-block;width:.85rem;height:.85rem;border-radius:3px;margin-right:.4rem;
vertical-align:-.1rem;background:var(--other)}
.legend i.model{background:var(--model)}.legend i.rules{background:var(--rules)}.legend i.train{background:var(--train)}
.legend i.test{background:var(--test)}.legend i.reached{background:var(--good)}
.legend i.usual{background:var(--good);opacity:.25}.legend i.qn{background:var(--qn)}
.legend i.low{background:var(--q0)}.legend i.high{background:var(--q6)}
svg{display:block;width:100%;height:auto;
font:12px system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans JP",sans-serif;
fill:var(--soft)}
svg text{fill:var(--soft)}svg text.axis{font-size:12px}svg text.strong{fill:var(--ink);font-weight:600}
svg text.on{fill:var(--ink)}svg text.model{fill:var(--model);font-weight:600}
svg text.rules{fill:var(--rules);font-weight:600}
.grid{stroke:var(--grid);stroke-width:1;fill:none}
.mark{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 4;fill:none}
.cut{stroke:var(--ink);stroke-width:1.8;fill:none}
.zero{stroke:var(--soft);stroke-width:1;fill:none}
.line{fill:none;stroke:var(--other);stroke-width:2;stroke-linejoin:round}
.line.model{stroke:var(--model);stroke-width:2.4}
.line.rules{stroke:var(--rules)}.line.even{stroke-dasharray:3 4;stroke-width:1.2}.line.truth{stroke-dasharray:6 4}
.band{fill:var(--other);opacity:.16}.band.model{fill:var(--model)}.band.rules{fill:var(--rules)}
.usual{fill:var(--good);opacity:.12}
.dots{fill:none;stroke:var(--other);stroke-linecap:round}.dots.model{stroke:var(--model)}
.dots.rules{stroke:var(--rules)}
.whisker{fill:none;stroke:var(--other);stroke-width:1.7}.whisker.model{stroke:var(--model)}
.whisker.rules{stroke:var(--rules)}
.bar{fill:var(--other)}.bar.model{fill:var(--model)}.bar.rules{fill:var(--rules)}.bar.train{fill:var(--train)}
.bar.test{fill:var(--test)}.bar.reached{fill:var(--good)}.bar.count{fill:var(--other);opacity:.35}
.young{fill:var(--warn);opacity:.13}.unknown{fill:var(--other);opacity:.16}
.swarm{opacity:.85}.dots.q0{stroke:var(--q0)}.dots.q1{stroke:var(--q1)}.dots.q2{stroke:var(--q2)}
.dots.q3{stroke:var(--q3)}
.dots.q4{stroke:var(--q4)}.dots.q5{stroke:var(--q5)}.dots.q6{stroke:var(--q6)}.dots.qn{stroke:var(--qn)}
footer{color:var(--soft);font-size:.85rem;padding-bottom:2.5rem}
@media (max-width:40rem){section{padding:1rem;border-radius:0;margin-left:-1.25rem;margin-right:-1.25rem;
border-width:1px 0}
h1{font-size:1.6rem}.verdict h2{font-size:1.3rem}}
@media print{:root{--bg:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#e6e6e6;--model:#0b66a8;
--rules:#c2540a;
--good:#17703f;--bad:#ad2118;--warn:#855300;--good-bg:#eef6f0;--bad-bg:#fbefee;--warn-bg:#fcf6e9;--train:#8aa4c4;
--test:#0b66a8;--other:#7c8794;--q0:#2166ac;--q1:#4f8ec4;--q2:#8fb8d8;--q3:#b3aab8;--q4:#e8a07a;--q5:#dd6f43;
--q6:#b7370f}
body{font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}nav,.skip{display:none}
section{border:0;border-top:1px solid #bbb;border-radius:0;padding:.8rem 0;margin:.4rem 0}
.verdict{border-left:6px solid;
padding-left:1rem}.charts>div,tr,.note,.tiles,.legend{break-inside:avoid}.legend,figure h4{break-after:avoid}
h2,h3,caption{break-after:avoid}.wide{overflow:visible}
.charts{grid-template-columns:repeat(3,1fr);gap:.6rem}.charts.one{grid-template-columns:1fr}
table{font-size:8.5pt}td:not(.text){white-space:normal}
th,td{padding:.2rem .4rem}tbody th{min-width:6rem}td small{font-size:7.5pt}}
"""
