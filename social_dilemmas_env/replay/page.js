"use strict";
// Everything from the file is written as text (textContent, setAttribute), never as HTML.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const match = read("episode"), shown = read("shown");
const T = match.actions.length, N = shown.names.length;
const at = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let step = 0, timer = 0;

function make(tag, attributes = {}, ...children) {
  const svg = make.svg.has(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  for (const child of children) node.append(child);
  return node;
}
make.svg = new Set(["svg", "g", "rect", "circle", "line", "path", "polygon", "text", "polyline"]);

const minus = (text) => text.replace("-", "−");
const number = (x, places = 2) => minus((Number(x.toFixed(places)) + 0).toString());
const signed = (x, places = 2) => (Number(x.toFixed(places)) > 0 ? "+" : "") + number(x, places);
const color = (player) => shown.colors[player];
// A player's colour, darker or lighter until it can be read.
const ink = (player) => `color-mix(in srgb, ${color(player)} 72%, var(--mix))`;
// Pale for the first action (cooperate), full for the last.
const shade = (player, action) => {
  const count = shown.actions[player].length;
  const share = count === 1 ? 100 : Math.round(22 + (78 * action) / (count - 1));
  return `color-mix(in srgb, ${color(player)} ${share}%, var(--card))`;
};

// ------------------------------------------------------------------ shapes

const SIDES = { diamond: [4, 0], triangle: [3, 0], hexagon: [6, 0], pentagon: [5, 0], square: [4, 45] };

function shape(kind, x, y, r, style) {
  if (kind === "circle") return make("circle", { cx: x, cy: y, r, ...style });
  const star = kind === "star", cross = kind === "cross";
  const [sides, turn] = star ? [10, 0] : cross ? [4, 0] : SIDES[kind] || [8, 22.5];
  const grow = kind === "square" ? 1.2 : kind === "triangle" ? 1.15 : 1.08;
  const points = [];
  for (let k = 0; k < sides; k++) {
    const angle = ((turn - 90 + (360 * k) / sides) * Math.PI) / 180;
    const far = star && k % 2 ? r * 0.5 : r * grow;
    points.push(`${(x + far * Math.cos(angle)).toFixed(1)},${(y + far * Math.sin(angle)).toFixed(1)}`);
  }
  return make("polygon", { points: points.join(" "), "stroke-linejoin": "round", ...style });
}

function label(x, y, text, size, fill) {
  const style = { x, y, "font-size": size, fill, "text-anchor": "middle", "font-weight": 700 };
  return make("text", { ...style, "dominant-baseline": "central" }, String(text));
}

function pawn(player, x, y, r) {
  const style = { fill: color(player), stroke: "#fff", "stroke-width": r * 0.1 };
  return make("g", {}, shape(shown.shapes[player], x, y, r, style), label(x, y, player, r, "#fff"));
}

function coin(owner, x, y, r) {
  const ring = { fill: "var(--card)", stroke: color(owner), "stroke-width": r * 0.22 };
  const inner = shape(shown.shapes[owner], x, y, r * 0.5, { fill: color(owner) });
  return make("g", {}, make("circle", { cx: x, cy: y, r: r * 0.86, ...ring }), inner,
    label(x, y, owner, r * 0.5, "#fff"));
}

function badge(player) {
  return make("svg", { width: 26, height: 26, viewBox: "0 0 26 26", "aria-hidden": "true" }, pawn(player, 13, 13, 10));
}

// ------------------------------------------------------------------ the game

const CELL = 100;
const middle = (cell) => [(cell % shown.width + 0.5) * CELL, (Math.floor(cell / shown.width) + 0.5) * CELL];

function trail(player) {
  const [from, to] = [match.boards[step - 1][player], match.boards[step][player]];
  const [[x, y], [u, v]] = [middle(from), middle(to)];
  const style = { stroke: color(player), "stroke-width": 8, "stroke-linecap": "round", opacity: 0.4 };
  const shift = (player - (N - 1) / 2) * 12;
  // Around the torus: a short piece at either side.
  const far = Math.abs(u - x) + Math.abs(v - y) > CELL * 1.5;
  const [dx, dy] = far ? [Math.sign(x - u) * CELL / 2, Math.sign(y - v) * CELL / 2] : [u - x, v - y];
  const [sx, sy] = [dy ? shift : 0, dx ? shift : 0];
  const group = make("g", {}, make("line", { x1: x + sx, y1: y + sy, x2: x + dx + sx, y2: y + dy + sy, ...style }));
  if (far) group.append(make("line", { x1: u - dx + sx, y1: v - dy + sy, x2: u + sx, y2: v + sy, ...style }));
  return group;
}

function drawCoins() {
  const [h, w] = [shown.height * CELL, shown.width * CELL];
  const svg = make("svg", { viewBox: `-6 -6 ${w + 12} ${h + 12}`, role: "img", "aria-label": `board at step ${step}` });
  for (let cell = 0; cell < shown.width * shown.height; cell++) {
    const [x, y] = middle(cell);
    svg.append(make("rect", { x: x - 47, y: y - 47, width: 94, height: 94, rx: 14, fill: "var(--quiet)" }));
  }
  for (const { owner, cell } of shown.pickups[step]) {
    svg.append(shape(shown.shapes[owner], ...middle(cell), 38, { fill: color(owner), opacity: 0.25 }));
  }
  if (step) for (let p = 0; p < N; p++) svg.append(trail(p));

  // Those in one cell side by side.
  const board = match.boards[step], cells = {};
  for (let c = 0; c < shown.coins; c++) {
    const cell = board[N + c], owner = shown.coins === 1 ? board[N + 1] : c;
    (cells[cell] ||= []).push([coin, owner]);
  }
  for (let p = 0; p < N; p++) (cells[board[p]] ||= []).push([pawn, p]);
  for (const [cell, things] of Object.entries(cells)) {
    const [x, y] = middle(Number(cell)), across = Math.ceil(Math.sqrt(things.length));
    const rows = Math.ceil(things.length / across);
    things.forEach(([draw, who], k) => {
      const row = Math.floor(k / across), inRow = Math.min(across, things.length - row * across);
      const dx = ((k % across) - (inRow - 1) / 2) * (92 / across), dy = (row - (rows - 1) / 2) * (92 / across);
      svg.append(draw(who, x + dx, y + dy, things.length === 1 ? 34 : 40 / across));
    });
  }
  at("board").replaceChildren(svg);
}

function drawTable() {
  const [down, across] = shown.actions;
  const last = step ? match.actions[step - 1] : [-1, -1];
  const heads = across.map((name, k) => make("th", k === last[1] ? { class: "done" } : {}, name));
  const rows = [make("tr", {}, make("th", {}, badge(0), " ", badge(1)), ...heads)];
  down.forEach((name, i) => {
    const row = make("tr", {}, make("th", i === last[0] ? { class: "done" } : {}, name));
    across.forEach((_, j) => {
      const code = 2 * (i * across.length + j);
      const pair = [0, 1].map((p) => make("span", { style: `color:${ink(p)};font-weight:600` }, number(match.payoffs[code + p])));
      row.append(make("td", i === last[0] && j === last[1] ? { class: "done" } : {}, pair[0], " , ", pair[1]));
    });
    rows.push(row);
  });
  at("board").replaceChildren(make("table", {}, ...rows));
}

function drawText() {
  at("board").replaceChildren(make("pre", {}, shown.texts[step]));
}

// ------------------------------------------------------------------ players, and what happened

const sums = [Array(N).fill(0)];
match.rewards.forEach((row, t) => sums.push(row.map((x, p) => sums[t][p] + x)));

function ownCoins(player) {
  const taken = shown.pickups.slice(0, step + 1).flat().filter(({ takers }) => takers.includes(player));
  return `${taken.filter(({ owner }) => owner === player).length} of ${taken.length}`;
}

function drawPlayers() {
  const cards = shown.names.map((name, p) => {
    const facts = make("dl", { class: "facts" });
    const add = (word, value) => facts.append(make("dt", {}, word), make("dd", {}, value));
    if (step) {
      const action = match.actions[step - 1][p], reward = match.rewards[step - 1][p];
      add("move", shown.actions[p][action]);
      add("reward", make("span", { class: reward < 0 ? "chip loss" : "chip" }, signed(reward)));
      const own = match.insights[p], exact = match.exact && match.exact.advantages[p];
      if (own.probabilities) add("chance of it", `${Math.round(100 * own.probabilities[step - 1][action])} %`);
      if (own.values) add("value before", number(own.values[step - 1]));
      if (exact) add("advantage", signed(exact[step - 1], 3));
    } else add("move", "none yet");
    add("score", number(sums[step][p]));
    if (step) add("mean", number(sums[step][p] / step));
    if (shown.kind === "coin") add("own coins", ownCoins(p));
    return make("div", { class: "player" }, make("div", { class: "name", style: `color:${ink(p)}` }, badge(p), make("span", { title: name }, name)), facts);
  });
  at("players").replaceChildren(...cards);
}

function eventText() {
  if (!step) return "No moves yet.";
  if (shown.kind === "coin") {
    return shown.pickups[step].map(({ text }) => text).join("; ") || "No coin taken.";
  }
  const moves = match.actions[step - 1].map((action, p) => shown.actions[p][action]);
  return N > 4 ? "" : moves.map((move, p) => `${shown.names[p]}: ${move}`).join(", ");
}

// ------------------------------------------------------------------ charts

const charts = [];
const LEFT = 34, RIGHT = 8;

function chart(title, note, height, draw, legend = []) {
  const svg = make("svg", { height, role: "img", "aria-label": title });
  const box = make("div", { class: "chart" }, make("h2", {}, title));
  if (note) box.append(make("p", {}, note));
  if (legend.length) {
    box.append(make("div", { class: "legend" }, ...legend.map(([fill, name]) => make("span", {}, make("i", { style: `background:${fill}` }), name))));
  }
  box.append(svg);
  at("charts").append(box);
  svg.addEventListener("click", (event) => {
    const { left, width } = svg.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
    show(Math.min(Math.max(Math.floor(share * T) + 1, 1), T));
  });
  charts.push({ svg, height, draw });
}

function redraw() {
  for (const { svg, height, draw } of charts) {
    const width = svg.clientWidth || 600, wide = (width - LEFT - RIGHT) / T;
    svg.replaceChildren();
    const mark = make("rect", { class: "mark", y: 0, height: height - 16, width: Math.max(wide, 2), fill: "var(--ink)", opacity: 0.14 });
    draw(svg, (t) => LEFT + t * wide, wide, height - 16);
    const every = Math.max(Math.ceil(T / (width / 60) / 5) * 5, 1);
    for (let t = 0; t <= T; t += every) {
      svg.append(make("text", { x: LEFT + t * wide, y: height - 3, "font-size": 11, fill: "var(--muted)", "text-anchor": "middle" }, String(t)));
    }
    svg.append(mark);
    svg.mark = (t) => {
      mark.setAttribute("x", LEFT + (t - 1) * wide);
      mark.setAttribute("visibility", t ? "visible" : "hidden");
    };
    svg.mark(step);
  }
}

function tick(svg, y, text) {
  svg.append(make("text", { x: LEFT - 5, y, "font-size": 11, fill: "var(--muted)", "text-anchor": "end", "dominant-baseline": "central" }, text));
}

function chances(player) {
  const rows = match.insights[player].probabilities;
  const legend = shown.actions[player].map((name, a) => [shade(player, a), name]);
  chart(`What ${shown.names[player]} was about to do`, "probability of each action before the move; a dot is the move made", 110, (svg, x, wide, high) => {
    rows.forEach((row, t) => {
      let top = 4;
      row.forEach((chance, a) => {
        const tall = chance * (high - 8);
        svg.append(make("rect", { x: x(t), y: top, width: Math.max(wide - (wide > 4 ? 1 : 0), 0.5), height: Math.max(tall, 0), fill: shade(player, a) }));
        if (a === match.actions[t][player]) {
          svg.append(make("circle", { cx: x(t) + wide / 2, cy: top + tall / 2, r: Math.min(3, wide / 3), fill: "var(--ink)", stroke: "var(--card)" }));
        }
        top += tall;
      });
    });
    tick(svg, 8, "1");
    tick(svg, high - 6, "0");
  }, legend);
}

function lines(title, note, tracks) {
  const players = tracks.map((_, p) => p).filter((p) => tracks[p]);
  if (!players.length) return;
  const all = players.flatMap((p) => tracks[p]);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)], span = high - low || 1;
  const shift = tracks[players[0]].length > T ? 0 : 0.5;  // between moves, or at a move
  chart(title, note, 130, (svg, x, wide, tall) => {
    const y = (value) => 6 + ((high - value) / span) * (tall - 12);
    svg.append(make("line", { x1: x(0), x2: x(T), y1: y(0), y2: y(0), stroke: "var(--line)" }));
    for (const p of players) {
      const points = tracks[p].map((value, t) => `${(x(t) + shift * wide).toFixed(1)},${y(value).toFixed(1)}`);
      svg.append(make("polyline", { points: points.join(" "), fill: "none", stroke: color(p), "stroke-width": 2.2, "stroke-dasharray": p % 2 ? "6 3" : "none" }));
    }
    for (const value of new Set([low, 0, high])) {
      if (value === 0 || Math.abs(y(value) - y(0)) > 11) tick(svg, y(value), number(value, span > 20 ? 0 : span > 2 ? 1 : 2));
    }
  }, players.map((p) => [color(p), shown.names[p] + (p % 2 ? " (dashed)" : "")]));
}

