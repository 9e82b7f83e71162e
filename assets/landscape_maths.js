/* The mathematics of the landscape, without a document: Node runs it too (tests/plane/test_browser_maths.py).

   A loss comes as rows [op, operands…] (maml_core/graphs/tapes.py). Each row becomes a jet: its value, its gradient and
   its Hessian in (u, v) as [f, f_u, f_v, f_uu, f_uv, f_vv], so one pass gives all that an inner step and its Jacobian
   need. At kinks the slopes are PyTorch's: relu and abs have slope 0 at 0, and no curvature anywhere. */

const JET = 6;
const NUMBERS = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

/* f, f′ and f″ of every function that may be on a tape. */
const UNARY = {
  neg: x => [-x, -1, 0],
  sin: x => [Math.sin(x), Math.cos(x), -Math.sin(x)],
  cos: x => [Math.cos(x), -Math.sin(x), -Math.cos(x)],
  tan: x => { const t = Math.tan(x), d = 1 + t * t; return [t, d, 2 * t * d]; },
  exp: x => { const e = Math.exp(x); return [e, e, e]; },
  log: x => [x < 0 ? NaN : Math.log(x), 1 / x, -1 / (x * x)],
  sqrt: x => { const r = Math.sqrt(x); return [r, .5 / r, -.25 / (r * x)]; },
  tanh: x => { const t = Math.tanh(x), d = 1 - t * t; return [t, d, -2 * t * d]; },
  sigmoid: x => { const s = sigmoid(x), d = s * (1 - s); return [s, d, d * (1 - 2 * s)]; },
  relu: x => [x > 0 || x !== x ? x : 0, +(x > 0), 0],
  abs: x => [Math.abs(x), Math.sign(x), 0],
  // PyTorch's softplus is x itself beyond 20.
  softplus: x => { const s = sigmoid(x); return x > 20 ? [x, 1, 0] : [Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), s, s * (1 - s)]; },
};

function sigmoid(x) { const e = Math.exp(-Math.abs(x)); return (x < 0 ? e : 1) / (1 + e); }

/* A function (u, v) ↦ jet of the last row. */
export function player(rows) {
  const jets = new Float64Array(JET * rows.length), steps = rows.map((row, i) => step(jets, row, JET * i));
  return (u, v) => {
    for (const play of steps) play(u, v);
    return Array.from(jets.subarray(jets.length - JET));
  };
}

function step(R, [op, first, second], o) {
  const a = JET * first, b = JET * second;
  const write = (...jet) => R.set(jet, o);
  switch (op) {
    case 'c': { const value = NUMBERS[first] ?? first; return () => write(value, 0, 0, 0, 0, 0); }
    case 'x': return (u, v) => first === 0 ? write(u, 1, 0, 0, 0, 0) : write(v, 0, 1, 0, 0, 0);
    case '+': return () => { for (let i = 0; i < JET; i++) R[o + i] = R[a + i] + R[b + i]; };
    case '-': return () => { for (let i = 0; i < JET; i++) R[o + i] = R[a + i] - R[b + i]; };
    case '*': return () => write(...product(R, a, b));
    case '/': return () => write(...quotient(R, a, b));
    case '**': return () => write(...power(R, a, b));
  }
  const f = UNARY[op];
  if (!f) throw new Error(`There is no operation ${op} on a tape.`);
  return () => write(...chain(R, a, f(R[a])));
}

function chain(R, a, [f, d, dd]) {
  const p = R[a + 1], q = R[a + 2], bend = x => dd === 0 ? 0 : dd * x;  // 0 × ∞ where there is no curvature is 0
  return [f, d * p, d * q, bend(p * p) + d * R[a + 3], bend(p * q) + d * R[a + 4], bend(q * q) + d * R[a + 5]];
}

function product(R, a, b) {
  const [A, p, q] = [R[a], R[a + 1], R[a + 2]], [B, r, s] = [R[b], R[b + 1], R[b + 2]];
  return [A * B, p * B + A * r, q * B + A * s, R[a + 3] * B + 2 * (p * r) + A * R[b + 3],
    R[a + 4] * B + p * s + q * r + A * R[b + 4], R[a + 5] * B + 2 * (q * s) + A * R[b + 5]];
}

function quotient(R, a, b) {
  const B = R[b], r = R[b + 1], s = R[b + 2], f = R[a] / B, p = (R[a + 1] - f * r) / B, q = (R[a + 2] - f * s) / B;
  return [f, p, q, (R[a + 3] - 2 * (p * r) - f * R[b + 3]) / B,
    (R[a + 4] - p * s - q * r - f * R[b + 4]) / B, (R[a + 5] - 2 * (q * s) - f * R[b + 5]) / B];
}

