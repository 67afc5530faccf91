"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Light and dark: the system's choice until the reader makes one.
find("#theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

/* The leaderboard */

const filters = find("#filters");

function choose() {
  const { dataset, convention, group, method } = filters.elements;
  const word = method.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const panel of all(".panel")) {
    panel.hidden = panel.dataset.dataset !== dataset.value || panel.dataset.convention !== convention.value;
    shown += !panel.hidden;
    for (const row of all("tr[data-method]", panel)) {
      row.hidden = !row.dataset.method.toLocaleLowerCase().includes(word);
    }
    for (const cell of all("[data-groups]", panel)) {
      cell.hidden = !cell.dataset.groups.split(" ").includes(group.value);
    }
    const visible = all(".ranking tr[data-method]", panel).filter((row) => !row.hidden).length;
    find(".none", panel).hidden = visible > 0;
    drawSpread(panel);
  }
  find("#nothing").hidden = shown > 0;
  find("#filters output").textContent = shown ? "" : "no such table";
}

function drawSpread(panel) {
  const choice = find("select.spread", panel);
  if (!choice) return;
  for (const figure of all("figure[data-metric]", panel)) figure.hidden = figure.dataset.metric !== choice.value;
}

function sort(header) {
  const heads = [...header.parentElement.children];
  const column = heads.indexOf(header);
  const body = find("tbody", header.closest("table"));
  const before = header.getAttribute("aria-sort");
  // The first click puts the best on top.
  const first = header.dataset.first || "ascending";
  const order = before ? (before === "ascending" ? "descending" : "ascending") : first;
  for (const head of heads) head.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const key = (row) => row.children[column].dataset.value;
  const rows = [...body.children];
  rows.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (header.dataset.text !== undefined) {
      return sign * one.dataset.method.localeCompare(other.dataset.method, undefined, { numeric: true });
    }
    // What has no number stands below whatever the order.
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (Number(a) - Number(b));
  });
  body.append(...rows);
}

filters.addEventListener("input", choose);
filters.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("click", (event) => {
  const button = event.target.closest("thead button");
  if (button) sort(button.closest("th"));
});
document.addEventListener("change", (event) => {
  if (event.target.matches("select.spread")) drawSpread(event.target.closest(".panel"));
});
choose();

/* The images */

const viewer = find("#viewer");
if (viewer) view();