function bars(title, note, tracks) {
  const players = tracks.map((_, p) => p).filter((p) => tracks[p]);
  const all = players.flatMap((p) => tracks[p]);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)], span = high - low || 1;
  chart(title, note, 130, (svg, x, wide, tall) => {
    const y = (value) => 6 + ((high - value) / span) * (tall - 12);
    players.forEach((p, k) => tracks[p].forEach((value, t) => {
      const thick = (wide * 0.86) / players.length;
      const [top, base] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
      svg.append(make("rect", { x: x(t) + wide * 0.07 + k * thick, y: top, width: Math.max(thick, 0.5), height: Math.max(base - top, 0.6), fill: color(p) }));
    }));
    svg.append(make("line", { x1: x(0), x2: x(T), y1: y(0), y2: y(0), stroke: "var(--muted)" }));
    for (const value of new Set([low, 0, high])) {
      if (value === 0 || Math.abs(y(value) - y(0)) > 11) tick(svg, y(value), number(value, 2));
    }
  }, players.map((p) => [color(p), shown.names[p]]));
}

function coinRows() {
  const note = "a row a player; a coin bears its owner's colour and number, and a ring where it was taken from another";
  chart("Who took whose coin", note, 24 * N + 20, (svg, x, wide) => {
    for (let p = 0; p < N; p++) {
      svg.append(make("line", { x1: x(0), x2: x(T), y1: 12 + 24 * p, y2: 12 + 24 * p, stroke: "var(--line)" }));
      const mini = make("svg", { x: 4, y: 24 * p, width: 24, height: 24, viewBox: "0 0 26 26" }, pawn(p, 13, 13, 10));
      svg.append(mini);
    }
    shown.pickups.forEach((list, t) => list.forEach(({ owner, takers }) => takers.forEach((p) => {
      const [cx, cy] = [x(t - 1) + wide / 2, 12 + 24 * p], r = Math.max(Math.min(wide * 0.6, 8), 3);
      const theft = owner !== p ? { stroke: "var(--ink)", "stroke-width": 2 } : {};
      svg.append(make("circle", { cx, cy, r, fill: color(owner), ...theft }));
      if (r > 5) svg.append(label(cx, cy, owner, 9, "#fff"));
    })));
  });
}

