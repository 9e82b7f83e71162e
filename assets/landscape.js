
/* The landscape: contours, θ to drag, the circle and the ellipse, the arrows, and their numbers beside the map.

   Python side: pages/ui/landscape.py, which documents the data. The scenery changes with the problem; all the rest is
   drawn again at every move, by the mathematics above. */

const SIDE = 632, CIRCLE = 52;  // of the picture, and of the circle around θ, in the picture's own units
const REACH = 260;  // from the middle to the farthest θ: a corner has room for the circle (maml_core/plane/contours.py)
const SHORTEST = 40, LONGEST = 160, USUAL = 96, TRUE_LONGEST = 190;  // of an arrow
const STEP = 1 / 200, LEAP = 1 / 20;  // of the square of θ, per arrow key and with Shift
const QUIET_MS = 250, DECIMALS = 1e3;
const FAR = 1e6;  // half widths of the map
const SMALL = 1e-9;  // a relative difference up to here is rounding

const METHODS = {
  maml: ['MAML', 'exact: <i>J</i><sup>T</sup>∇<i>L</i><sub>q</sub>(φ)'],
  fomaml: ['FOMAML', '<i>J</i> dropped: ∇<i>L</i><sub>q</sub>(φ)'],
  truncated: ['truncated', '<i>J</i> of the last steps only'],
  reptile: ['Reptile', '(θ − φ)/α'],
  'one-leap': ['one leap', '(<i>I</i> − β<i>H</i>(θ)) ∇<i>L</i><sub>q</sub>(φ)'],
  imaml: ['iMAML', '(<i>I</i> + <i>H</i>/λ)<sup>−1</sup> ∇<i>L</i><sub>q</sub>(φ*)'],
  anil: ['ANIL', 'only v adapts'],
  boil: ['BOIL', 'only u adapts'],
};

export default function ({ data, parentElement, setStateValue }) {
  const S = parentElement._landscape ??= { trueLengths: false };
  S.leave?.();
  if (S.problem !== data.problem) Object.assign(S, { problem: data.problem, wanted: null, untold: false, drag: null });
  if (!S.wanted || same(S.wanted, data.start)) Object.assign(S, { wanted: null, theta: data.start });  // else an answer to a θ before
  const one = new Landscape(parentElement, data, S, setStateValue);
  one.build();
  return S.leave = () => { S.listening.abort(); S.watching.disconnect(); clearTimeout(S.telling); elsewhere(false); };
}

class Landscape {
  constructor(host, data, S, report) {
    Object.assign(this, { host, data, S, report });
    this.tasks = data.tasks.map(t => ({ name: t.name, support: player(t.support), query: player(t.query) }));
    this.root = host.querySelector('.landscape') ?? host.appendChild(Object.assign(document.createElement('div'), { className: 'landscape' }));
    this.$ = s => this.root.querySelector(s);
    this.$$ = s => [...this.root.querySelectorAll(s)];
  }

  // ---- building: once per problem and kind of panel ------------------------------------------------------------

  build() {
    const { S, data } = this, tasks = JSON.stringify([data.tasks, data.centre, data.halfWidth]), panel = JSON.stringify([data.arrows, data.matrices, data.hidden, data.tasks.length]);
    if (!this.root.firstChild) this.root.innerHTML = FRAME;
    if (S.tasks !== tasks) this.$('.scenery').innerHTML = this.scenery();
    if (S.panel !== panel) this.$('.side .numbers').innerHTML = this.panel();
    Object.assign(S, { tasks, panel });
    this.root.classList.toggle('many', data.tasks.length > 1);
    this.$('.knob').setAttribute('aria-valuemin', data.centre[0] - data.halfWidth);
    this.$('.knob').setAttribute('aria-valuemax', data.centre[0] + data.halfWidth);
    this.listen();
    this.draw();
    this.tell(true);
    if (S.untold && !S.drag) this.tellSoon();
  }

  get hue() { return name => `style="--a: var(--${name})"`; }

  /* From the plane to the picture; what is very far away comes nearer in the same direction. */
  place([u, v]) {
    const { centre: [cu, cv], halfWidth: h } = this.data, off = [u / h - cu / h, cv / h - v / h];
    const far = Math.max(1, ...off.map(x => Math.abs(x) / FAR));
    return off.map(x => SIDE / 2 + REACH * (x / far));
  }

