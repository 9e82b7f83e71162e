/* Four linked views of one computation: code, autograd graph, algebra, numbers.

   The server sends both runs once; create_graph, ghosts, folding, zoom, the scrubber and all linking happen here.
   Everything that can be pointed at resolves to ids of graph nodes (idsOf), and everything that can light up is
   painted from ids (paint). Python side: pages/ui/linked.py, which documents the data. */

const SVG = 'http://www.w3.org/2000/svg';
const STEP_MS = 450;    // pace of the construction
const CHARACTER = 6.3;   // width of one in a node's value line
const SETTLE_MS = 400;  // quiet time before the view is reported for the link

export default function ({ data, parentElement, setStateValue }) {
  const host = parentElement;
  const S = host._linked ??= { t: null, pin: null, box: null, ...data.view };  // the link sets the view once; then it is the reader's
  const content = JSON.stringify({ ...data, view: null });
  if (content === S.content) return S.leave;  // only the URL changed: nothing to draw again
  S.content = content;
  forget(S, data);
  new Linked(host, data, S, setStateValue).build();
  return S.leave = () => { clearInterval(S.timer); clearTimeout(S.telling); S.listening.abort(); };
}

/* What the reader pointed at in the old data may not exist in the new. */
function forget(S, data) {
  clearInterval(S.timer);
  const known = new Set(data.nodes.map(n => n.id));
  Object.assign(S, { t: null, timer: null, pin: S.pin?.every(id => known.has(id)) ? S.pin : null });
  if (!data.layouts[S.open]) S.open = Object.keys(data.layouts)[0] ?? '1';
  if (!(S.step < data.steps)) S.step = undefined;
}

class Linked {
  constructor(host, data, S, report) {
    Object.assign(this, { host, data, S, report });
    this.N = Object.fromEntries(data.nodes.map(n => [n.id, n]));
    this.order = data.nodes.map(n => n.id);
    this.runs = data.runs.map(run => run.id);
    if (!this.runs.includes(S.run)) S.run = data.view.run;
    this.root = host.querySelector('.linked') ?? host.appendChild(Object.assign(document.createElement('div'), { className: 'linked' }));
  }

  // ---- building -----------------------------------------------------------------------------------------------

  build() {
    const focus = this.root.getRootNode().activeElement?.dataset?.focus;
    this.root.innerHTML = `
      <div class="bar" role="toolbar" aria-label="The four views">${this.toolbar()}</div>
      <p class="status" aria-live="polite"></p>
      <div class="views${this.data.single ? ' single' : ''}${this.data.columns ? ' ledger' : ''}">
        <section class="code" aria-label="Code that ran"></section>
        <section class="graph" aria-label="Autograd graphs">${this.graphs()}</section>
        <section class="algebra" aria-label="Algebra"><h4>Algebra <span class="which"></span></h4><div class="rows"></div></section>
        <section class="numbers" aria-label="Numbers">${this.numbers()}</section>
        ${this.data.paths ? '<section class="paths" aria-label="Sum over paths"></section>' : ''}
      </div>`;
    this.$ = s => this.root.querySelector(s);
    this.$$ = s => [...this.root.querySelectorAll(s)];
    this.drawGraphs();
    this.listen();
    this.refresh();
    if (focus) this.$(`[data-focus="${focus}"]`)?.focus();
  }

  toolbar() {
    const { steps, kinds, runs } = this.data, two = runs.length > 1;
    const choice = run => `<button data-run="${run.id}" data-focus="run-${run.id}">${escape(run.label)}</button>`;
    return `${two ? `
      <span class="switch" role="group" aria-label="${this.data.switch}"><code>${this.data.switch}</code>${runs.map(choice).join('')}</span>` : ''}
      <span class="play"><button data-do="play" data-focus="play" aria-label="Play how the graph is built">▶</button>
        <input type="range" min="1" max="${this.order.length}" data-focus="time" aria-label="Moment of construction">
        <output></output></span>
      ${two && !this.data.single ? '<label><input type="checkbox" data-do="ghosts" data-focus="ghosts"> ghosts of what is missing</label>' : ''}
      ${steps > 1 ? `<label><input type="checkbox" data-do="unfold" data-focus="unfold"> unfold all ${steps} steps</label>` : ''}
      <span class="legend">${kinds.map(k => `<button data-kind="${k.name}" data-focus="kind-${k.name}" class="k-${k.name}"
        title="${k.help}"><i></i>${k.label}</button>`).join('')}</span>`;
  }

