/* html_page - see html_page.h */

#include "policy/replay/html_page.h"

#include "policy/cli/terminal.h"

/* In light and in dark. */
static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1d2327;--soft:#5b666e;--line:#dde2e6;--band:#f5f7f8;"
    "--accept:#9db8ad;--tag:#4f93b8;--quarantine:#e0a030;--reject:#c8463c;--tempfail:#8a6bb1;--edge:#1d2327}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#15191c;--ink:#e4e8ea;--soft:#9aa5ac;--line:#333b41;"
    "--band:#1d2327;--accept:#5d7d70;--tag:#5aa0c6;--quarantine:#d99a2b;--reject:#e0645a;--tempfail:#a487ca;"
    "--edge:#e4e8ea}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:66rem;padding:2rem 1.5rem 3rem;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",\"DejaVu Sans\",sans-serif;"
    "-webkit-text-size-adjust:100%}\n"
    "h1{font-size:1.65rem;line-height:1.25;margin:0 0 .3rem}\n"
    "h2{font-size:1.2rem;margin:2.6rem 0 .4rem;padding-top:.9rem;border-top:2px solid var(--line)}\n"
    "h3{font-size:1rem;margin:1.6rem 0 .2rem}\n"
    "p{margin:.3rem 0 .7rem;max-width:46rem}\n"
    "code{font:.92em ui-monospace,\"Liberation Mono\",\"DejaVu Sans Mono\",monospace}\n"
    "bdi,code{overflow-wrap:anywhere}\n"
    ".soft,footer{color:var(--soft)}\n"
    ".notice{border-left:4px solid var(--reject);background:var(--band);padding:.6rem .9rem;margin:1rem 0}\n"
    ".notice ul{margin:.3rem 0;padding-left:1.2rem;overflow-wrap:anywhere}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.2rem,1fr));gap:.7rem;margin:1.3rem 0 .6rem;"
    "padding:0;list-style:none}\n"
    ".tiles li{background:var(--band);border-top:4px solid;padding:.5rem .8rem .6rem}\n"
    ".tiles b{display:block;font-size:1.5rem;line-height:1.3;font-variant-numeric:tabular-nums}\n"
    ".tiles span{color:var(--soft);display:block}\n"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}\n"
    "th,td{padding:.28rem .6rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600;color:var(--soft);font-size:.88rem;vertical-align:bottom}\n"
    "th:last-child,td:last-child{padding-right:0}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}\n"
    "td.n,.d,.ladder th{white-space:nowrap}\n"
    ".w{width:99%}\n"
    "tr.none td{color:var(--soft)}\n"
    ".v{white-space:nowrap}\n"
    ".v::before{content:\"\";display:inline-block;width:.7em;height:.7em;margin-right:.45em;border-radius:2px;"
    "background:var(--c)}\n"
    ".accept{--c:var(--accept);border-color:var(--accept)!important}\n"
    ".tag{--c:var(--tag);border-color:var(--tag)!important}\n"
    ".quarantine{--c:var(--quarantine);border-color:var(--quarantine)!important}\n"
    ".reject{--c:var(--reject);border-color:var(--reject)!important}\n"
    ".tempfail{--c:var(--tempfail);border-color:var(--tempfail)!important}\n"
    "td.v,td .v{border-color:var(--line)!important}\n"
    "rect{fill:var(--c)}\n"
    ".two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 2.5rem;align-items:start}\n"
    ".two>*{min-width:0}\n"
    ".bars td{border-bottom:0;padding-top:.14rem;padding-bottom:.14rem;vertical-align:middle}\n"
    ".bars svg{display:block;width:100%;height:1.05rem}\n"
    ".bars tr.edge td{padding:.1rem 0}\n"
    ".edge span{display:flex;align-items:center;gap:.5rem;font-size:.84rem;font-weight:600}\n"
    ".edge span::after{content:\"\";flex:1;border-top:2px dashed var(--edge)}\n"
    ".edge b{font-variant-numeric:tabular-nums}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.88rem;color:var(--soft);margin:.2rem 0 .5rem}\n"
    ".plot{margin:2.6rem .8rem 2.8rem 3.6rem}\n"
    ".plot svg{display:block;width:100%;height:15rem;overflow:visible}\n"
    ".plot text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}\n"
    ".plot .grid{stroke:var(--line)}\n"
    ".plot .mark{stroke:var(--edge);stroke-dasharray:5 4;stroke-width:1.5}\n"
    ".plot .label{fill:var(--ink);font-weight:600}\n"
    ".plot polyline{fill:none;stroke:var(--tag);stroke-width:2.5;vector-effect:non-scaling-stroke;"
    "stroke-linejoin:round}\n"
    "tr.at td{font-weight:600}\n"
    "tr.side td{background:var(--band);font-weight:600;padding-left:.6rem}\n"
    ".small{font-size:.88rem;color:var(--soft)}\n"
    "td>.small{display:block}\n"
    "footer{margin-top:3rem;padding-top:.8rem;border-top:2px solid var(--line);font-size:.88rem}\n";