  scenery() {
    const { data } = this;
    const each = (t, i) => `<g class="support s${i}">${t.terraces.map(d => `<path d="${d}"/>`).join('')}</g>`;
    const lines = (t, i) => `<g class="query q${i}">${t.lines.map((d, k) => `<path d="${d}" style="stroke-opacity:${(.85 - .07 * k).toFixed(2)}"/>`).join('')}</g>`;
    const taken = [];
    const free = (x, y) => taken.some(p => Math.abs(p[0] - x) < 70 && Math.abs(p[1] - y) < 17) ? free(x, y + 17) : (taken.push([x, y]), y);
    const name = (t, what) => {
      const x = inside(t.lowest[what][0], 46), y = free(x, inside(t.lowest[what][1], 20));
      return `<text class="where ${what}" x="${x}" y="${y}">${what}${t.name ? ' ' + t.name : ''}</text>`;
    };
    return data.tasks.map(each).join('') + data.tasks.map(lines).join('') + this.ticks()
      + data.tasks.map(t => name(t, 'support') + name(t, 'query')).join('');
  }

  ticks() {
    const { centre, halfWidth } = this.data, h = halfWidth * SIDE / 2 / REACH;
    const at = c => Array.from({ length: 2 * Math.floor(h) + 1 }, (_, i) => Math.round(c) - Math.floor(h) + i).filter(x => Math.abs(x - c) < h * .93);
    const u = at(centre[0]).map(x => `<text class="tick" x="${this.place([x, 0])[0]}" y="${SIDE - 7}">${minus(x)}</text>`);
    const v = at(centre[1]).map(x => `<text class="tick" x="16" y="${this.place([0, x])[1] + 4}">${minus(x)}</text>`);
    return u.join('') + v.slice(1).join('') + `<text class="tick axis" x="${SIDE - 14}" y="${SIDE - 7}">u</text><text class="tick axis" x="16" y="20">v</text>`;
  }

  panel() {
    const { data } = this;
    const matrices = data.matrices ? data.tasks.map((t, i) => `<div class="task" data-task="${i}">${t.name ? `<h5>Task ${t.name}</h5>` : ''}
      <div class="matrices"><figure><table class="matrix h"></table><figcaption><i>H</i>(θ), curvature of the support loss</figcaption></figure>
      <figure><table class="matrix j"></table><figcaption><i>J</i> = ∂φ/∂θ${data.hidden ? '' : ' = <i>I</i> − α<i>H</i>'}</figcaption></figure>
      <figure class="shape"><svg viewBox="-70 -70 140 140" aria-hidden="true"></svg><figcaption>circle → ellipse</figcaption></figure></div>
      <ul class="gains"></ul></div>`).join('') : '';
    const row = name => `<tr data-arrow="${name}" tabindex="0" ${this.hue(name)}><th scope="row"><svg class="key" viewBox="0 0 26 8" aria-hidden="true"><line class="a-${name}" x1="1" y1="4" x2="25" y2="4"/></svg><b>${METHODS[name][0]}</b> <span>${METHODS[name][1]}</span></th>
      <td class="angle"></td><td class="long"></td></tr>`;
    const table = `<table class="arrows"><thead><tr><th scope="col">where θ would go</th><th scope="col">angle to exact</th><th scope="col">length, ÷ exact</th></tr></thead>
      <tbody>${data.arrows.map(row).join('')}</tbody></table>`;
    return matrices + table;
  }

  // ---- drawing: at every move --------------------------------------------------------------------------------

  draw() {
    const { S, data } = this;
    const names = data.hidden ? ['fomaml'] : [...new Set(['maml', ...data.arrows])];
    this.now = solve(this.tasks, S.theta, data.rates, names);
    this.$('.knob').setAttribute('transform', `translate(${this.place(S.theta)})`);
    this.$('.marks').innerHTML = this.marks();
    this.labels();
    if (data.matrices) data.tasks.forEach((_, i) => this.matrices(i));
    this.table();
    this.$('.says').innerHTML = this.sentence();
    this.$('.breaks').textContent = this.breaks.size ? `broken: ${[...this.breaks].sort().join(' or ')} than drawn` : '';
    this.check();
  }

