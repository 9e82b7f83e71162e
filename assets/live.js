/* A live chart: figures from the server once, then numbers by HTTP while a run trains, drawn with Plotly.react so
   that zoom and hover survive. It also keeps the reader's token for a reload. Python side: pages/ui/live.py. */

const TICK = 80;         // ms between two thoughts of looking at the server
const PACE = 250;        // ms between two looks at a run that moves
const IDLE = 3000;       // ms between two looks at a run at rest: another tab may have taken it, or lead it on
const EAGER = 2000;      // ms after a click in which every tick looks, as long as the page has not come
const SAY_EVERY = 5000;  // ms between two sentences to a screen reader while nothing but the numbers changes
const KEY = 'inner-loop-reader';
const BUTTONS = [['zoom2d', 'pan2d', 'resetScale2d', 'toImage']];
const INKS = { '#000001': '--st-blue-color', '#000002': '--st-violet-color', '#000003': '--st-orange-color', '#000004': '--st-green-color', '#000005': '--st-red-color' };

export default function ({ data, parentElement, setTriggerValue }) {
  const S = parentElement._live ??= { said: -Infinity, looked: -Infinity, figures: {}, boxes: {} };
  Object.assign(S, { data, tell: setTriggerValue, host: parentElement });
  Object.assign(S, { eager: -Infinity, ended: false });  // the page has come
  remember(S);
  build(S);
  take(S, data.now);
  watch(S);
  return () => { clearInterval(S.timer); clearInterval(S.inkTimer); S.timer = S.inkTimer = null; S.listening?.abort(); S.listening = null; };
}

/* ---- who is reading: a token in this tab's own storage, which a reload keeps and a second tab does not have ---- */

function remember(S) {
  const { token, ask } = S.data;
  try {
    if (token) return sessionStorage.setItem(KEY, token);
    if (ask && !S.answered) { S.answered = true; S.tell('token', sessionStorage.getItem(KEY) ?? 'none'); }
  } catch { if (ask && !S.answered) { S.answered = true; S.tell('token', 'none'); } }
}

/* ---- the frame, once ---- */

function build(S) {
  S.root ??= S.host.querySelector('.live');
  if (!S.root) {
    S.root = S.host.appendChild(tag('div', 'live'));
    const head = S.root.appendChild(tag('div', 'head'));
    S.words = head.appendChild(tag('p', 'words'));
    S.meter = head.appendChild(Object.assign(tag('progress'), { max: 1, value: 0 }));
    S.meter.setAttribute('aria-label', 'Share of the steps that are done');
    S.numbers = S.root.appendChild(tag('p', 'numbers'));
    S.panels = S.root.appendChild(tag('div', 'panels'));
    S.said_ = Object.assign(S.root.appendChild(tag('p', 'spoken')), { ariaLive: 'polite' });
    S.said_.setAttribute('aria-live', 'polite');
  }
  for (const [name, panel] of Object.entries(S.data.panels)) {
    if (!S.boxes[name]) {
      const figure = S.panels.appendChild(tag('figure'));
      const caption = figure.appendChild(tag('figcaption')), plot = figure.appendChild(tag('div', 'plot'));
      plot.setAttribute('role', 'img');
      S.boxes[name] = { figure, caption, plot };
      follow(S, name);
    }
    const box = S.boxes[name], fresh = JSON.stringify(panel.figure);
    box.caption.textContent = panel.title;
    box.plot.setAttribute('aria-label', panel.alt);
    box.plot.style.height = `${panel.figure.layout.height}px`;
    if (box.fresh !== fresh) { box.fresh = fresh; S.figures[name] = panel.figure; box.dirty = true; }
  }
}

const tag = (name, className = '') => Object.assign(document.createElement(name), { className });

/* ---- numbers that come in ---- */