function moveRows() {
  chart("Moves", "a row a player; pale is the first action", 22 * N + 20, (svg, x, wide) => {
    for (let p = 0; p < N; p++) {
      svg.append(make("svg", { x: 4, y: 22 * p, width: 22, height: 22, viewBox: "0 0 26 26" }, pawn(p, 13, 13, 10)));
      match.actions.forEach((row, t) => {
        svg.append(make("rect", { x: x(t) + 0.5, y: 22 * p + 2, width: Math.max(wide - 1, 0.5), height: 18, rx: 3, fill: shade(p, row[p]) }));
        if (wide >= 11) {
          const dark = row[p] * 2 >= shown.actions[p].length ? "#fff" : "var(--ink)";
          svg.append(label(x(t) + wide / 2, 22 * p + 11, shown.symbols[p][row[p]], 10, dark));
        }
      });
    }
  });
}

// ------------------------------------------------------------------ time

const draw = { coin: drawCoins, table: drawTable, text: drawText }[shown.kind];

function show(t) {
  step = Math.min(Math.max(Math.round(t) || 0, 0), T);
  draw();
  drawPlayers();
  at("event").textContent = eventText();
  at("slider").value = step;
  at("step").textContent = `step ${step} of ${T}`;
  for (const { svg } of charts) if (svg.mark) svg.mark(step);
}