/* x to the y. Where y does not vary, the rule of a power; where it does, that of exp(y log x). */
function power(R, a, b) {
  const x = R[a], y = R[b], f = x ** y;
  if (still(R, b)) return chain(R, a, [f, y === 0 ? 0 : y * x ** (y - 1), y === 0 || y === 1 ? 0 : y * (y - 1) * x ** (y - 2)]);
  const log = x < 0 ? NaN : Math.log(x);
  if (still(R, a)) return chain(R, b, [f, f * log, f * log * log]);
  const fx = y * x ** (y - 1), fy = f * log, fxx = y * (y - 1) * x ** (y - 2), fxy = x ** (y - 1) * (1 + y * log), fyy = f * log * log;
  const slope = i => fx * R[a + i] + fy * R[b + i];
  const bend = (i, j, k) => fxx * R[a + i] * R[a + j] + fxy * (R[a + i] * R[b + j] + R[a + j] * R[b + i])
    + fyy * R[b + i] * R[b + j] + fx * R[a + k] + fy * R[b + k];
  return [f, slope(1), slope(2), bend(1, 1, 3), bend(1, 2, 4), bend(2, 2, 5)];
}

const still = (R, a) => R[a + 1] === 0 && R[a + 2] === 0 && R[a + 3] === 0 && R[a + 4] === 0 && R[a + 5] === 0;

// ---- the inner loop and what is made of it: maml_core/meta/algorithms.py in two dimensions ---------------------------

const add = (x, s, y) => [x[0] + s * y[0], x[1] + s * y[1]];
const dot = (x, y) => x[0] * y[0] + x[1] * y[1];
const slope = jet => [jet[1], jet[2]];
const curve = (jet, x) => [jet[3] * x[0] + jet[4] * x[1], jet[4] * x[0] + jet[5] * x[1]];
const BOTH = [1, 1], BODY = [1, 0], HEAD = [0, 1];

/* Every stop of the inner loop with its jet; `moves` says which weights adapt. */
function descend(loss, theta, alpha, steps, moves = BOTH) {
  const path = [{ at: theta, jet: loss(...theta) }];
  for (let i = 0; i < steps; i++) {
    const { at, jet } = path[i], g = slope(jet);
    const next = [at[0] - alpha * moves[0] * g[0], at[1] - alpha * moves[1] * g[1]];
    path.push({ at: next, jet: loss(...next) });
  }
  return path;
}

/* The query gradient pulled back through the last steps: v ← v − α H M v, the last one first. */
function lookBack(path, gradient, alpha, last, moves = BOTH) {
  const steps = path.length - 1;
  for (let i = steps - 1; i >= steps - Math.min(last, steps); i--) {
    gradient = add(gradient, -alpha, curve(path[i].jet, [moves[0] * gradient[0], moves[1] * gradient[1]]));
  }
  return gradient;
}

function through(task, theta, rates, moves) {
  const path = descend(task.support, theta, rates.inner_lr, rates.inner_steps, moves);
  return lookBack(path, slope(task.query(...path.at(-1).at)), rates.inner_lr, rates.inner_steps, moves);
}

/* Conjugate gradient as meta/solvers.py runs it: a direction without positive curvature is not followed. */
function conjugateGradient(apply, b, steps) {
  let x = [0, 0], r = b, p = b, rr = dot(r, r);
  for (let i = 0; i < steps; i++) {
    const ap = apply(p), curvature = dot(p, ap), usable = !(curvature <= 0), length = usable ? rr / curvature : 0;
    x = add(x, length, p);
    r = add(r, -length, ap);
    const next = dot(r, r);
    p = add(r, usable ? next / rr : 0, p);
    rr = next;
  }
  return x;
}

function implicit(task, theta, { inner_lr, pull, proximal_steps, cg_steps }) {
  const lr = inner_lr / (1 + inner_lr * pull);
  let phi = theta;
  for (let i = 0; i < proximal_steps; i++) phi = add(phi, -lr, add(slope(task.support(...phi)), pull, add(phi, -1, theta)));
  const jet = task.support(...phi);
  return conjugateGradient(v => add(v, 1 / pull, curve(jet, v)), slope(task.query(...phi)), cg_steps);
}

/* The gradients by name. Each takes a task (two players), θ, the rates, and MAML's own path with ∇L_q at its end. */
export const ARROWS = {
  maml: (task, theta, rates, { path, gradient }) => lookBack(path, gradient, rates.inner_lr, rates.inner_steps),
  fomaml: (task, theta, rates, { gradient }) => gradient,
  truncated: (task, theta, rates, { path, gradient }) => lookBack(path, gradient, rates.inner_lr, rates.last),
  reptile: (task, theta, rates, { path }) => add(theta, -1, path.at(-1).at).map(x => x / rates.inner_lr),
  'one-leap': (task, theta, rates, { path, gradient }) => add(gradient, -(rates.leap_lr ?? rates.inner_lr), curve(path[0].jet, gradient)),
  imaml: (task, theta, rates) => implicit(task, theta, rates),
  anil: (task, theta, rates) => through(task, theta, rates, HEAD),
  boil: (task, theta, rates) => through(task, theta, rates, BODY),
};

