#include "page_parts.hpp"

namespace xbar::report {

// Comforts only: everything on the page can be read without it.
const std::string_view page_script = R"js((() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // Light or dark.
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark'
                                        : matchMedia('(prefers-color-scheme: dark)').matches;
  const theme = document.querySelector('.theme');
  const name = () => { theme.textContent = dark() ? 'Light' : 'Dark'; };
  theme.hidden = false;
  theme.onclick = () => { root.dataset.theme = dark() ? 'light' : 'dark'; name(); };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', name);
  name();

  // Sorting: up, down, as it was. Cells without a value stay last.
  for (const table of all('table.sortable')) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.onclick = () => {
        const now = head.getAttribute('aria-sort');
        const next = now === 'ascending' ? 'descending' : now ? null : 'ascending';
        heads.forEach(h => h.removeAttribute('aria-sort'));
        if (!next) { body.append(...original); return; }
        head.setAttribute('aria-sort', next);
        const sign = next === 'ascending' ? 1 : -1;
        const key = row => {
          const cell = row.cells[column];
          const number = cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
          return Number.isNaN(number) ? cell.textContent.trim() : number;
        };
        const rank = k => typeof k === 'number' ? 0 : k && k !== 'n/a' ? 1 : 2;
        const order = (a, b) => {
          const p = key(a), q = key(b);
          if (rank(p) !== rank(q)) return rank(p) - rank(q);
          return sign * (typeof p === 'number' ? (p > q) - (p < q)
                                               : p.localeCompare(q, undefined, {numeric: true}));
        };
        body.append(...[...original].sort(order));
      };
    });
  }

  // Values under the pointer, at once instead of after the browser's delay.
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  document.body.append(tip);
  const show = (text, event) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - 14 - box.width
                                                          : event.clientX + 14;
    const y = event.clientY + 14 + box.height > innerHeight ? event.clientY - 14 - box.height
                                                            : event.clientY + 14;
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top = Math.max(4, y) + 'px';
  };
  const hide = () => { tip.hidden = true; };
  for (const title of all('svg.xb title')) {
    const text = title.textContent;
    const owner = title.parentNode;
    title.remove();
    owner.addEventListener('pointermove', event => show(text, event));
    owner.addEventListener('pointerleave', hide);
  }
  for (const map of all('.xb-map')) {
    const d = map.dataset;
    const q = atob(d.q);
    const span = (block, i, total) => {
      const last = Math.min((i + 1) * block, total) - 1;
      return last > i * block ? i * block + ' to ' + last : '' + i * block;
    };
    map.addEventListener('pointermove', event => {
      const box = map.getBoundingClientRect();
      const cell = (at, size, count) =>
        Math.max(0, Math.min(count - 1, Math.floor(at / size * count)));
      const i = cell(event.clientY - box.top, box.height, +d.rows);
      const j = cell(event.clientX - box.left, box.width, +d.cols);
      const k = 2 * (i * d.cols + j);
      const level = q.charCodeAt(k) * 256 + q.charCodeAt(k + 1);
      const value = +d.lo + level / 65534 * (d.hi - d.lo);
      const text = level === 65535 ? 'no value'
        : String(+value.toPrecision(4)).replace('-', '\u2212') + '\u00a0' + d.unit;
      show(d.row + ' ' + span(+d.blockRows, i, +d.allRows) + ', ' +
           d.col + ' ' + span(+d.blockCols, j, +d.allCols) + '\n' +
           (d.what ? d.what + ': ' : '') + text, event);
    });
    map.addEventListener('pointerleave', hide);
  }

  // Paper shows what is folded away.
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = all('details:not([open])');
    opened.forEach(d => { d.open = true; });
  });
  addEventListener('afterprint', () => opened.forEach(d => { d.open = false; }));
})();
)js";

}  // namespace xbar::report