  code() {
    const cells = (values, names) => `<span class="cells">${values.map((v, i) => `<span data-name="${names[i]}">${v === null ? '<i title="Make your prediction first">?</i>' : escape(v)}</span>`).join('')}</span>`;
    const columns = this.data.columns, head = columns ? `<li class="head" aria-hidden="true"><span class="n"></span><code></code><output></output>${cells(columns, columns)}</li>` : '';
    const line = l => `<li data-line="${l.n}" class="${l.state ?? ''} ${l.later ? 'not-yet' : ''} ${l.failed ? 'failed' : ''} ${l.does ? 'call' : ''}"><button class="n" data-line="${l.n}" data-focus="line-${l.n}"
      aria-label="Line ${l.n}">${l.n}</button><code>${this.nested(l)}</code><output></output>${columns ? cells(l.cells, columns) : ''}</li>`;
    return `<h4>Code that ran <span class="which"></span></h4><ol>${head}${this.lines.map(line).join('')}</ol>`;
  }

  get lines() { return this.data.code[this.S.run]; }

  /* A line's text with its sub-expressions as nested spans. */
  nested(l) {
    const tag = ([a, b], mark) => ({ a, b, open: mark ? '<b class="flag">' : `<span data-key="L${l.n}c${a}-${b}">`, close: mark ? '</b>' : '</span>' });
    const spans = [...l.spans.map(s => tag(s)), ...(l.marks ?? []).map(m => tag(m, true))].sort((s, t) => s.a - t.a || t.b - s.b);
    const write = (from, to) => {
      let out = '';
      while (spans.length && spans[0].a < to) {
        const { a, b, open, close } = spans.shift();
        out += escape(l.text.slice(from, a)) + open + write(a, b) + close;
        from = b;
      }
      return out + escape(l.text.slice(from, to));
    };
    return write(0, l.text.length);
  }

  graphs() {
    if (this.data.error) return `<h4>Autograd graph</h4><p class="error">${escape(this.data.error)}</p>`;
    const tool = (what, label, text) => `<button data-do="${what}" data-focus="${what}" aria-label="${label}" title="${label}">${text}</button>`;
    const panel = run => `<figure data-panel="${run.id}"><figcaption><b>${escape(run.title)}</b>
      <span>${escape(run.caption)}</span></figcaption><div class="canvas"></div></figure>`;
    return `<span class="tools">${tool('in', 'Zoom in', '+')}${tool('out', 'Zoom out', '−')}${tool('fit', 'Fit', 'fit')}${
      tool('svg', 'Save the picture as SVG', 'SVG')}${tool('png', 'Save the picture as PNG', 'PNG')}</span>
      <div class="panels">${this.data.runs.map(panel).join('')}</div>`;
  }

  numbers() {
    const cell = v => `<td>${v === undefined ? '–' : v === null ? '<i title="Make your prediction first">?</i>' : escape(v)}</td>`;
    const each = values => this.runs.map(run => cell(values[run])).join('');
    const summary = this.data.summary.map(r => `<tr><th scope="row">${r.label}</th>${each(r.values)}</tr>`);
    const stepped = this.data.steps > 1, step = n => stepped ? `<td>${n.step === null ? '' : n.step + 1}</td>` : '';
    const row = n => `<tr tabindex="-1" data-id="${n.id}" data-focus="row-${n.id}" class="k-${n.kind}">
      <th scope="row"><code>${escape(n.label)}</code></th>${step(n)}<td class="op">${n.op}</td>
      <td>${escape(n.value[this.runs.at(-1)] ?? n.value[this.runs[0]])}</td>${each(n.gradient)}</tr>`;
    const head = this.data.runs.map(run => `<th scope="col">${escape(run.title)}</th>`).join('');
    const gradients = this.data.runs.map(run => `<th scope="col">∂ ${escape(this.data.loss)}, ${escape(run.label)}</th>`).join('');
    return `<h4>Numbers</h4><div class="tables"><div><table class="summary"><thead><tr><td></td>${head}</tr></thead><tbody>${summary.join('')}</tbody></table></div>
      <div class="scroll" tabindex="0" aria-label="Every node of the graph"><table class="detail"><thead><tr><th scope="col">made by</th>${stepped ? '<th scope="col">step</th>' : ''}
      <th scope="col" class="op">node</th><th scope="col">value</th>${gradients}</tr></thead><tbody>${this.data.nodes.map(row).join('')}</tbody></table></div></div>`;
  }