/* Everything at one θ, as maml_core/plane/answers.py has it, with the paths. */
export function solve(tasks, theta, rates, names) {
  const loops = tasks.map(task => {
    const path = descend(task.support, theta, rates.inner_lr, rates.inner_steps);
    return { task, path, gradient: slope(task.query(...path.at(-1).at)) };
  });
  const mean = vectors => vectors.reduce((sum, v) => add(sum, 1 / vectors.length, v), [0, 0]);
  return {
    theta,
    arrows: Object.fromEntries(names.map(name => [name, mean(loops.map(loop => ARROWS[name](loop.task, theta, rates, loop)))])),
    ends: loops.map(loop => loop.path.at(-1).at),
    hessians: loops.map(({ path: [{ jet }] }) => [[jet[3], jet[4]], [jet[4], jet[5]]]),
    jacobians: loops.map(loop => jacobian(loop.path, rates.inner_lr)),
    paths: loops.map(loop => loop.path.map(stop => stop.at)),
    heights: loops.map(({ task, path }) => [...path.slice(0, -1).map(stop => stop.jet[0]), task.query(...path.at(-1).at)[0]]),
    parts: names.includes('maml') ? loops.map(loop => ARROWS.maml(loop.task, theta, rates, loop)) : [],  // before the mean
  };
}

/* ∂φ/∂θ: each nudge of θ goes through I − αH of every step, the first one first. */
function jacobian(path, alpha) {
  const [left, right] = [[1, 0], [0, 1]].map(nudge => path.slice(0, -1).reduce((x, { jet }) => add(x, -alpha, curve(jet, x)), nudge));
  return [[left[0], right[0]], [left[1], right[1]]];
}

/* What multiplying by `gain` does to a nudge, in the words of maml_core/plane/one_step.py. */
export function fate(gain) {
  for (const [exact, word] of [[1, 'just as far'], [0, 'not at all'], [-1, 'backwards, as far']]) if (Math.abs(gain - exact) < 1e-7) return word;
  return (gain > 0 ? '' : 'backwards, ') + (Math.abs(gain) < 1 ? 'less' : 'more');
}

// ---- words of geometry ---------------------------------------------------------------------------------------------

/* Degrees from b to a, counter-clockwise positive. */
export function turn(a, b) {
  const [x, y] = [a, b].map(scaled);
  return Math.atan2(x[1] * y[0] - x[0] * y[1], dot(x, y)) * 180 / Math.PI;
}

/* The same with a largest entry of size 1: products of huge finite entries overflow. */
function scaled(entries) {
  const size = Math.max(...entries.map(Math.abs));
  return size > 0 && size < Infinity ? entries.map(x => x / size) : entries;
}

export const length = x => Math.hypot(...x);

/* Eigenvalues of a symmetric matrix, the larger first, with the larger one's unit eigenvector. */
export function eigen([[a, b], [, d]]) {
  const mean = (a + d) / 2, half = Math.hypot((a - d) / 2, b), angle = Math.atan2(2 * b, a - d) / 2;
  const big = mean < 0 ? mean - half : mean + half, rest = a / big * d - b / big * b;  // mean ∓ half would lose digits
  const small = Number.isFinite(rest) ? rest : 2 * mean - big;
  return { values: mean < 0 ? [small, big] : [big, small], axis: [Math.cos(angle), Math.sin(angle)] };
}

/* Right singular vectors of a matrix, with their images: the half axes of the ellipse that the unit circle becomes. */
export function ellipse([[a, b], [c, d]]) {
  const [p, q, r, s] = scaled([a, b, c, d]), { axis } = eigen([[p * p + r * r, p * q + r * s], [p * q + r * s, q * q + s * s]]);
  return [axis, [-axis[1], axis[0]]].map(x => ({ from: x, to: [a * x[0] + b * x[1], c * x[0] + d * x[1]] }));
}

/* How far two answers differ, relative to the size of each vector; `worst` is over those finite in both, null without
   one. `neither` names what is finite in neither answer, `either` what is finite in one only. */
export function difference(mine, theirs) {
  const found = { worst: null, neither: [], either: [] };
  for (const [name, a, b] of pairs(mine, theirs)) {
    const [here, there] = [a, b].map(xs => xs.every(Number.isFinite));
    if (here && there) found.worst = Math.max(found.worst, apart(a, b));
    else found[here || there ? 'either' : 'neither'].push(name);
  }
  return found;
}

function pairs(mine, theirs) {
  const fields = { ends: 'φ', hessians: 'H', jacobians: 'J' };
  return [...Object.keys(theirs.arrows).map(name => [name, mine.arrows[name], theirs.arrows[name]]),
    ...Object.keys(fields).flatMap(field => theirs[field].map((x, i) => [fields[field], mine[field][i].flat(), x.flat()]))];
}

function apart(a, b) { const size = Math.max(length(a), length(b)); return size ? length(a.map((x, i) => x / size - b[i] / size)) : 0; }