/* On a phone, and on paper. */
static const char style_elsewhere[] =
    "@media (max-width:46rem){body{padding:1.2rem .9rem 2rem}.two{display:block}h1{font-size:1.4rem}"
    ".tiles{grid-template-columns:repeat(auto-fit,minmax(6.2rem,1fr));gap:.5rem}.tiles li{padding:.4rem .6rem}"
    ".tiles b{font-size:1.25rem}"
    ".rules,.rules thead,.rules tbody{display:block}"
    ".rules tr{display:grid;grid-template-columns:minmax(0,1fr) 5.2rem 4.2rem;border-bottom:1px solid var(--line);"
    "padding:.25rem 0}"
    ".rules tr>*{border:0;overflow-wrap:anywhere;padding:.05rem 0;grid-row:1}.rules tr>:nth-child(2){grid-area:2/1}"
    ".rules tr>:nth-child(5){grid-area:2/2}"
    ".cards thead{display:none}.cards,.cards tbody{display:block}"
    ".cards tr{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:0 .7rem;padding:.45rem 0;"
    "border-bottom:1px solid var(--line)}"
    ".cards td{display:block;border:0;padding:0}.cards td.wide,.cards tr.side td{grid-column:1/-1}"
    ".cards tr.side td{padding:.1rem .6rem}.cards .v{white-space:normal;overflow-wrap:anywhere}.changed "
    "tr{grid-template-columns:minmax(0,1fr) auto}"
    ".changed td:nth-child(2){grid-area:2/1}}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--band:#f3f3f3;--accept:#9db8ad;--tag:#4f93b8;"
    "--quarantine:#e0a030;--reject:#c8463c;--tempfail:#8a6bb1;--edge:#000}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    "body{max-width:none;padding:0;font-size:10pt}h2,h3{break-after:avoid}tr,.plot,.tiles,.two{break-inside:avoid}."
    "plot svg{height:12rem}"
    "thead{display:table-header-group}}\n"
    "@page{margin:16mm}\n";

void page_begin(GString *out, const char *title)
{
    g_string_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta http-equiv=\"Content-Security-Policy\""
                         " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    page_append_text(out, title);
    g_string_append_printf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n", style, style_elsewhere);
}

void page_end(GString *out)
{
    g_string_append(out, "</body>\n</html>\n");
}

void page_append_text(GString *out, const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    terminal_append_plain(plain, text);
    g_autofree char *escaped = g_markup_escape_text(plain->str, (gssize)plain->len);
    g_string_append(out, escaped);
}

void page_append_isolated(GString *out, const char *text)
{
    g_string_append(out, "<bdi>");
    page_append_text(out, text);
    g_string_append(out, "</bdi>");
}