  /* The gradient as a sum over the paths of the graph; choosing one lights it. */
  paths() {
    const { rows, rest, total } = this.data.paths[this.S.run], show = v => v === null ? '<i>?</i>' : escape(v);
    const row = (r, i) => `<tr tabindex="-1" data-ids="${r.ids}" data-focus="path-${i}"${r.extra ? ' class="k-second"' : ''}>
      <th scope="row">${i + 1}${r.extra ? ` <em>${escape(r.extra)}</em>` : ''}</th><td>${show(r.factors)}</td><td>${show(r.product)}</td></tr>`;
    return `<h4>The gradient as a sum over paths, from ${escape(this.data.loss)} back to the leaf</h4>
      <div class="scroll" tabindex="0" aria-label="Paths"><table class="detail"><thead><tr><th scope="col">path</th><th scope="col">local derivatives along it</th>
      <th scope="col">product</th></tr></thead><tbody>${rows.map(row).join('')}</tbody>
      <tfoot><tr><th scope="row">sum</th><td>${escape(rest)}</td><td><b>${show(total)}</b></td></tr></tfoot></table></div>`;
  }

  drawGraphs() {
    for (const canvas of this.$$('.canvas')) {
      const run = canvas.closest('figure').dataset.panel;
      canvas.innerHTML = this.data.layouts[this.S.open] ?? '';
      const svg = canvas.querySelector('svg');
      if (!svg) continue;
      svg.setAttribute('role', 'group');
      svg.setAttribute('aria-label', `Autograd graph, ${this.data.runs.find(r => r.id === run).title}. Arrow keys follow the edges.`);
      this.natural = svg.getAttribute('viewBox').split(' ').map(Number);
      for (const g of svg.querySelectorAll('g.node')) this.dressNode(g, run);
      for (const g of svg.querySelectorAll('g.edge')) this.dressEdge(g, run);
      svg.querySelectorAll('title').forEach(t => t.remove());
      this.ties(svg, run);
    }
    this.zoomTo(this.S.boxOf === String(this.natural) ? this.S.box : null);
  }

  dressNode(g, run) {
    const id = g.querySelector('title').textContent;
    g.dataset.id = id;
    g.removeAttribute('id');
    const present = this.stepOf(id) !== null || this.inRun(id, run);
    const kind = this.N[id]?.kind ?? 'tensor';
    g.classList.add(`k-${kind}`, ...(present ? [] : kind === 'aside' ? [] : ['ghost']));
    if (this.N[id]?.freed?.[run]) g.classList.add('freed');
    if (present || kind === 'aside') {
      g.tabIndex = -1;
      g.setAttribute('role', 'button');
      g.setAttribute('aria-label', this.sentence([id], run));
    } else g.setAttribute('aria-hidden', 'true');
    const { x, y, width, height } = bounds(g);
    const texts = this.caption(id, run);
    texts.forEach(([name, text, gradient = ''], i) => {
      const t = document.createElementNS(SVG, 'text');
      t.setAttribute('x', x + width / 2);
      t.setAttribute('y', y + height / 2 + (i - (texts.length - 1) / 2) * 13 + 3.6);
      t.setAttribute('class', name);
      t.textContent = text;
      if (gradient) t.append(Object.assign(document.createElementNS(SVG, 'tspan'), { textContent: gradient }));
      g.append(t);
      if ((text + gradient).length * CHARACTER > width - 6) {
        t.setAttribute('textLength', width - 6);
        t.setAttribute('lengthAdjust', 'spacingAndGlyphs');
      }
    });
  }

  /* What stands in a box: operation, sub-expression, value and gradient. */
  caption(id, run) {
    const step = this.stepOf(id), n = this.N[id];
    if (step !== null) {
      const nodes = this.data.nodes.filter(m => m.step === step && m.runs[run]), second = nodes.filter(m => m.kind === 'second').length;
      return [['expr', `inner step ${step + 1}`], ['op', `${nodes.length} nodes` + (second ? `, ${second} second-order` : '')]];
    }
    if (!n) return (this.data.boxes[id]?.[run] ?? id).split('\n').map((text, i) => [i ? 'val' : 'expr', text]);
    const gradient = n.gradient[run] === undefined || n.kind === 'aside' ? '' : `   ∂ ${n.gradient[run] ?? '?'}`;
    if (n.op === 'AccumulateGrad') return [['op', n.op, this.data.single ? '' : gradient]];
    if (this.data.single) return [['op', n.op], ['expr', shorten(n.label)], ['val', n.value[run] ?? '', gradient], ...(n.freed?.[run] ? [['op', 'freed']] : [])];
    return [['op', n.op + (n.freed?.[run] ? ' · freed' : '')], ['expr', shorten(n.label)], ['val', n.value[run] ?? '', this.inRun(id, run) ? gradient : '']];
  }

