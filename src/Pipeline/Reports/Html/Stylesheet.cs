namespace Condense.Pipeline.Reports.Html;

/// <summary>The page's one stylesheet: light and dark, narrow and wide, paper. The policy names its digest, so no other style works in the page.</summary>
internal static class Stylesheet
{
    /// <summary>The text between the tags, to the byte.</summary>
    public const string Text = Colours + Layout + Charts;

    private const string Colours =
        """

        :root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#16202b;--soft:#566270;--line:#dfe4e9;--accent:#0b5cad;--good:#19764f;--care:#8a5a00;
        --careback:#fff6e2;--bar:#2f7fc1;--thin:#d07f12;--bound:#16202b;--stripe:#16202b;
        --keep:#cfd6dc;--float16:#a9d8f2;--lowrank:#7fb5e6;--mixed:#ddb0ce;--quantize:#f4c56a;--groupreduce:#7cc9aa;--other:#e7a08a;--small:#e9e4d8;--rest:#f0f2f4}
        @media (prefers-color-scheme:dark){:root{--page:#11161c;--card:#1a2129;--ink:#e8edf2;--soft:#a3b0bd;--line:#2e3843;--accent:#7db8f0;--good:#5fcf9d;--care:#f0c167;
        --careback:#2b2517;--bar:#4b9bdc;--thin:#e8a13c;--bound:#fff;--stripe:#fff;
        --keep:#3d4852;--float16:#235f80;--lowrank:#1f5590;--mixed:#74436a;--quantize:#7c5713;--groupreduce:#1c6a50;--other:#84432f;--small:#4c473b;--rest:#262f38}}
        @media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--accent:#0b5cad;--good:#19764f;--care:#8a5a00;--careback:#fff;
        --bar:#2f7fc1;--thin:#d07f12;--bound:#000;--stripe:#000;
        --keep:#cfd6dc;--float16:#a9d8f2;--lowrank:#7fb5e6;--mixed:#ddb0ce;--quantize:#f4c56a;--groupreduce:#7cc9aa;--other:#e7a08a;--small:#e9e4d8;--rest:#f0f2f4}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        """;

    private const string Layout =
        """

        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}
        section,header{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px;margin:0 0 20px}
        h1{font-size:clamp(2.4rem,7vw,3.6rem);line-height:1.1;letter-spacing:-.03em;margin:.1em 0 .2em}
        h2{font-size:1.2rem;letter-spacing:-.01em;margin:0 0 8px}
        p{margin:0 0 12px}
        small,.hint,caption,.eyebrow{color:var(--soft);font-size:.8125rem}
        .hint{max-width:75ch}
        .eyebrow{margin:0}
        code{font:.85em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
        bdi{overflow-wrap:anywhere}
        dl{margin:0}dt{color:var(--soft);font-size:.8125rem}dd{margin:0}
        .outcome{display:flex;gap:10px;align-items:center;font-size:1.0625rem;font-weight:600}
        .outcome svg{flex:none}.outcome path{fill:none;stroke:var(--card);stroke-width:2.4;stroke-linecap:round;stroke-linejoin:round}
        .met{color:var(--good)}.met circle{fill:var(--good)}.kept{color:var(--care)}.kept circle{fill:var(--care)}
        .sizes{display:grid;gap:10px;margin-top:18px}
        .sizes>div{display:grid;grid-template-columns:4em 1fr;align-items:center}
        .sizes dd{display:grid;grid-template-columns:1fr 15em;gap:16px;align-items:center}
        .size{width:100%;height:22px;display:block}.track{fill:var(--page)}.before .fill{fill:var(--soft)}.after .fill,.time .fill{fill:var(--accent)}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:20px}
        .figures strong{display:block;font-size:1.75rem;line-height:1.25;letter-spacing:-.02em;font-weight:650}
        .figures small{display:block;line-height:1.35}
        .warnings{background:var(--careback)}.warnings ul{margin:0;padding:0;list-style:none}.warnings li{padding:6px 0;overflow-wrap:anywhere}.warnings code{color:var(--care);font-weight:600}
        .warnings .name{font-weight:600}
        .pair{display:grid;grid-template-columns:1fr 1fr;gap:24px}
        figure{margin:0;min-width:0}figcaption{margin:0 0 6px}figcaption small{display:block;line-height:1.35}
        .facts{display:grid;gap:10px;align-content:start}
        .scroll{overflow-x:auto;margin:0 -24px;padding:0 24px}
        .scroll:focus-visible{outline:2px solid var(--accent);outline-offset:-2px}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.8125rem}
        caption{text-align:left;padding:0 0 8px}
        th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
        thead th{color:var(--soft);font-weight:600;line-height:1.25;vertical-align:bottom}thead .n{white-space:normal;min-width:5.2em}
        tbody th{font-weight:500;min-width:11em;max-width:22em}
        .scroll td:nth-child(4){min-width:13em}.scroll tr>:last-child{padding-right:0}
        .n{text-align:right;white-space:nowrap}
        .stages{align-self:start}.stages th{min-width:0;width:1%;white-space:nowrap}.stages .n{width:1%}.wide{width:98%;vertical-align:middle}.time{width:100%;height:10px;display:block}
        @media (max-width:760px){main{padding:12px 10px 40px}section,header{padding:18px 14px;border-radius:10px}.pair{grid-template-columns:1fr}
        .sizes dd{grid-template-columns:1fr;gap:2px}.sizes>div{grid-template-columns:3.5em 1fr}.scroll{margin:0 -14px;padding:0 14px}.figures{grid-template-columns:1fr 1fr;gap:16px}}
        @media print{body{font-size:11px}main{max-width:none;padding:0}section,header{border:0;padding:8px 0;break-inside:avoid}section:has(table){break-inside:auto}.scroll{overflow:visible}tr,figure,li{break-inside:avoid}}
        """;