  soon() { this.S.frame ??= requestAnimationFrame(() => { this.S.frame = null; this.draw(); }); }

  marks() {
    const { data, now } = this, [x, y] = this.place(now.theta), out = [];
    this.breaks = new Set();  // what an arrow or a bar with a gap is: 'longer' than drawn, 'shorter'
    this.tags = [{ x: x - 20, y: y - 16, text: 'θ', kind: 'point' }];
    if (data.matrices) out.push(`<circle class="circle" cx="${x}" cy="${y}" r="${CIRCLE}"/>`);
    now.paths.forEach((path, i) => out.push(this.path(path, i)));
    if (data.matrices && !data.hidden) now.ends.forEach((end, i) => out.push(this.image(this.place(end), now.jacobians[i])));
    const scale = this.scale();
    if (this.tasks.length > 1 && !data.hidden) now.parts.forEach((g, i) => out.push(this.arrow('maml', g, scale, `part ${this.tasks[i].name}`)));
    for (const name of [...data.arrows].reverse()) out.push(this.arrow(name, now.arrows[name], scale));
    return out.join('');
  }

  /* The inner loop, with a badge where it leaves the map. */
  path(path, i) {
    const stops = path.map(p => this.place(p)), gone = path.findIndex((p, k) => !finite(p) || !within(stops[k]));
    const seen = gone < 0 ? stops : stops.slice(0, gone), last = seen.at(-1);
    let out = '';
    const out_at = gone >= 0 && finite(path[gone]) ? edge(last, stops[gone]) : null;
    if (out_at) out += `<line class="path away" x1="${last[0]}" y1="${last[1]}" x2="${out_at[0]}" y2="${out_at[1]}"/>`;
    out += `<polyline class="path" points="${seen.join(' ')}"/>` + seen.slice(1).map(p => `<circle class="stop" cx="${p[0]}" cy="${p[1]}" r="4.5"/>`).join('');
    const name = this.tasks[i].name && `<tspan class="sub">${this.tasks[i].name}</tspan>`;
    if (gone < 0) this.tags.push({ x: last[0] + 17, y: last[1] + 19, text: `φ${name}`, kind: 'point' });
    else this.tags.push(this.badge(gone, path[gone], out_at ?? last));
    return out;
  }

  badge(step, stop, [x, y]) {
    const text = finite(stop) ? `step ${step} leaves the map: φ = (${show(stop[0])}, ${show(stop[1])})` : `after step ${step}, φ is not a finite point`;
    return { x, y: inside(y, 24), text, kind: 'badge' };
  }

  /* The circle of nudges of θ, where they end up around φ. */
  image([x, y], J) {
    if (!finite(J.flat()) || !within([x, y])) return '';
    const axes = ellipse(J), [a, b] = axes.map(axis => CIRCLE * length(axis.to)), tilt = -Math.atan2(axes[0].to[1], axes[0].to[0]) * 180 / Math.PI;
    if (a > SIDE / 2) return '';
    const half = (from, [du, dv], kind) => `<line class="${kind}" x1="${from[0]}" y1="${from[1]}" x2="${from[0] + CIRCLE * du}" y2="${from[1] - CIRCLE * dv}"/>`;
    const start = this.place(this.now.theta);
    return `<circle class="ghost" cx="${x}" cy="${y}" r="${CIRCLE}"/><ellipse class="ellipse" cx="${x}" cy="${y}" rx="${a}" ry="${Math.max(b, .6)}" transform="rotate(${tilt} ${x} ${y})"/>`
      + axes.map((axis, i) => half(start, axis.from, `axis n${i}`) + half([x, y], axis.to, `axis image n${i}`)).join('');
  }