  dressEdge(g, run) {
    const [from, to] = g.querySelector('title').textContent.split('->');
    Object.assign(g.dataset, { from, to });
    g.removeAttribute('id');
    const aside = [to, this.data.anchors[to]].some(id => this.N[id]?.kind === 'aside');
    const drawn = this.data.edges?.[run];
    const there = drawn ? drawn.includes(`${from}->${to}`) : [from, to].every(id => !this.N[id] || this.inRun(id, run));
    const folded = this.stepOf(from) !== null || this.stepOf(to) !== null;
    if (aside) g.classList.add('k-aside');
    else if (!there && !folded) g.classList.add('ghost');
    else if ([from, to].some(id => this.N[id]?.kind === 'second')) g.classList.add('k-second');
  }

  /* A dotted thread from each second-order node to the forward node whose derivative it is. */
  ties(svg, run) {
    const graph = svg.querySelector('g.graph');
    const at = Object.fromEntries([...svg.querySelectorAll('g.node')].map(g => [g.dataset.id, bounds(g)]));
    for (const n of this.data.nodes) {
      const a = at[n.id], b = at[n.parent];
      if (!a || !b || !n.runs[run]) continue;
      const line = document.createElementNS(SVG, 'path');
      const right = a.x > b.x;
      line.setAttribute('d', `M${right ? a.x : a.x + a.width},${a.y + a.height / 2} L${right ? b.x + b.width : b.x},${b.y + b.height / 2}`);
      line.setAttribute('class', 'tie');
      line.dataset.from = n.id;
      line.dataset.to = n.parent;
      graph.prepend(line);
    }
  }

  // ---- what belongs together ----------------------------------------------------------------------------------

  inRun(id, run) { return this.N[id] ? this.N[id].runs[run] : this.data.boxes[id] ? run in this.data.boxes[id] : true; }
  stepOf(box) { return box?.startsWith('step-') ? +box.slice(5) - 1 : null; }
  get step() { return this.S.open === 'all' ? this.S.step ?? 0 : +this.S.open - 1; }

  idsOf(target) {
    const el = target.closest?.('[data-id],[data-ids],[data-key],[data-kind],[data-line],.row');
    if (!el || !this.root.contains(el)) return [];
    const d = el.dataset;
    if (d.id) return this.ofBox(d.id);
    if (d.ids !== undefined) return d.ids.split(' ').filter(Boolean);
    if (d.kind) return this.order.filter(id => this.N[id].kind === d.kind);
    if (d.key) return this.ofKey(d.key) ?? this.idsOf(el.parentElement);  // a plain number: what it is part of
    if (d.line) return this.ofLine(+d.line);
    return [...el.querySelectorAll('[data-ids]')].flatMap(term => this.idsOf(term));
  }

  ofBox(id) {
    const step = this.stepOf(id);
    if (step !== null) return this.data.nodes.filter(n => n.step === step).map(n => n.id);
    return [this.data.anchors[id] ?? id];
  }

  /* The node a sub-expression became, or, for a name, the node its value came from. */
  ofKey(key) {
    const value = this.valueOf(key);
    if (value?.node) return [value.node];
    const made = this.order.filter(id => id.startsWith(key + '.') && !this.N[id].parent);
    return made.length ? made : null;
  }

  valueOf(key) {
    const values = this.data.values[this.S.run].filter(v => v.key === key);
    return values.find(v => v.step === this.step) ?? values[0];
  }

  ofLine(n) {
    const line = this.lines[n - 1];
    if (line.ids) return line.ids;
    if (line.does === 'loop') return this.order.filter(id => this.N[id].step !== null);
    if (line.does === 'backward') return this.order.filter(id => this.inRun(id, this.S.run));
    if (line.does === 'grad') return this.order.filter(id => this.N[id].parent && this.N[id].step === this.step);
    return this.order.filter(id => this.N[id].line === n && !this.N[id].parent && (this.N[id].step ?? this.step) === this.step);
  }

  /* Derivatives of the chosen nodes, and the forward nodes they derive from: lit more softly. */
  kin(ids) {
    const chosen = new Set(ids);
    return this.data.nodes.filter(n => chosen.has(n.parent) || chosen.has(n.id)).flatMap(n => chosen.has(n.id) ? n.parent ?? [] : n.id).filter(id => !chosen.has(id));
  }

  // ---- painting -----------------------------------------------------------------------------------------------