function take(S, now) {
  S.lost = false;
  if (!now) return forget(S);
  if (!S.now) for (const box of Object.values(S.boxes)) box.dirty = true;
  if (S.now && now.id === S.now.id && now.version < S.now.version) now = S.now;  // an answer that was overtaken
  S.now = now;
  for (const [name, traces] of Object.entries(now.traces)) if (fits(S, name, now)) patch(S, name, traces);
  S.meter.hidden = false;
  S.meter.value = now.done;
  S.numbers.textContent = now.numbers;
  say(S, now.words);
  draw(S);
}

/* No run (any more): the figures as they came. */
function forget(S) {
  const had = S.now !== null;
  S.now = null;
  say(S, S.data.empty);
  if (had) for (const [name, panel] of Object.entries(S.data.panels)) { S.figures[name] = panel.figure; S.boxes[name].dirty = true; }
  draw(S);
}

/* A click may bring a run of other tasks before the page has brought their picture. */
const fits = (S, name, now) => S.figures[name] && (now.of?.[name] ?? '') === S.data.panels[name].of;

function patch(S, name, traces) {
  const figure = S.figures[name];
  S.figures[name] = { ...figure, data: figure.data.map((trace, i) => ({ ...trace, ...traces[i] })) };
  S.boxes[name].dirty = true;
}

/* Words for the eye at once; for a screen reader on a change of words, and now and then the numbers. */
function say(S, words) {
  const changed = S.words.textContent !== words;
  S.words.textContent = words;
  if (!S.now) { S.meter.hidden = true; S.numbers.textContent = ''; }
  if (!changed && performance.now() - S.said < SAY_EVERY) return;
  S.said = performance.now();
  S.said_.textContent = `${words} ${S.numbers.textContent}`;
}

/* ---- looking at the server ---- */

function watch(S) {
  S.timer ??= setInterval(() => tick(S), TICK);
  S.inkTimer ??= setInterval(() => { if (S.ink !== ink(S)) redraw(S); }, 700);  // the reader changed the theme
  if (S.listening) return;
  S.listening = new AbortController();
  const { signal } = S.listening;
  document.addEventListener('visibilitychange', () => { S.looked = -Infinity; }, { signal });
  document.addEventListener('click', e => { if (e.composedPath().some(el => el.tagName === 'BUTTON')) S.eager = performance.now() + EAGER; }, { signal, capture: true });
  document.addEventListener('pointerup', () => { if (S.down) { S.down = false; draw(S); } }, { signal });
}

function tick(S) {
  const now = performance.now(), eager = now < S.eager;
  if (eager || (S.now?.live && now - S.looked >= PACE)) return look(S);
  // It ended by itself: the rest of the page, which was drawn while it moved, waits for that.
  if (S.data.moving && S.now && !S.now.live && !S.ended) { S.ended = true; S.tell('ended', `${S.now.id} ${S.now.version}`); }
  if (now - S.looked >= IDLE) look(S);
}

async function look(S) {
  if (document.hidden || S.looking || S.lost || !S.data.token) return;
  Object.assign(S, { looking: true, looked: performance.now() });
  try {
    const answer = await fetch(`${S.data.base}/api/run?${new URLSearchParams(S.data.query)}`, { headers: { 'X-Reader': S.data.token, 'X-Page': S.data.owner } });
    if (answer.status === 404) return lose(S);
    if (!answer.ok) throw Error(answer.status);
    const now = await answer.json();
    if (now.moved) return lose(S);
    if (!S.host.isConnected) return;
    S.troubled = false;
    if (S.now && !now.live && now.id === S.now.id && now.version === S.now.version) return;  // still at rest
    if (now.none ? S.now : true) take(S, now.none ? null : now);
  } catch {
    if (!S.troubled) say(S, 'The server does not answer; trying again.');
    S.troubled = true;
    S.now = { ...S.now, version: -1 };
  } finally { S.looking = false; }
}

/* Another tab has the run, or the server has forgotten it: the page knows which. */
function lose(S) { S.lost = true; S.tell('lost', S.data.owner); }

/* ---- drawing ---- */