  /* For each arrow its pixels, and those between the bounds: true lengths, or a cube root. */
  scale() {
    const { S, now, data } = this, reference = length(now.arrows[data.hidden ? 'fomaml' : 'maml']);
    const sizes = data.arrows.map(name => length(now.arrows[name])).filter(x => x > 0 && x < Infinity);
    if (S.trueLengths) return size => Array(2).fill(size / Math.max(...sizes) * TRUE_LONGEST);
    return size => {
      const wanted = reference > 0 && reference < Infinity ? USUAL * Math.cbrt(size / reference) : USUAL;
      return [wanted, Math.min(Math.max(wanted, SHORTEST), LONGEST)];
    };
  }

  arrow(name, gradient, scale, part = '') {
    const size = length(gradient);
    if (!(size > 0 && size < Infinity)) return '';
    const [x, y] = this.place(this.now.theta), dx = -gradient[0] / size, dy = gradient[1] / size;
    const [wanted, bounded] = scale(size), most = room([x, y], [dx, dy]) - 4, pixels = Math.min(bounded, most);
    if (pixels !== wanted) this.breaks.add(pixels < wanted ? 'longer' : 'shorter');
    const tip = [x + dx * pixels, y + dy * pixels];
    const head = part ? 7 : 12, neck = [tip[0] - dx * head, tip[1] - dy * head], wide = head * .5;
    const points = [tip, [neck[0] - dy * wide, neck[1] + dx * wide], [neck[0] + dy * wide, neck[1] - dx * wide]];
    const aside = bounded > most ? (dy < 0 ? -18 : 18) * this.zoom : 0;  // there is no room for the name ahead
    this.tags.push({ x: tip[0] + dx * (part ? 10 : 26), y: tip[1] + dy * 16 + 4 + aside, text: part ? part.slice(5) : METHODS[name][0], kind: `tip ${part ? 'part' : ''}`, name });
    const shaft = kind => `<line class="${kind}" x1="${x}" y1="${y}" x2="${neck[0]}" y2="${neck[1]}"/>`;
    const middle = [(x + tip[0]) / 2, (y + tip[1]) / 2];
    const mark = pixels !== wanted ? `<path class="cut" d="M${middle[0] - dy * 8 - dx * 3},${middle[1] + dx * 8 - dy * 3}L${middle[0] + dy * 8 + dx * 3},${middle[1] - dx * 8 + dy * 3}"/>` : '';
    return `<g class="arrow ${part && 'part'}" data-arrow="${name}" ${this.hue(name)}>${shaft('halo')}${shaft(`shaft a-${name}`)}${mark}<polygon points="${points.join(' ')}"/></g>`;
  }

  /* Words on the map, pushed apart where they would cover one another. */
  labels() {
    const tags = this.tags, tall = 18 * this.zoom, wide = t => (t.kind === 'badge' ? 7.2 * t.text.length : 11 * Math.max(t.text.replace(/<.*?>/g, '').length, 2)) * this.zoom;
    for (let sweep = 0; sweep < 20; sweep++) {
      for (const a of tags) for (const b of tags) {
        if (a === b || Math.abs(a.x - b.x) > (wide(a) + wide(b)) / 2.4 || Math.abs(a.y - b.y) >= tall) continue;
        const push = (tall - Math.abs(a.y - b.y)) / 4 * (a.y > b.y || a.y === b.y && tags.indexOf(a) > tags.indexOf(b) ? 1 : -1);
        a.y += push;
        b.y -= push;
      }
    }
    this.$('.labels').innerHTML = tags.map(t => `<text class="${t.kind}" x="${inside(t.x, Math.min(wide(t) / 2.1, SIDE / 2))}" y="${inside(t.y, 16)}" ${t.name ? `data-arrow="${t.name}" ${this.hue(t.name)}` : ''}>${t.text}</text>`).join('');
  }

  matrices(i) {
    const { data, now } = this, box = this.$(`[data-task="${i}"]`), H = now.hessians[i], J = now.jacobians[i];
    const cell = x => `<td style="--t: ${finite([x]) ? Math.min(Math.abs(x) / (1 + Math.abs(x)), 1).toFixed(2) : 0}" class="${x < 0 ? 'below' : ''}">${show(x)}</td>`;
    const rows = M => M.map(row => `<tr>${row.map(cell).join('')}</tr>`).join('');
    box.querySelector('.h').innerHTML = rows(H);
    box.querySelector('.j').innerHTML = data.hidden ? '<tr><td>?</td><td>?</td></tr><tr><td>?</td><td>?</td></tr>' : rows(J);
    box.querySelector('.shape svg').innerHTML = data.hidden ? '<circle class="circle" r="48"/><text class="ask" y="7">?</text>' : this.shape(J);
    box.querySelector('.gains').innerHTML = finite(H.flat()) ? this.gains(H) : '<li>The curvature at this θ is not a finite number.</li>';
  }

