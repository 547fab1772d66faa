"use strict";
// The table of all points: sorted by its heads, narrowed by words, a row opens its distribution.
(() => {
  const table = document.getElementById("points");
  const body = table.tBodies[0];
  const rows = [...body.rows];

  const value = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    return cell.classList.contains("n") ? null : cell.textContent.trim();
  };
  // What is missing stays at the end in either direction.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((h) => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => compare(value(a, column), value(b, column), down ? -1 : 1));
    body.append(...rows);
  }));

  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => {
      const cells = [...row.cells].map((cell) => cell.textContent.trim().toLowerCase());
      // A word with a digit in front is a size or figure: 1M must not find 11M.
      row.hidden = !words.every((word) => cells.some((cell) =>
        /^\d/.test(word) ? cell === word : cell.includes(word)));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    document.getElementById("filter-count").textContent = words.length
      ? `${shown} of ${rows.length} rows` : "";
  });

  rows.filter((row) => row.dataset.distribution).forEach((row) =>
    row.addEventListener("click", () => {
      if (String(window.getSelection())) return; // someone copies text
      window.busbar.showDistribution(row.dataset.distribution);
      document.getElementById("distribution").scrollIntoView();
    }));
})();