function view() {
  const controls = find("#choice");
  const { scene: scenes, a: left, b: right, convention, map } = controls.elements;
  const stages = all(".stage", viewer);
  const compare = find("#compare");
  const slide = find("#slide");
  const state = { zoom: 1, x: 0, y: 0 };
  const MOST = 16;

  const current = () => data.scenes[Number(scenes.value)];
  const nameOf = (key) => ({ ir: "infrared source", vis: "visible source" })[key] || key.slice("fused:".length);

  function picture(image, url, words) {
    image.hidden = !url;
    if (url) image.src = url;
    else image.removeAttribute("src");
    image.alt = url ? words : "";
  }

  function show() {
    const scene = current();
    const words = (key) => `${nameOf(key)}, scene ${scene.pair}`;
    for (const stage of stages) stage.style.aspectRatio = `${scene.width} / ${scene.height}`;
    for (const [choice, side] of [[left, "front"], [right, "back"]]) {
      const key = choice.value;
      const overlay = map && map.checked && scene.maps[nameOf(key)];
      const what = overlay ? `SSIM map of ${words(key)}` : words(key);
      picture(find(`.${side} img`, compare), overlay || scene.urls[key], what);
      const absent = scene.urls[key] ? "" : " (no image)";
      find(side === "front" ? ".tag.left" : ".tag.right", compare).textContent =
        nameOf(key) + (overlay ? ", SSIM map" : "") + absent;
    }
    for (const pane of all("[data-source]", viewer)) {
      const key = pane.dataset.source;
      picture(find("img", pane), scene.urls[key], words(key));
    }
    find("#legend").hidden = !(map && map.checked);
    table(scene);
  }

  function table(scene) {
    const chosen = data.scores[scene.dataset]?.[convention.value];
    const rows = chosen?.pairs[scene.pair];
    const target = find("#scores");
    target.replaceChildren();
    if (!rows) {
      const note = document.createElement("p");
      note.className = "absent";
      note.textContent = `No scores of scene ${scene.pair} under the convention ${convention.value}.`;
      target.append(note);
      return;
    }
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    const cell = (row, kind, text) => {
      const one = document.createElement(kind);
      one.textContent = text;
      row.append(one);
      return one;
    };
    cell(head, "th", "method").scope = "col";
    for (const metric of chosen.metrics) cell(head, "th", metric.name + (metric.better === "higher" ? "↑" : "↓")).scope = "col";
    // What is shown alike may still differ: places are by the numbers.
    const places = chosen.metrics.map((metric, k) => {
      const different = [...new Set(rows.map((row) => row?.[k]).filter((value) => value != null))];
      return different.sort((one, other) => (metric.better === "higher" ? other - one : one - other));
    });
    const body = made.createTBody();
    data.methods.forEach((method, i) => {
      if (!rows[i]) return;
      const row = body.insertRow();
      row.dataset.method = method;
      if ([left.value, right.value].includes(`fused:${method}`)) row.className = "picked";
      const label = cell(row, "th", method);
      label.scope = "row";
      label.title = method;
      rows[i].forEach((value, k) => {
        const one = cell(row, "td", value === null ? "-" : number(value));
        if (value !== null && rows.length > 1) one.className = ["best", "second"][places[k].indexOf(value)] || "";
      });
    });
    target.append(made);
  }

  function number(value) {
    const size = Math.abs(value);
    if (size > 1e308) return value > 0 ? "inf" : "-inf";
    if (size >= 1e4 && size < 1e9) return Number(value.toPrecision(4)).toFixed(0);
    return size && (size < 1e-4 || size >= 1e9) ? value.toExponential(3) : value.toPrecision(4);
  }

  function move(zoom, x, y) {
    state.zoom = Math.min(MOST, Math.max(1, zoom));
    const inside = (at) => Math.min(0, Math.max(1 - state.zoom, at));
    [state.x, state.y] = [inside(x), inside(y)];
    viewer.style.setProperty("--zoom", state.zoom);
    viewer.style.setProperty("--x", state.x);
    viewer.style.setProperty("--y", state.y);
    for (const stage of stages) stage.classList.toggle("zoomed", state.zoom > 1);
    find("#zoomed").textContent = `${Math.round(state.zoom * 100)} %`;
  }

  // The point of the image under (x, y), in shares of the stage, stays there.
  function zoomAt(factor, x = 0.5, y = 0.5) {
    const zoom = Math.min(MOST, Math.max(1, state.zoom * factor));
    const ratio = zoom / state.zoom;
    move(zoom, x - (x - state.x) * ratio, y - (y - state.y) * ratio);
  }

  function cut(percent) {
    slide.value = percent;
    viewer.style.setProperty("--cut", slide.value);
  }

  function share(stage, event) {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function step(by) {
    const count = scenes.options.length;
    scenes.selectedIndex = (scenes.selectedIndex + by + count) % count;
    show();
  }

  function swap() {
    [left.value, right.value] = [right.value, left.value];
    show();
  }

  for (const stage of stages) {
    const fingers = new Map();
    let drag = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, share(stage, event));
      const [x] = share(stage, event);
      const near = Math.abs(x - slide.value / 100) * stage.clientWidth < 18;
      drag = stage === compare && (near || state.zoom === 1) ? "cut" : "pan";
      if (drag === "cut" && fingers.size === 1) cut(x * 100);
    });
    stage.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = share(stage, event);
      if (fingers.size === 2) {
        const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
        const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1e-3;
        zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else if (drag === "cut") cut(now[0] * 100);
      else move(state.zoom, state.x + now[0] - before[0], state.y + now[1] - before[1]);
      fingers.set(event.pointerId, now);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    stage.addEventListener("dblclick", (event) => zoomAt(state.zoom >= 8 ? 1 / MOST : 2, ...share(stage, event)));
    stage.addEventListener("wheel", (event) => {
      // The page scrolls on unless the reader is at work in the image.
      if (!event.ctrlKey && !stage.matches(":focus")) return;
      event.preventDefault();
      zoomAt(2 ** (-event.deltaY / 240), ...share(stage, event));
    }, { passive: false });
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const far = 0.1;
      const acts = {
        "+": () => zoomAt(1.5), "=": () => zoomAt(1.5), "-": () => zoomAt(1 / 1.5), "0": () => move(1, 0, 0),
        ArrowLeft: () => (state.zoom > 1 ? move(state.zoom, state.x + far, state.y) : cut(slide.value - 2)),
        ArrowRight: () => (state.zoom > 1 ? move(state.zoom, state.x - far, state.y) : cut(Number(slide.value) + 2)),
        ArrowUp: () => move(state.zoom, state.x, state.y + far),
        ArrowDown: () => move(state.zoom, state.x, state.y - far),
        n: () => step(1), p: () => step(-1), x: swap,
      };
      // Up and down scroll the page where there is nothing to pan.
      if (!acts[event.key] || (state.zoom === 1 && /^Arrow(Up|Down)$/.test(event.key))) return;
      event.preventDefault();
      acts[event.key]();
    });
  }
  slide.addEventListener("input", () => cut(slide.value));
  controls.addEventListener("input", show);
  controls.addEventListener("submit", (event) => event.preventDefault());
  const buttons = {
    before: () => step(-1), after: () => step(1), swap, closer: () => zoomAt(1.5), farther: () => zoomAt(1 / 1.5),
    whole: () => move(1, 0, 0),
  };
  for (const [name, act] of Object.entries(buttons)) find(`button[name=${name}]`, controls).addEventListener("click", act);
  show();
  move(1, 0, 0);
}
