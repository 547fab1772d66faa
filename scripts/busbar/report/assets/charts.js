"use strict";
// Draws the figures that Python prepared, one after another so that the page stays responsive.
(() => {
  const figures = JSON.parse(document.getElementById("figure-data").textContent);
  const config = {
    displaylogo: false, responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };

  const draw = (element) => {
    if (element.dataset.drawn) return;
    element.dataset.drawn = "yes";
    const figure = figures[element.dataset.figure];
    Plotly.newPlot(element, figure.data, figure.layout, config);
  };
  const waiting = () =>
    [...document.querySelectorAll("[data-figure]:not([data-drawn])")].filter((e) => e.offsetParent);
  const distance = (element) => Math.abs(element.getBoundingClientRect().top);
  const nearest = () => waiting().reduce(
    (best, e) => (best && distance(best) <= distance(e) ? best : e), undefined);

  const drawNext = () => {
    const next = nearest(); // to what the reader looks at
    if (next) {
      draw(next);
      setTimeout(drawNext);
    } else {
      document.documentElement.dataset.figures = "drawn";
    }
  };

  // A page prints at its own width, and cannot wait for what is not drawn yet.
  const PRINTED_WIDTH = 680;
  window.addEventListener("beforeprint", () => {
    waiting().forEach(draw);
    document.querySelectorAll(".js-plotly-plot").forEach((e) =>
      Plotly.relayout(e, { width: PRINTED_WIDTH }));
  });
  window.addEventListener("afterprint", () =>
    document.querySelectorAll(".js-plotly-plot").forEach((e) =>
      Plotly.relayout(e, { width: null, autosize: true })));

  document.querySelectorAll(".choose-panel").forEach((select) =>
    select.addEventListener("change", () => {
      const panels = select.closest(".op").querySelectorAll(".panel");
      panels.forEach((panel) => { panel.hidden = panel.id !== select.value; });
      waiting().forEach(draw);
    }));

  document.querySelectorAll(".legend button").forEach((button) =>
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      button.closest(".keyed").querySelectorAll("[data-drawn]").forEach((e) =>
        Plotly.restyle(e, { visible: shown }, [Number(button.dataset.trace)]));
    }));

  window.busbar = { config };
  drawNext();
})();