  /* The same circle and ellipse around one centre, as large as they fit. */
  shape(J) {
    if (!finite(J.flat())) return '';
    const axes = ellipse(J), unit = 62 / Math.max(1, ...axes.map(axis => length(axis.to)));
    const half = ([du, dv], kind) => `<line class="${kind}" x2="${unit * du}" y2="${-unit * dv}"/>`, tilt = -Math.atan2(axes[0].to[1], axes[0].to[0]) * 180 / Math.PI;
    return `<circle class="circle" r="${unit}"/><ellipse class="ellipse" rx="${unit * length(axes[0].to)}" ry="${Math.max(unit * length(axes[1].to), .6)}" transform="rotate(${tilt})"/>`
      + axes.map((axis, i) => half(axis.from, `axis n${i}`) + half(axis.to, `axis image n${i}`)).join('');
  }

  gains(H) {
    const { data: { rates: { inner_lr: alpha }, hidden } } = this;
    return eigen(H).values.map((value, i) => {
      const gain = 1 - alpha * value, word = fate(gain), wild = word.endsWith('more'), name = `<i>λ</i><sub>${i + 1}</sub>`;
      if (hidden) return `<li>the ${i ? 'smallest' : 'largest'} curvature: ${name} = <b>${show(value)}</b></li>`;
      return `<li class="${wild ? 'wild' : ''}">${name} = <b>${show(value)}</b>, so 1 − α${name} = <b>${show(gain)}</b>: ${wild ? '▲ ' : ''}${FATES[word]}</li>`;
    }).join('');
  }

  table() {
    const { data, now } = this, exact = now.arrows.maml;
    for (const name of data.arrows) {
      const row = this.$(`tr[data-arrow="${name}"]`), g = now.arrows[name];
      const [angle, long] = ['.angle', '.long'].map(s => row.querySelector(s));
      if (data.hidden) { angle.textContent = long.textContent = '?'; continue; }
      if (!finite(g)) { angle.textContent = 'not finite'; long.textContent = ''; continue; }
      const degrees = turn(g, exact), ratio = length(g) / length(exact), known = finite([degrees, ratio]) && length(g) > 0;
      const up = (90 + degrees) * Math.PI / 180, signed = Math.abs(degrees) < .05 ? '0.0' : (degrees > 0 ? '+' : '') + minus(degrees.toFixed(1));
      angle.innerHTML = !known ? '–' : `<svg viewBox="-12 -12 24 24" aria-hidden="true"><circle r="11"/><line class="up" y2="-11"/><line x2="${11 * Math.cos(up)}" y2="${-11 * Math.sin(up)}"/></svg><span class="size">${signed}°</span>`;
      const wanted = known ? Math.log10(ratio) / 2 : 0, share = Math.max(-1, Math.min(1, wanted)), off = share !== wanted;
      if (off) this.breaks.add('longer');
      long.innerHTML = name === 'maml' ? `<span class="bar exact"></span><span class="size">${show(length(g))} long</span>` : !known ? `<span class="bar"></span><span class="size">${show(length(g))} long</span>`
        : `<span class="bar"><i class="${off ? 'off' : ''}" style="left:${50 + Math.min(share, 0) * 50}%;width:${Math.abs(share) * 50}%"></i></span><span class="size">×${show(ratio)}</span>`;
    }
  }

  sentence() {
    const { data, now } = this, k = data.rates.inner_steps, point = p => finite(p) ? ` = (${show(p[0])}, ${show(p[1])})` : ', which is not finite';
    const ends = this.tasks.length > 1 ? now.ends.map((end, i) => `φ<sub>${this.tasks[i].name}</sub>${point(end)}`).join(', ') : `φ${point(now.ends[0])}`;
    const way = `θ${point(now.theta)}. ${k === 1 ? 'One inner step goes' : `${k} inner steps go`} to ${ends}.`;
    return `${way} ${data.hidden ? 'Where the nudges around θ go is for you to predict.' : this.verdict()}`;
  }