  paint(ids, { reveal = false, say = true, run = this.S.run } = {}) {
    const on = new Set(ids), kin = new Set(this.kin(ids));
    const keyOf = id => this.N[id] && `L${this.N[id].line}c${this.N[id].start}-${this.N[id].end}`;
    const keys = new Set(ids.map(keyOf)), kinKeys = new Set([...kin].map(keyOf));
    const lines = new Set(ids.flatMap(id => this.N[id] ? [this.N[id].parent ? this.data.gradLine : this.N[id].line] : []));
    this.root.classList.toggle('lit', on.size > 0 && this.S.t === null);
    for (const el of this.$$('g.node')) {
      const mine = this.ofBox(el.dataset.id);
      el.classList.toggle('on', mine.some(id => on.has(id)));
      el.classList.toggle('kin', mine.some(id => kin.has(id)));
    }
    for (const el of this.$$('.tie')) el.classList.toggle('on', on.has(el.dataset.from) || on.has(el.dataset.to));
    for (const el of this.$$('g.edge')) el.classList.toggle('on', on.has(el.dataset.from) && on.has(el.dataset.to));
    for (const el of this.$$('[data-key]')) {
      el.classList.toggle('on', keys.has(el.dataset.key));
      el.classList.toggle('kin', kinKeys.has(el.dataset.key));
    }
    for (const el of this.$$('li[data-line]')) el.classList.toggle('on', lines.has(+el.dataset.line));
    for (const el of this.$$('.algebra [data-ids]')) el.classList.toggle('on', el.dataset.ids.split(' ').some(id => on.has(id)));
    for (const el of this.$$('.detail [data-id]')) el.classList.toggle('on', on.has(el.dataset.id));
    for (const el of this.$$('.paths [data-ids]')) el.classList.toggle('on', el.dataset.ids === ids.join(' '));
    if (reveal) this.revealRow(ids[0]);
    if (say) this.say(this.sentence(ids, run));
  }

  revealRow(id) {
    const row = this.$(`.detail [data-id="${CSS.escape(id ?? '')}"]`), box = this.$('.numbers .scroll');
    if (row) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }

  say(text) { this.$('.status').textContent = text || this.data.hint; }

  sentence(ids, run) {
    const nodes = [...new Set(ids.flatMap(id => this.ofBox(id)))].map(id => this.N[id]).filter(Boolean);
    const second = nodes.filter(n => n.kind === 'second').length;
    if (nodes.length !== 1) return nodes.length ? `${nodes.length} nodes${second ? `, ${second} of them second-order` : ''}.` : '';
    const n = nodes[0], where = `line ${n.line}` + (n.step === null ? '' : `, inner step ${n.step + 1}`);
    const origin = n.parent ? `made by autograd.grad, as part of the derivative of ${n.label.slice(2)} (${where})` : `${n.label} (${where})`;
    const gradient = n.gradient[run];
    const arrives = n.kind === 'aside' ? `on no path to ${this.data.loss}` : !n.runs[run] ? `missing with ${this.data.runs.find(r => r.id === run).title}`
      : gradient === null ? 'gradient: predict it first' : gradient === undefined ? `no gradient came by on this line${n.freed?.[run] ? ', and what it had saved is freed' : ''}` : `∂${this.data.loss}/∂value ${gradient}`;
    return `${n.op}: ${origin}; value ${n.value[run] ?? n.value[this.runs[0]]}; ${arrives}.`;
  }

  /* Everything that depends on the view but not on new data. */
  refresh() {
    const { S } = this;
    this.root.dataset.run = S.run;
    this.root.classList.toggle('ghosts', S.ghosts);
    this.root.classList.toggle('first', this.runs.length > 1 && S.run === this.runs[0]);
    this.$$('figure').forEach(f => f.classList.toggle('active', f.dataset.panel === S.run));
    this.$$('[data-run]').forEach(b => b.setAttribute('aria-pressed', b.dataset.run === S.run));
    if (this.$('[data-do=ghosts]')) this.$('[data-do=ghosts]').checked = S.ghosts;
    if (this.$('[data-do=unfold]')) this.$('[data-do=unfold]').checked = S.open === 'all';
    if (this.shown !== S.run) this.$('.code').innerHTML = this.code();
    if (this.data.paths && this.shown !== S.run) {
      this.$('.paths').innerHTML = this.paths();
      this.roving(this.$$('.paths [data-ids]'));
    }
    this.shown = S.run;
    const which = this.data.steps > 1 ? `values of inner step ${this.step + 1} of ${this.data.steps}` : '';
    this.$$('.which').forEach(span => span.textContent = which);
    this.refreshAlgebra();
    this.refreshResults();
    this.refreshTime();
    this.paint(S.pin ?? [], { say: true });
  }