    private const string Charts =
        """

        .patterns{position:absolute}
        .stripe{fill:none;stroke:var(--stripe);stroke-opacity:.17;stroke-width:1.2}
        .f-keep{fill:var(--keep)}.f-float16{fill:var(--float16)}.f-low-rank{fill:var(--lowrank)}.f-mixed{fill:var(--mixed)}.f-quantize{fill:var(--quantize)}
        .f-group-reduce{fill:var(--groupreduce)}.f-other{fill:var(--other)}.f-smaller-layers{fill:var(--small)}.f-rest-of-the-file{fill:var(--rest)}
        .legend{display:flex;flex-wrap:wrap;gap:6px 18px;list-style:none;margin:14px 0 0;padding:0;font-size:.8125rem;color:var(--soft)}
        .legend li{display:flex;gap:7px;align-items:center}
        svg text{fill:var(--ink);font-size:12px}
        .map{width:100%;aspect-ratio:3/2;display:block;border-radius:6px}
        .tile{stroke:var(--card);stroke-width:2}svg:hover>.tile{stroke:var(--ink)}
        .ghost{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 5}
        .map text{font-weight:600}.map .sub{font-weight:400;font-size:11px}
        .bars{margin-top:14px}.bars ol{list-style:none;margin:0;padding:0}
        .bars li{display:grid;grid-template-columns:minmax(0,17em) 1fr 8.5em;gap:14px;align-items:center}
        .bars li+li{border-top:1px solid var(--line)}
        .bars .name{font-size:.875rem;line-height:1.25;padding:3px 0}
        .bars .value{font-variant-numeric:tabular-nums;font-size:.875rem;line-height:1.2;padding:3px 0}.bars .value small{display:block;line-height:1.2;font-size:.75rem}
        .bar{width:100%;height:26px;display:block}.axis{height:18px;display:block;margin-left:calc(17em + 14px);width:calc(100% - 25.5em - 28px);overflow:visible}
        .axis text,.plot text{fill:var(--soft);font-size:11px}
        .plain{fill:var(--bar)}.weighted{fill:var(--thin)}.bound{stroke:var(--bound);stroke-width:2.5;fill:none}
        .grid{stroke:var(--line);stroke-width:1;fill:none;vector-effect:non-scaling-stroke}
        .plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:24px}
        .plots figcaption{font-size:.875rem;font-weight:600;min-height:4.4em}.plots figcaption small{font-weight:400}
        .plot{width:100%;height:142px;display:block}.field{width:calc(100% - 40px);height:112px;overflow:visible}
        .area{fill:var(--bar);fill-opacity:.16}.curve{fill:none;stroke:var(--bar);stroke-width:2;vector-effect:non-scaling-stroke}
        .cut{fill:none;stroke:var(--thin);stroke-width:2;stroke-dasharray:5 3;vector-effect:non-scaling-stroke}
        @media (max-width:760px){.bars li{grid-template-columns:1fr 6.5em;gap:0 10px;padding:6px 0}.bars .name{grid-column:1/3}.axis{margin-left:0;width:calc(100% - 6.5em - 10px)}
        .plots figcaption{min-height:0}}

        """;
}