function plotly(src) {
  return window.__innerLoopPlotly ??= new Promise((done, fail) => {
    const script = Object.assign(document.createElement('script'), { src });
    script.onload = () => done(window.Plotly);
    script.onerror = () => { window.__innerLoopPlotly = null; fail(Error('The chart library did not load.')); };
    document.head.append(script);
  });
}

async function draw(S) {
  if (S.drawing || S.down) { S.again = true; return; }  // never under a drag: it would end it
  S.drawing = true;
  try {
    const P = await plotly(`${S.data.base}${S.data.plotly}`);
    for (const [name, box] of Object.entries(S.boxes)) if (box.dirty && box.plot.isConnected && box.plot.offsetWidth) {
      box.dirty = false;
      await P.react(box.plot, ...themed(S, name), { displaylogo: false, modeBarButtons: BUTTONS, toImageButtonOptions: { format: 'svg', filename: name } });
      fit(S, P, box);
      hover(box);
    }
  } catch (error) { S.words.textContent = error.message; } finally {
    S.drawing = false;
    S.root.dataset.drawn = `${S.now?.id ?? ''} ${S.now?.iteration ?? ''}`;
    if (S.again && !S.down) { S.again = false; draw(S); }
  }
}

function redraw(S) {
  for (const box of Object.values(S.boxes)) box.dirty = true;
  draw(S);
}

const ink = S => getComputedStyle(S.root).getPropertyValue('--st-text-color');

/* The same figure in the colours of the theme that is on. */
function themed(S, name) {
  const style = getComputedStyle(S.root), read = variable => style.getPropertyValue(variable).trim();
  S.ink = ink(S);
  const text = JSON.stringify(S.figures[name]).replace(/#00000[1-5]/g, code => read(INKS[code]));
  const { data, layout } = JSON.parse(text), line = read('--st-border-color') || '#8884', colour = read('--st-text-color');
  const paper = read('--st-background-color');
  for (const key of Object.keys(layout).filter(key => /^[xy]axis/.test(key))) Object.assign(layout[key], { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true });
  Object.assign(layout, {
    paper_bgcolor: 'transparent', plot_bgcolor: 'transparent', autosize: true, uirevision: S.now?.id ?? 'none',
    font: { ...layout.font, color: colour, family: read('--st-font') || 'sans-serif' },
    hoverlabel: { bgcolor: paper, bordercolor: line, font: { color: colour } },
    modebar: { bgcolor: 'transparent', color: read('--st-gray-color'), activecolor: colour, orientation: 'v' },
  });
  const { hint } = S.data.panels[name];
  if (hint && !data.some(trace => trace.x?.length)) {
    for (const key of Object.keys(layout).filter(key => /^[xy]axis/.test(key))) layout[key] = { visible: false };
    layout.annotations = [{ text: hint, showarrow: false, xref: 'paper', yref: 'paper', x: .5, y: .5, font: { size: 15, color: read('--st-gray-color') } }];
  }
  layout.template = undefined;
  return [data, layout];
}

/* ---- what a redraw must not take from the reader ---- */

function follow(S, name) {
  const { plot } = S.boxes[name], box = S.boxes[name];
  plot.addEventListener('pointermove', e => { if (e.isTrusted) box.at = [e.clientX, e.clientY]; });
  plot.addEventListener('pointerleave', () => { box.at = null; });
  plot.addEventListener('pointerdown', () => { S.down = true; });
  new ResizeObserver(() => { if (window.__innerLoopPlotly && plot.isConnected && plot.offsetWidth) plotly().then(P => fit(S, P, box)); }).observe(plot);
}

function fit(S, P, box) {
  if (!box.plot.isConnected || !box.plot.offsetWidth || !box.plot._fullLayout) { box.dirty ||= !box.plot._fullLayout; return; }
  if (box.width !== box.plot.offsetWidth) { box.width = box.plot.offsetWidth; P.Plots.resize(box.plot); }
}

function hover(box) {
  if (!box.at) return;
  const [clientX, clientY] = box.at;
  box.plot.getRootNode().elementFromPoint(clientX, clientY)?.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true, composed: true }));
}