function play(on) {
  clearInterval(timer);
  timer = 0;
  if (on) {
    if (step >= T) show(0);
    timer = setInterval(() => (step < T ? show(step + 1) : play(false)), 1000 / Number(at("speed").value));
  }
  at("play").textContent = timer ? "pause" : "play";
  at("play").setAttribute("aria-label", timer ? "pause" : "play");
}

const KEYS = { ArrowLeft: () => show(step - 1), ArrowRight: () => show(step + 1), Home: () => show(0), End: () => show(T) };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "SELECT") return;
  if (event.key === " " && event.target.tagName !== "BUTTON") play(!timer);
  else if (KEYS[event.key]) { play(false); KEYS[event.key](); }
  else return;
  event.preventDefault();
});
const press = (id, action) => at(id).addEventListener("click", () => { if (id !== "play") play(false); action(); });
press("first", () => show(0));
press("back", () => show(step - 1));
press("play", () => play(!timer));
press("next", () => show(step + 1));
press("last", () => show(T));
at("slider").max = T;
at("slider").addEventListener("input", () => { play(false); show(Number(at("slider").value)); });
at("speed").addEventListener("change", () => { if (timer) play(true); });

at("title").textContent = shown.title;
at("about").textContent = shown.about + (T < shown.horizon ? ` · the first ${T} of ${shown.horizon} steps` : "");
at("summary").textContent = shown.page;
if (shown.kind === "coin") coinRows(); else moveRows();
for (let p = 0; p < N; p++) if (match.insights[p].probabilities) chances(p);
lines("Values", "the discounted return that a player's own critic expects, in the rewards that it learned from", match.insights.map((own) => own.values));
if (match.exact) {
  bars("Exact advantage of the moves", match.exact.label, match.exact.advantages);
  lines("Exact values", "of the states before the moves, in the same game", match.exact.values);
}
lines("Score", "sum of rewards", shown.names.map((_, p) => sums.map((row) => row[p])));
redraw();
new ResizeObserver(redraw).observe(at("charts"));
show(location.hash ? Number(location.hash.slice(1)) : 0);
document.body.dataset.ready = "yes";