  verdict() {
    const { maml, fomaml } = this.now.arrows;
    if (!this.now.heights.flat().every(Number.isFinite) || !finite(maml)) return this.broken();
    if (!fomaml || !finite(fomaml)) return '';
    if (length(maml) === 0) return 'The exact gradient is 0 here.';
    const degrees = Math.abs(turn(fomaml, maml)), ratio = length(fomaml) / length(maml);
    if (degrees < .05 && Math.abs(ratio - 1) < .0005) return 'Dropping <i>J</i> changes nothing here.';
    const turned = degrees < .05 ? 'makes the arrow' : `turns the arrow by <b>${degrees.toFixed(degrees < 10 ? 1 : 0)}°</b> and makes it`;
    return `Dropping <i>J</i> ${turned} <b>${show(ratio)}</b> times as long.`;
  }

  /* Why there is no exact gradient here. */
  broken() {
    const { now } = this, on = now.heights.flatMap(way => way.flatMap((x, k) => Number.isFinite(x) ? [] : [[x, k === way.length - 1]]));
    const where = on.length && (on[0][1] ? 'the query loss at φ' : 'the support loss on the way to φ');
    const none = finite(now.arrows.maml) ? 'The arrows are slopes of nothing' : 'There is no exact gradient';
    if (where && on[0][0] !== on[0][0]) return `${none}: ${where} is not a number.`;
    if (where) return `${none}: ${where} is infinite, by overflow or at a pole.`;
    const entries = [...Object.values(now.arrows), ...now.ends, ...now.hessians, ...now.jacobians].flat(2);
    return entries.some(x => Math.abs(x) === Infinity) ? 'The exact gradient is not finite: a slope or a product on the way is infinite.'
      : 'The exact gradient is not a number: a slope on the way is undefined.';
  }

  /* PyTorch's answer, where it is about this very θ. */
  check() {
    const { data: { exact, hidden, start }, now, S } = this, line = this.$('.check');
    elsewhere(!same(start, now.theta));
    if (hidden) return line.textContent = '';
    if (!same(exact.theta, now.theta)) {
      line.className = 'check';
      return line.textContent = S.drag ? '○ PyTorch checks every number where you let go.' : '○ PyTorch is asked …';
    }
    const found = difference(now, exact), { worst, neither, either } = found, heights = now.heights.flat().every(Number.isFinite);
    const good = worst !== null && worst <= SMALL && !neither.length && !either.length && heights;
    line.className = `check ${good ? 'good' : 'bad'}`;
    line.textContent = good ? `● PyTorch's autograd at this θ, in float64: the largest relative difference to what you see is ${scientific(worst)}.` : this.doubts(found);
  }

  doubts({ worst, neither, either }) {
    const names = list => [...new Set(list)].map(name => METHODS[name]?.[0] ?? name).join(', '), said = [];
    if (neither.length) said.push(`Not finite here, and not in PyTorch either: ${names(neither)}.`);
    if (either.length) said.push(`Finite for one of the two only, here or in PyTorch, where something on the way is not: ${names(either)}.`);
    if (worst > SMALL) said.push(`PyTorch's autograd at this θ differs by ${scientific(worst)}: ${length(this.now.jacobians.flat(2)) > 1e3 ? 'so long a product magnifies rounding' : 'a stop of the inner loop stands on a kink, or the numbers overflow'}.`);
    else if (worst !== null) said.push(`${said.length ? 'The rest agrees' : 'The numbers agree'} to ${scientific(worst)}${said.length ? '' : ', but they are slopes of a loss that has no value here'}.`);
    return `▲ ${said.join(' ')}`;
  }

  // ---- the reader --------------------------------------------------------------------------------------------