  refreshAlgebra() {
    const said = r => r.always.length || r[this.S.run]?.length;
    const shown = this.data.equations.filter(r => said(r) && (r.step === null || this.S.open === 'all' || r.step === this.step));
    const maths = p => `<math>${p}</math>`;
    const row = r => `<div class="row"${r.line ? ` data-line="${r.line}"` : ''}>${[...r.always, ...(r[this.S.run] ?? [])].map(maths).join(' ')}</div>`;
    this.$('.algebra .rows').innerHTML = shown.map(row).join('');
    this.roving(this.$$('.algebra [data-ids]'));
  }

  refreshResults() {
    for (const li of this.$$('li[data-line]')) {
      const l = this.lines[li.dataset.line - 1], last = l.spans.at(-1);
      const value = l.result !== undefined ? l.result : last && this.valueOf(`L${l.n}c${last[0]}-${last[1]}`)?.value;
      li.querySelector('output').textContent = value === null ? '?' : value ?? '';
    }
  }

  /* Time runs forward over the making of the nodes and then, where the data has `visits`, backward over them. */
  get moments() { return this.order.length + Math.max(0, ...Object.values(this.data.visits ?? {}).map(ids => ids.length)); }

  refreshTime() {
    const { S, order, moments } = this, now = S.t = S.t === null ? null : Math.min(S.t, moments), at = now ?? moments;
    const back = at - order.length, visits = run => this.data.visits?.[run] ?? [];
    const current = back > 0 ? visits(S.run)[back - 1] : order[at - 1];
    const range = this.$('.play input');
    range.max = moments;
    range.value = at;
    const where = back > 0 ? `backward ${back}/${moments - order.length}` : `${at}/${order.length}`;
    range.setAttribute('aria-valuetext', `${where.replace('/', ' of ')}: ${this.N[current]?.op ?? ''}`);
    this.$('.play output').textContent = now === null ? `${moments}/${moments}` : where;
    this.$('[data-do=play]').textContent = S.timer ? '❚❚' : '▶';
    const made = new Set(order.slice(0, at));
    for (const el of this.$$('g.node')) {
      const ids = this.ofBox(el.dataset.id), arrived = visits(el.closest('figure').dataset.panel).slice(0, Math.max(back, 0));
      el.classList.toggle('later', now !== null && !ids.some(id => made.has(id)));
      el.classList.toggle('waiting', now !== null && Boolean(this.data.visits) && !arrived.includes(el.dataset.id));
    }
    for (const el of this.$$('g.edge, .tie')) {
      el.classList.toggle('later', now !== null && ![el.dataset.from, el.dataset.to].every(b => this.ofBox(b).some(id => made.has(id))));
    }
    // A construction that plays would talk without end to those who listen.
    if (now !== null) this.paint(current ? [current] : [], { reveal: true, say: !S.timer });
  }

  // ---- acting -------------------------------------------------------------------------------------------------

  listen() {
    const { root } = this;
    this.S.listening?.abort();  // the root outlives a rebuild
    this.S.listening = new AbortController();
    const until = { signal: this.S.listening.signal };
    root.onpointermove = e => { if (this.moved(e) && e.pointerType !== 'touch' && e.target !== this.over) this.hover(this.over = e.target); };
    root.onpointerleave = e => { if (this.moved(e)) this.hover(this.over = null); };
    document.addEventListener('pointermove', e => { this.S.at = [e.clientX, e.clientY]; }, until);
    root.addEventListener('focusin', e => this.focused(e.target), until);
    root.onclick = e => this.click(e);
    root.onchange = e => this.change(e.target);
    root.oninput = e => { if (e.target.type === 'range') this.goTo(+e.target.value); };
    root.onkeydown = e => this.key(e);
    for (const canvas of this.$$('.canvas')) this.panning(canvas);
    this.roving(this.$$('.detail [data-id]'));
    for (const canvas of this.$$('.canvas')) this.roving([...canvas.querySelectorAll('g.node[tabindex]')]);
  }

  /* Scrolling moves the page under a resting mouse, and browsers report that as movement. */
  moved(e) { return !this.S.at || e.clientX !== this.S.at[0] || e.clientY !== this.S.at[1]; }

  hover(target) { if (!this.S.pin && this.S.t === null) target ? this.point(target) : this.paint([]); }

  focused(target) {
    const points = target.matches('[data-id],[data-ids],[data-line],[data-kind]');
    if (points && !this.S.pin && this.S.t === null) this.point(target, { reveal: !target.closest('tr') });
  }

