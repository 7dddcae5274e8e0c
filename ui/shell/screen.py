"""What a style sheet and a few lines of script add to Streamlit: whole charts in print, a menu that closes."""

from __future__ import annotations

import streamlit as st

#: That something must be chosen needs no word where something always is. Quiet text keeps a contrast of 4.5 to 1 (WCAG
#: 2.2, 1.4.3): Streamlit's captions have 4.2, labels of what is switched off 2.4, links in captions 3.8, and of what it
#: colours in code all has less, down to 2.2. A table's grid, and what scrolls it, show the focus around themselves. In
#: print: letters and charts a size smaller than on the screen, so that a sheet holds more, no menu, charts and tables
#: no wider than the paper (they are drawn for the screen; the script notes their sizes, by which they can be scaled),
#: no claim parted from its figure where both fit on a sheet, nothing torn by the end of a page, no title or verdict
#: parted from what is under it, labels whole, and no section that is closed, for paper
#: cannot open it. A grid that has its rows as a table of `ui.widgets.paper` below gives way to that; the script marks
#: it, for a style sheet's `:has` is not always asked anew when a page is printed.
STYLE = """
<style>
[data-testid="stWidgetLabelRequired"] {display: none}
[data-testid="stCaptionContainer"] {color: inherit !important; opacity: .78}
[data-testid="stCaptionContainer"] code, [data-testid="stCaptionContainer"] a {color: inherit}
[data-testid="stWidgetLabel"] {color: inherit !important}
[data-testid="stCode"] .token {color: inherit !important}
.stMain:focus-visible {outline: 2px solid; outline-offset: -2px}
[data-testid="stDataFrame"] canvas:focus, [data-testid="stDataFrame"] .dvn-scroller:focus {outline: 2px solid;
 outline-offset: -2px}
@media (hover: none) {
 .modebar-container {display: none !important}
}
[data-testid="stMetricLabel"] *, [data-testid="stMetricDelta"] * {white-space: normal !important;
 overflow: visible !important; text-overflow: clip !important}
[data-testid="stMetricDelta"] {height: auto !important; max-width: 100% !important}
@page {margin: 12mm}
@media print {
 html {font-size: 13px !important}
 [class*="st-key-claim-"] {break-inside: avoid}
 [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stExpandSidebarButton"], .modebar,
 .st-key-downloads_open {display: none !important}
 .stApp, .stAppViewContainer, .stMain {position: static !important; display: block !important; width: 100% !important;
  height: auto !important; overflow: visible !important}
 .stMainBlockContainer {padding: 0 !important; max-width: 100% !important}
 .stPlotlyChart, .stPlotlyChart div, [data-testid="stFullScreenFrame"]:has(.stPlotlyChart),
 [data-testid="stElementContainer"]:has(.stPlotlyChart) {height: auto !important}
 .js-plotly-plot, .js-plotly-plot .plot-container {width: 100% !important}
 .js-plotly-plot .svg-container {width: min(100%, .85 * var(--lw-width), var(--lw-ratio) * 225mm) !important;
  aspect-ratio: var(--lw-ratio)}
 .js-plotly-plot .main-svg {max-width: 100% !important; height: auto !important}
 figure, .lw-card, .lw-rows, .lw-looks > div, .lw-pairs, .lw-face, .lw-crops > *, [data-testid="stPlotlyChart"],
 [data-testid="stMetric"], [data-testid="stDataFrame"] {break-inside: avoid}
 h1, h2, h3 {break-after: avoid}
 [data-testid="stElementContainer"]:has(h1, h2, h3, h4, h5, p > strong:first-child, p > .stMarkdownBadge:first-child)
  {break-after: avoid}
 [data-testid="stElementContainer"]:has([data-testid="stWidgetLabel"]) {break-inside: avoid}
 [data-testid="stWidgetLabel"] * {white-space: normal !important; overflow: visible !important}
 [data-testid="stDataFrame"], [data-testid="stDataFrame"] div:has(canvas) {width: 100% !important}
 .lw-on-screen, [data-lw-below], [data-testid="stExpander"]:has(details:not([open])),
 [data-testid="stLayoutWrapper"]:has(> [data-testid="stExpander"] > details:not([open])) {display: none !important}
 [data-testid="stDataFrameResizable"] {height: auto !important; aspect-ratio: var(--lw-ratio); overflow: hidden}
 [data-testid="stDataFrame"] canvas {max-width: 100% !important; height: auto !important}
}
</style>
"""
#: Streamlit closes the menu after a choice on what calls itself a telephone; here also in a window as narrow as one.
#: Its menu is a list whose items lie in boxes of their own, which a screen reader does not take for one: the boxes are
#: groups called by their headings. Code that is wider than its box is scrolled by the keyboard too. A table's grid and
#: a chart are called by the heading above; icons of a chart's buttons say nothing beside the buttons' own names, and a
#: chart's layers without text say nothing at all.
SCRIPT = """
<script data-of="lookwhere">
if (!window.lookwhereScreen) {
  window.lookwhereScreen = true;
  const measure = svg => {
    const [width, height] = ["width", "height"].map(name => Number(svg.getAttribute(name)));
    if (!width || !height) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.parentElement.style.setProperty("--lw-width", width + "px");
    svg.parentElement.style.setProperty("--lw-ratio", width / height);
  };
  document.querySelectorAll(".main-svg").forEach(measure);
  new MutationObserver(changes => changes.forEach(({target}) => target.matches(".main-svg") && measure(target)))
    .observe(document.body, {subtree: true, attributes: true, attributeFilter: ["width", "height"]});
  addEventListener("beforeprint", () => {
    for (const canvas of document.querySelectorAll('canvas[data-testid="data-grid-canvas"]')) {
      const [width, height] = ["width", "height"].map(name => parseFloat(canvas.style[name]));
      const box = canvas.closest('[data-testid="stDataFrameResizable"]');
      if (width && height) box?.style.setProperty("--lw-ratio", width / height);
    }
    for (const box of document.querySelectorAll('[data-testid="stElementContainer"]'))
      box.toggleAttribute("data-lw-below", Boolean(box.querySelector('[data-testid="stDataFrame"]')
        && box.nextElementSibling?.querySelector(".lw-paper")));
  });
  const tidy = () => {
    document.querySelectorAll("pre:not([tabindex])").forEach(code => code.tabIndex = 0);
    for (const icon of document.querySelectorAll(".modebar svg, #js-plotly-tester"))
      if (!icon.ariaHidden) icon.ariaHidden = "true";
    const call = (one, kind) => {
      const above = [...document.querySelectorAll("h1, h2, h3, h4, summary")]
        .filter(other => other.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
      const said = above?.querySelector('[data-testid="stMarkdownContainer"]') ?? above;
      one.setAttribute("aria-label", kind + ": " + (said?.innerText || document.title).split("\\n")[0]);
    };
    for (const table of document.querySelectorAll('[data-testid="stDataFrame"] [role="grid"]:not([aria-label])'))
      call(table, "Table");
    for (const chart of document.querySelectorAll(".stPlotlyChart:not([role])")) {
      chart.setAttribute("role", "figure");
      call(chart, "Chart");
    }
    for (const layer of document.querySelectorAll(".main-svg")) {
      const silent = layer.textContent.trim() ? null : "true";
      if (layer.getAttribute("aria-hidden") !== silent)
        silent ? layer.setAttribute("aria-hidden", silent) : layer.removeAttribute("aria-hidden");
    }
    const menu = document.querySelector('[data-testid="stSidebarNavItems"]:has(li:not([role]))');
    if (!menu) return;
    menu.setAttribute("role", "presentation");
    for (const box of menu.querySelectorAll(":scope > div")) {
      const heading = box.querySelector('[data-testid="stNavSectionHeader"]');
      box.setAttribute("role", "group");
      if (heading) box.setAttribute("aria-label", heading.innerText.split("\\n")[0]);
    }
    for (const item of menu.querySelectorAll("li")) item.setAttribute("role", "presentation");
  };
  tidy();
  new MutationObserver(tidy).observe(document.body, {subtree: true, childList: true});
  document.addEventListener("click", event => {
    const button = '[data-testid="stSidebar"] [aria-label="Collapse sidebar"][aria-expanded="true"]';
    if (innerWidth < 768 && event.target.closest('[data-testid="stSidebarNavLink"]'))
      setTimeout(() => document.querySelector(button)?.click(), 200);
  });
}
</script>
"""


def apply() -> None:
    """Put both into the page."""
    st.html(STYLE)
    st.html(SCRIPT, unsafe_allow_javascript=True)