  listen() {
    const { S } = this, knob = this.$('.knob'), map = this.$('.map svg');
    S.listening?.abort();
    S.listening = new AbortController();
    const on = (target, type, f, more = {}) => target.addEventListener(type, f, { signal: S.listening.signal, ...more });
    on(knob, 'touchstart', e => e.preventDefault(), { passive: false });  // touch-action is ignored inside an SVG
    on(knob, 'pointerdown', e => this.grab(e));
    on(knob, 'pointermove', e => this.drag(e));
    for (const end of ['pointerup', 'pointercancel']) on(knob, end, () => this.drop());
    on(knob, 'keydown', e => this.key(e));
    on(map, 'click', e => { if (!e.target.closest('.knob') && Date.now() > (S.dropped ?? 0) + 50) this.go(this.under(e)); });
    on(this.$('.true'), 'change', e => { S.trueLengths = e.target.checked; this.draw(); });
    on(this.$('.svg'), 'click', () => this.save());
    for (const [type, dim] of [['pointerover', true], ['focusin', true], ['pointerout', false], ['focusout', false]]) on(this.$('.side'), type, e => this.dim(dim && e.target.closest('tr[data-arrow]')));
    S.watching?.disconnect();
    S.watching = new ResizeObserver(() => { this.resize(); this.draw(); });
    S.watching.observe(map);
    this.resize();
    this.$('.true').checked = S.trueLengths;
  }

  resize() {
    this.zoom = Math.min(Math.max(SIDE / (this.$('.map svg').clientWidth || SIDE), 1), 1.6);
    this.root.style.setProperty('--z', this.zoom);
  }

  under(event) {
    const box = this.$('.map svg').getBoundingClientRect(), { centre: [cu, cv], halfWidth: h } = this.data;
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map(share => (share - .5) * SIDE / REACH);
    return [cu + h * x, cv - h * y];
  }

  grab(event) {
    if (event.button) return;
    this.$('.knob').setPointerCapture(event.pointerId);
    const at = this.under(event), { S } = this;
    Object.assign(S, { drag: [S.theta[0] - at[0], S.theta[1] - at[1]], at: [event.clientX, event.clientY] });
  }

  drag(event) {
    const { S } = this;
    if (!S.drag || S.at[0] === event.clientX && S.at[1] === event.clientY) return;
    S.at = [event.clientX, event.clientY];
    const at = this.under(event);
    this.move([at[0] + S.drag[0], at[1] + S.drag[1]]);
  }

  drop() {
    const { S } = this;
    if (!S.drag) return;
    Object.assign(S, { drag: null, dropped: Date.now() });
    this.tell();
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const far = 2 * this.data.halfWidth * (event.shiftKey ? LEAP : STEP);
    this.move(add(this.S.theta, far, way));
    this.tellSoon();
  }

  tellSoon() {
    clearTimeout(this.S.telling);
    this.S.telling = setTimeout(() => this.tell(), QUIET_MS);
  }

  go(theta) { this.move(theta); this.tell(); }

  move(theta) {
    const { centre, halfWidth: h } = this.data;
    const at = theta.map((x, i) => Math.round(Math.min(Math.max(x, centre[i] - h), centre[i] + h) * DECIMALS) / DECIMALS);
    Object.assign(this.S, { theta: at, wanted: at, untold: true });
    this.soon();
  }

  /* θ has come to rest: the server is asked for the exact answer, and the screen reader told. */
  tell(quietly = false) {
    if (this.S.frame) cancelAnimationFrame(this.S.frame), this.S.frame = null;
    if (!quietly) this.draw();
    const knob = this.$('.knob'), words = this.$('.says').textContent;
    knob.setAttribute('aria-valuetext', words);
    knob.setAttribute('aria-valuenow', this.S.theta[0]);
    if (quietly) return;
    this.$('.spoken').textContent = words;
    this.S.untold = false;
    this.report('theta', { problem: this.data.problem, at: [...this.S.theta] });
  }

  dim(row) {
    const name = row && row.dataset.arrow;
    this.$('.map').classList.toggle('dimmed', Boolean(name));
    this.$$('.map [data-arrow]').forEach(g => g.classList.toggle('chosen', g.dataset.arrow === name));
  }