  point(target, options) {
    const box = target.closest?.('[data-id]')?.dataset.id;
    if (this.N[box]?.step != null && this.S.open === 'all' && this.S.step !== this.N[box].step) {
      this.S.step = this.N[box].step;
      this.refreshResults();
    }
    this.paint(this.idsOf(target), { ...options, run: target.closest?.('figure')?.dataset.panel });
  }

  roving(elements) { elements.forEach((el, i) => el.tabIndex = i ? -1 : 0); }

  click(e) {
    const button = e.target.closest('button');
    if (button?.dataset.run) return this.set({ run: button.dataset.run });
    if (button?.dataset.do) return this.do(button.dataset.do);
    if (e.target.closest('input, label')) return;
    if (this.dragged) return void (this.dragged = false);
    const folded = this.stepOf(e.target.closest('g.node')?.dataset.id);
    if (folded !== null) return this.unfold(String(folded + 1), e.type === 'keydown');
    const ids = this.idsOf(e.target);
    this.leaveTime();
    this.S.pin = ids.length && String(ids) !== String(this.S.pin) ? ids : null;
    this.paint(this.S.pin ?? [], { reveal: !e.target.closest('tr') });
  }

  change(input) {
    if (input.dataset.do === 'ghosts') this.set({ ghosts: input.checked });
    if (input.dataset.do === 'unfold') this.unfold(input.checked ? 'all' : '1');
  }

  do(what) {
    if (what === 'play') return this.S.timer ? (this.stop(), this.refreshTime()) : this.play();
    if (what === 'fit') return this.zoomTo(null);
    if (what === 'in' || what === 'out') return this.zoom(what === 'in' ? 0.8 : 1.25);
    if (what === 'svg' || what === 'png') return save(this, what);
  }

  set(change) {
    Object.assign(this.S, change);
    this.refresh();
    this.tell();
  }

  unfold(open, byKey = false) {
    Object.assign(this.S, { open, step: open === 'all' ? this.step : undefined, pin: null });
    this.drawGraphs();
    for (const canvas of this.$$('.canvas')) this.roving([...canvas.querySelectorAll('g.node[tabindex]')]);
    this.refresh();
    this.tell();
    const first = this.data.nodes.find(n => n.step === this.step && this.inRun(n.id, this.S.run));
    if (byKey && first) this.$(`figure.active g.node[data-id="${CSS.escape(first.id)}"]`)?.focus();
  }

  /* The server only needs to know the view for the link; it hears of it when the reader has settled. */
  tell() {
    clearTimeout(this.S.telling);
    const { run, ghosts, open } = this.S, view = { run, ghosts, open };
    this.S.telling = setTimeout(() => this.report('view', view), SETTLE_MS);
  }

  play() {
    if (this.S.t === null || this.S.t >= this.moments) this.S.t = 0;
    const tick = () => {
      this.S.t += 1;
      this.refreshTime();
      if (this.S.t >= this.moments) this.leaveTime();
    };
    this.S.timer = setInterval(tick, STEP_MS);
    tick();
  }

  goTo(t) {
    if (t >= this.moments) return this.leaveTime();
    this.stop();
    this.S.t = t;
    this.refreshTime();
  }

  stop() { clearInterval(this.S.timer); this.S.timer = null; }
  leaveTime() { if (this.S.t !== null) { this.stop(); this.S.t = null; this.refreshTime(); } }

  key(e) {
    if (e.key === 'Escape') { this.leaveTime(); this.S.pin = null; return this.paint([]); }
    const row = e.target.closest('.detail tbody tr'), node = e.target.closest('g.node'), term = e.target.closest('.algebra [data-ids]');
    const from = row ?? node ?? term;
    if ((e.key === 'Enter' || e.key === ' ') && from) { e.preventDefault(); return this.click(e); }
    const to = row ? this.nextRow(row, e.key) : node ? this.nextNode(node, e.key) : term ? this.nextTerm(term, e.key) : null;
    if (!to) return;
    e.preventDefault();
    this.roving([to, from]);
    to.focus({ preventScroll: Boolean(node) });
  }

