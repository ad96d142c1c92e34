"use strict";
// The page works without this. It marks the chosen node in the graph, lets the space bar choose one,
// the arrow keys go from node to node, and Escape go back to the node that was chosen.
(() => {
  const nodes = [...document.querySelectorAll("a.node")];
  const wires = [...document.querySelectorAll("[data-from]")];

  const graph = document.getElementById("graph");
  let back = null;

  // Scrolls the graph alone: the page itself goes to the details.
  const show = (node, always) => {
    const pane = graph.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    if (always || box.left < pane.left || box.right > pane.right || box.top < pane.top || box.bottom > pane.bottom) {
      graph.scrollBy((box.left + box.right - pane.left - pane.right) / 2, (box.top + box.bottom - pane.top - pane.bottom) / 2);
    }
  };

  const mark = (event) => {
    const id = location.hash.slice(1);
    for (const node of nodes) {
      const chosen = node.getAttribute("href") === "#" + id;
      node.toggleAttribute("data-chosen", chosen);
      if (chosen) {
        show(node, !event);
      }
    }
    for (const wire of wires) {
      wire.toggleAttribute("data-near", id !== "" && (wire.dataset.from === id || wire.dataset.to === id));
    }
    back?.focus();
    back = null;
  };

  const middle = (node) => {
    const r = node.getBoundingClientRect();
    return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
  };

  // The nearest node in a direction, rather straight ahead than aside.
  const neighbour = (from, dx, dy) => {
    const at = middle(from);
    let best = null;
    let least = Infinity;
    for (const node of nodes) {
      const to = middle(node);
      const ahead = (to.x - at.x) * dx + (to.y - at.y) * dy;
      const aside = Math.abs((to.x - at.x) * dy) + Math.abs((to.y - at.y) * dx);
      const far = dy === 0 ? ahead + 8 * aside : 4 * ahead + aside;
      if (ahead > 1 && far < least) {
        best = node;
        least = far;
      }
    }
    return best;
  };

  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const node = event.target.closest("a.node");
    if (event.key === "Escape" && location.hash.length > 1) {
      back = nodes.find((n) => n.hasAttribute("data-chosen"));
      location.hash = "overview";
    } else if (node && event.key === " ") {
      event.preventDefault();
      location.hash = node.getAttribute("href");
    } else if (node && ways[event.key]) {
      event.preventDefault();
      neighbour(node, ...ways[event.key])?.focus();
    }
  });
  addEventListener("hashchange", mark);
  mark();
})();