  /* The picture as a file, with the styles it has now. */
  save() {
    const source = this.$('.map svg'), copy = source.cloneNode(true), of = el => [el, ...el.querySelectorAll('*')], kept = of(copy);
    of(source).forEach((el, i) => {
      const style = getComputedStyle(el);
      kept[i].setAttribute('style', DRAWN.map(name => `${name}:${style.getPropertyValue(name)}`).join(';'));
    });
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.style.background = getComputedStyle(this.root).getPropertyValue('--paper');
    const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' }));
    Object.assign(document.createElement('a'), { href: url, download: 'landscape.svg' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

const DRAWN = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-family', 'font-weight', 'font-style', 'text-anchor', 'paint-order', 'opacity', 'fill-rule'];

const FRAME = `
  <p class="says"></p><span class="spoken" aria-live="polite"></span>
  <div class="board">
    <div class="map">
      <svg viewBox="0 0 ${SIDE} ${SIDE}" role="group" aria-label="Map of the two weights u and v with the losses as contours">
        <g class="scenery" aria-hidden="true"></g>
        <g class="knob" tabindex="0" role="slider" aria-label="θ, the initialisation, on the plane of u and v. Arrow keys move it, Shift makes them faster.">
          <circle class="hit" r="22"/><circle class="ring" r="11"/><circle class="dot" r="6"/></g>
        <g class="marks" aria-hidden="true"></g><g class="labels" aria-hidden="true"></g>
      </svg>
      <p class="legend"><span><i class="l-support"></i>support loss, stronger is lower</span><span><i class="l-query"></i>query loss</span><span><i class="l-path"></i>inner loop θ → φ</span><span class="second"><i class="l-second"></i>dashed: task B</span></p>
    </div>
    <div class="side"><div class="numbers"></div>
      <div class="foot"><label title="Otherwise the arrows are as long as the cube roots of the gradients. A gap marks an arrow that is cut short, or drawn longer, to be seen."><input type="checkbox" class="true"> true lengths</label><button class="svg" title="Save the map as SVG">SVG</button><span class="breaks"></span></div>
      <p class="check"></p></div>
  </div>`;

/* While θ is not where the page was written for, its sentences about that θ fade (assets/page.css). */
const elsewhere = yes => document.documentElement.toggleAttribute('data-theta-elsewhere', yes);

const finite = xs => xs.every(Number.isFinite);
const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const within = ([x, y]) => x >= -2 && x <= SIDE + 2 && y >= -2 && y <= SIDE + 2;
const inside = (x, margin) => Math.min(Math.max(x, margin), SIDE - margin);

/* How far one can go from a point in a direction until the picture ends, and where the way to a point outside does. */
const room = ([x, y], [dx, dy]) => Math.min(...[[x, dx], [y, dy]].filter(([, d]) => d).map(([at, d]) => ((d > 0 ? SIDE : 0) - at) / d));
const edge = (from, to) => add(from, room(from, add(to, -1, from)), add(to, -1, from));

const minus = x => String(x).replace('-', '−');

/* A number as Python's numeral writes it, to three digits. */
function show(x) {
  if (!Number.isFinite(x)) return x !== x ? 'not a number' : x > 0 ? '∞' : '−∞';
  if (x !== 0 && (Math.abs(x) >= 1e4 || Math.abs(x) < 1e-3)) return scientific(x);
  return minus(Math.abs(x) >= 100 ? x.toFixed(0) : Math.abs(x) >= 10 ? x.toFixed(1) : x.toFixed(x && Math.abs(x) < .1 ? 2 - Math.floor(Math.log10(Math.abs(x))) : 2)).replace(/(\.\d\d\d*?)0+$/, '$1').replace(/^−(0\.?0*)$/, '$1');
}

function scientific(x) {
  if (x === 0) return '0';
  if (!Number.isFinite(x)) return show(x);
  const [mantissa, exponent] = x.toExponential(1).split('e');
  return `${minus(mantissa)}·10${[...String(+exponent)].map(c => c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('')}`;
}

/* What becomes of a nudge along a direction, by the word for its gain. */
const FATES = {
  'just as far': 'kept as it is',
  less: 'shrunk',
  'not at all': 'forgotten',
  'backwards, less': 'turned round and shrunk',
  'backwards, as far': 'turned round, as long as before',
  'backwards, more': 'turned round and stretched: α is past 2/λ',
  more: 'stretched: the loss curves downwards here',
};
