"use strict";
// The distribution of one point at a time: histogram, cumulated shares, launch medians.
(() => {
  const points = JSON.parse(document.getElementById("distribution-data").textContent);
  const chart = document.getElementById("distribution-chart");
  if (!points.length) {
    chart.textContent = "No samples were recorded.";
    return;
  }
  const INK = "#1f2933", QUIET = "#5b6770", GRID = "#e6e9ec", SPOILED = "#D55E00";
  const LOG_FROM = 5; // slowest over fastest from which a linear axis would hide the bulk

  // Cividis without its palest end: even steps for colour-blind readers, dark to light.
  const STOPS = [[0, 34, 78], [62, 74, 109], [113, 115, 119], [166, 156, 116], [214, 196, 90]];
  const colour = (index, count) => {
    const at = (count > 1 ? index / (count - 1) : 0) * (STOPS.length - 1);
    const low = Math.min(Math.floor(at), STOPS.length - 2);
    const mix = STOPS[low].map((c, i) => Math.round(c + (STOPS[low + 1][i] - c) * (at - low)));
    return `rgb(${mix.join(",")})`;
  };

  const unitOf = (us) => (us >= 1e6 ? [1e6, "s"] : us >= 1e3 ? [1e3, "ms"] : [1, "µs"]);
  const short = (value) => Number(value.toPrecision(5)).toString();

  // Positions on the axis: the value, or its logarithm. Ticks are written by hand for the latter.
  const scaleOf = (point) => {
    const all = point.launches.flatMap((l) => [...l.clean, ...l.spoiled, l.median]);
    const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
    const [factor, unit] = unitOf(high);
    const log = low > 0 && high / low > LOG_FROM;
    const at = (us) => (log ? Math.log10(us / factor) : us / factor);
    const width = at(high) - at(low) || Math.abs(at(low)) * 0.02 || 1;
    const bins = Math.round(Math.min(48, Math.max(12, 2 * Math.sqrt(all.length))));
    return { low: at(low), high: at(low) + width, at, unit, log, bins, step: width / bins };
  };

  const logTicks = (scale) => {
    const values = [];
    const factors = scale.high - scale.low > 2 ? [1] : [1, 2, 5];
    for (let e = Math.floor(scale.low) - 1; e <= Math.ceil(scale.high); e++)
      factors.forEach((f) => values.push(f * 10 ** e));
    return { tickvals: values.map(Math.log10), ticktext: values.map(short) };
  };

  const histogram = (samples, count, scale) => {
    const bins = new Array(scale.bins).fill(0);
    const weight = samples.length ? count / samples.length : 0; // the page keeps a thinned set
    samples.forEach((us) => {
      const index = Math.floor((scale.at(us) - scale.low) / scale.step);
      bins[Math.max(0, Math.min(scale.bins - 1, index))] += weight;
    });
    return bins;
  };

  const bars = (name, y, color, scale, spoiled) => ({
    type: "bar", name, y, width: scale.step,
    x: y.map((_, i) => scale.low + (i + 0.5) * scale.step),
    marker: { color, line: { width: 0 },
      pattern: spoiled ? { shape: "/", fgcolor: "#fff", size: 5, solidity: 0.35 } : {} },
    hovertemplate: `${name}: %{y:.0f} samples<extra></extra>`, yaxis: "y",
  });

  const cumulated = (launch, color, scale) => {
    const cleanWeight = (launch.count - launch.spoiled_count) / (launch.clean.length || 1);
    const spoiledWeight = launch.spoiled_count / (launch.spoiled.length || 1);
    const ordered = [
      ...launch.clean.map((us) => [us, cleanWeight, false]),
      ...launch.spoiled.map((us) => [us, spoiledWeight, true]),
    ].sort((a, b) => a[0] - b[0]);
    let sum = 0;
    const y = ordered.map(([, weight]) => (100 * (sum += weight)) / launch.count);
    return {
      type: "scatter", mode: "lines+markers", name: `launch ${launch.id}`, yaxis: "y2",
      x: ordered.map(([us]) => scale.at(us)), y,
      line: { shape: "hv", width: 1.6, color },
      marker: { symbol: "x", size: ordered.map((o) => (o[2] ? 7 : 0)), color: SPOILED, opacity: 1 },
      customdata: ordered.map(([us]) => short(us / unitOf(us)[0]) + " " + unitOf(us)[1]),
      hovertemplate: `launch ${launch.id}: %{y:.1f} % took at most %{customdata}<extra></extra>`,
    };
  };

  const tracesOf = (point, scale) => {
    const n = point.launches.length;
    const traces = [];
    point.launches.forEach((l, i) => {
      const clean = l.count - l.spoiled_count;
      traces.push(bars(`launch ${l.id}`, histogram(l.clean, clean, scale), colour(i, n), scale));
      traces.push(cumulated(l, colour(i, n), scale));
      traces.push({
        type: "scatter", mode: "markers", yaxis: "y3", x: [scale.at(l.median)], y: [`launch ${l.id}`],
        marker: { color: colour(i, n), size: 10, line: { color: INK, width: 0.5 } },
        hovertemplate: `launch ${l.id}: median ${short(l.median / unitOf(l.median)[0])} ` +
          `${unitOf(l.median)[1]} of ${l.count} samples<extra></extra>`,
      });
    });
    const spoiled = point.launches.map((l) => histogram(l.spoiled, l.spoiled_count, scale));
    if (point.launches.some((l) => l.spoiled_count)) {
      traces.push(bars("spoiled", spoiled[0].map((_, i) =>
        spoiled.reduce((sum, one) => sum + one[i], 0)), SPOILED, scale, true));
      // A few spoiled samples make no visible bar: a lane of their own shows each.
      const each = point.launches.flatMap((l) => l.spoiled);
      traces.push({
        type: "scatter", mode: "markers", yaxis: "y3", hoverinfo: "x", x: each.map(scale.at),
        y: each.map(() => "spoiled"), marker: { symbol: "x", size: 7, color: SPOILED },
      });
    }
    return traces;
  };

  const verticals = (point, scale) => {
    const line = (us, style) => ({ type: "line", xref: "x", yref: "paper", y0: 0, y1: 1,
      x0: scale.at(us), x1: scale.at(us), line: style });
    const shapes = [];
    if (point.ci95) shapes.push({ type: "rect", xref: "x", yref: "paper", y0: 0, y1: 1,
      layer: "below", x0: Math.max(scale.at(Math.max(point.ci95[0], 1e-9)), scale.low - 1),
      x1: scale.at(point.ci95[1]), line: { width: 0 }, fillcolor: "rgba(0,114,178,0.12)" });
    if (point.median) shapes.push(line(point.median, { color: "#0072B2", width: 1.5 }));
    return shapes;
  };

  // As on all other figures: this one may be cut out of its page too.
  const marks = () => chart.dataset.mark ? [{ xref: "paper", yref: "paper", x: 1, y: 1, yshift: 2,
    xanchor: "right", yanchor: "bottom", showarrow: false, font: { size: 11, color: "#7a5200" },
    text: `<b>${chart.dataset.mark.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)}</b>` }] : [];

  const layoutOf = (point, scale, most) => {
    const axis = { gridcolor: GRID, linecolor: "#aab2b9", showline: true, zeroline: false };
    const title = (text) => ({ text, font: { size: 12, color: QUIET }, standoff: 8 });
    const ends = [scale.low, scale.high];
    if (point.ci95) ends.push(...verticals(point, scale).flatMap((s) => [s.x0, s.x1]));
    const low = Math.min(...ends), high = Math.max(...ends), margin = (high - low) * 0.04;
    const height = 470 + 18 * Math.max(0, point.launches.length - 5);
    return {
      height, barmode: "stack", bargap: 0, showlegend: false, hovermode: "closest",
      margin: { l: 82, r: 14, t: chart.dataset.mark ? 24 : 12, b: 52 },
      annotations: marks(), paper_bgcolor: "#fff", plot_bgcolor: "#fff",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: INK },
      shapes: verticals(point, scale),
      xaxis: { ...axis, anchor: "y3", range: [low - margin, high + margin], ticks: "outside",
        title: title(`Time of one execution (${scale.unit}${scale.log ? ", logarithmic" : ""})`),
        ...(scale.log ? logTicks(scale) : { nticks: 9, separatethousands: true }) },
      yaxis: { ...axis, domain: [0.66, 1], title: title("Samples"),
        ...(most > 5 ? { nticks: 5 } : { dtick: 1 }) },
      yaxis2: { ...axis, domain: [0.29, 0.6], title: title("Share"), range: [0, 103], dtick: 25,
        ticksuffix: " %" },
      yaxis3: { ...axis, domain: [0, 0.23], type: "category", autorange: "reversed" },
    };
  };

  const factsOf = (point) => point.facts.map(([name, value]) => {
    const line = document.createElement("div");
    for (const [tag, words] of [["dt", name], ["dd", value]])
      line.appendChild(Object.assign(document.createElement(tag), { textContent: words }));
    return line;
  });

  const withoutSpoiled = (point) => ({ ...point,
    launches: point.launches.filter((l) => l.clean.length).map((l) => ({ ...l,
      count: l.count - l.spoiled_count, median: l.clean_median, spoiled: [], spoiled_count: 0 })) });

  const clean = document.getElementById("choose-clean");
  const show = (whole) => {
    const some = whole.launches.some((l) => l.spoiled_count && l.clean.length);
    document.getElementById("choose-clean-label").hidden = !some;
    const point = clean.checked && some ? withoutSpoiled(whole) : whole;
    const scale = scaleOf(point);
    const traces = tracesOf(point, scale);
    const stacks = traces.filter((trace) => trace.type === "bar").map((trace) => trace.y);
    const most = Math.max(...stacks[0].map((_, i) => stacks.reduce((sum, y) => sum + y[i], 0)));
    Plotly.react(chart, traces, layoutOf(point, scale, most), window.busbar.config);
    document.getElementById("distribution-facts").replaceChildren(...factsOf(point));
    const kept = point.launches.reduce((n, l) => n + l.clean.length + l.spoiled.length, 0);
    const count = point.launches.reduce((n, l) => n + l.count, 0);
    document.getElementById("distribution-thinned").textContent = kept < count
      ? `Drawn from ${kept} evenly spaced of ${count} sorted samples, extremes included.` : "";
    chart.dataset.point = point.id;
  };

  // Three choices narrow down to one point; each keeps its value where the next list has it too.
  const selects = ["op", "series", "size"].map((n) => [n, document.getElementById(`choose-${n}`)]);
  const matching = (level) => points.filter((p) =>
    selects.slice(0, level).every(([name, select]) => p[name] === select.value));
  const fill = (level, wanted) => {
    const [name, select] = selects[level];
    const values = [...new Set(matching(level).map((p) => p[name]))];
    const kept = wanted && values.includes(wanted[name]) ? wanted[name] : select.value;
    select.replaceChildren(...values.map((value) => new Option(value, value)));
    if (values.includes(kept)) select.value = kept;
    if (level + 1 < selects.length) fill(level + 1, wanted);
  };
  selects.forEach(([, select], level) => select.addEventListener("change", () => {
    if (level + 1 < selects.length) fill(level + 1);
    show(matching(selects.length)[0]);
  }));

  clean.addEventListener("change", () => show(matching(selects.length)[0]));
  document.querySelector(".choose").hidden = false;
  window.busbar.showDistribution = (id) => {
    const point = points.find((p) => p.id === id);
    fill(0, point);
    show(point);
  };
  window.busbar.showDistribution(points[0].id);
})();