  nextRow(row, key) { return { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[key]; }

  nextTerm(term, key) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key], terms = this.$$('.algebra [data-ids]');
    return step && terms[terms.indexOf(term) + step];
  }

  /* ↑ ↓ follow the edges, ← → the order of creation. */
  nextNode(node, key) {
    const svg = node.closest('svg'), id = node.dataset.id;
    const find = box => svg.querySelector(`g.node[tabindex][data-id="${CSS.escape(box)}"]`);
    const along = (mine, other) => [...svg.querySelectorAll(`g.edge[data-${mine}="${CSS.escape(id)}"]`)].map(g => find(g.dataset[other])).find(Boolean);
    if (key === 'ArrowUp') return along('to', 'from');
    if (key === 'ArrowDown') return along('from', 'to');
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!step) return null;
    for (let i = this.order.indexOf(this.ofBox(id)[0]) + step; this.order[i]; i += step) if (find(this.order[i])) return find(this.order[i]);
  }

  // ---- zoom and pan: both panels move together, so that they stay comparable -----------------------------------

  zoomTo(box) {
    Object.assign(this.S, { box, boxOf: String(this.natural) });
    this.$$('.canvas svg').forEach(svg => svg.setAttribute('viewBox', (box ?? this.natural).join(' ')));
  }

  zoom(factor, at) {
    const [x, y, w, h] = this.S.box ?? this.natural;
    const px = at?.x ?? x + w / 2, py = at?.y ?? y + h / 2;
    const k = Math.min(Math.max(factor, this.natural[2] / 12 / w), 2 * this.natural[2] / w);
    this.zoomTo([px - (px - x) * k, py - (py - y) * k, w * k, h * k]);
  }

  panning(canvas) {
    const fingers = new Map();
    const toBox = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(canvas.querySelector('svg').getScreenCTM().inverse());
    canvas.onwheel = e => { if (e.ctrlKey || e.metaKey) { e.preventDefault(); this.zoom(e.deltaY > 0 ? 1.12 : 0.89, toBox(e)); } };
    canvas.onpointerdown = e => { fingers.set(e.pointerId, e); this.dragged = false; };
    canvas.onpointermove = e => {
      const before = fingers.get(e.pointerId);
      if (!before || !e.buttons) return void fingers.delete(e.pointerId);
      if (fingers.size === 2) {
        const other = [...fingers.values()].find(f => f.pointerId !== e.pointerId), spread = f => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY);
        this.zoom(spread(before) / Math.max(spread(e), 1), toBox(other));
      } else if (this.dragged || Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY) > 4) {
        if (!this.dragged) canvas.setPointerCapture(e.pointerId);
        this.dragged = true;
        const a = toBox(before), b = toBox(e), [x, y, w, h] = this.S.box ?? this.natural;
        this.zoomTo([x + a.x - b.x, y + a.y - b.y, w, h]);
      } else return;
      fingers.set(e.pointerId, e);
    };
    canvas.onpointerup = e => fingers.delete(e.pointerId);
    canvas.onpointercancel = e => { fingers.delete(e.pointerId); this.dragged = false; };
  }
}

const escape = text => String(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const shorten = text => text.length > 22 ? text.slice(0, 12) + '…' + text.slice(-9) : text;

/* A node's box, from its outline: getBBox knows nothing of what is not displayed. */
function bounds(g) {
  const outline = g.querySelector('path, polygon'), n = (outline.getAttribute('d') ?? outline.getAttribute('points')).match(/-?[\d.]+/g).map(Number);
  const xs = n.filter((_, i) => i % 2 === 0), ys = n.filter((_, i) => i % 2), x = Math.min(...xs), y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/* The active graph as a file that looks the same outside: computed styles travel with it. */
function save(app, type) {
  const source = app.$(`figure[data-panel="${app.S.run}"] svg`), copy = source.cloneNode(true);
  const from = [source, ...source.querySelectorAll('*')], to = [copy, ...copy.querySelectorAll('*')];
  from.forEach((el, i) => {
    const style = getComputedStyle(el);
    for (const p of ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-family', 'font-size', 'font-weight', 'text-anchor']) to[i].style[p] = style[p];
  });
  const [x, y, w, h] = app.natural;
  copy.setAttribute('viewBox', app.natural.join(' '));
  copy.setAttribute('width', w * 2);
  copy.setAttribute('height', h * 2);
  copy.insertAdjacentHTML('afterbegin', `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${getComputedStyle(app.root).getPropertyValue('--paper')}"/>`);
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' }));
  const name = `autograd-${app.data.runs.find(r => r.id === app.S.run).title.replace(/[^\w=]+/g, '-')}.${type}`;
  if (type === 'svg') return download(url, name);
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: w * 2, height: h * 2 });
    canvas.getContext('2d').drawImage(image, 0, 0);
    download(canvas.toDataURL('image/png'), name);
  };
  image.src = url;
}

function download(href, name) {
  Object.assign(document.createElement('a'), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}
