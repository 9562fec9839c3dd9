/* Charts of a course. Each reads its numbers from the table beside it, so that both say the same. */

import { typing } from "./app.js";

const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (text) => (text === "" ? null : Number(text));
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function rowsOf(box) {
  return $$("tbody tr", document.querySelector(box.dataset.table)).map((row) => row.dataset);
}

function frame(labels) {
  const ink = colour("--ink-2");
  return {
    animation: !still,
    textStyle: { fontFamily: colour("--font"), color: ink },
    grid: { left: 44, right: 16, top: 34, bottom: 34 },
    // Drawn on the canvas: tooltips of HTML would carry inline styles, which the page's policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: colour("--surface"), borderColor: colour("--rule"), textStyle: { color: colour("--ink") } },
    xAxis: { type: "category", data: labels, axisLine: { lineStyle: { color: colour("--rule-strong") } }, axisLabel: { color: ink, hideOverlap: true } },
    yAxis: { type: "value", axisLabel: { color: ink }, splitLine: { lineStyle: { color: colour("--rule") } } },
  };
}

function rate(box) {
  const rows = rowsOf(box), words = box.dataset;
  const percent = (value) => (value === null || value === undefined ? "–" : `${value} %`);
  const whole = frame(rows.map((row) => row.x));
  const values = rows.map((row) => number(row.y));
  const lowest = Math.min(Number(words.rule), ...values.filter((value) => value !== null));
  whole.yAxis = { ...whole.yAxis, min: Math.max(0, Math.floor(lowest / 10) * 10 - 10), max: 100, axisLabel: { ...whole.yAxis.axisLabel, formatter: "{value} %" } };
  whole.tooltip.valueFormatter = percent;
  whole.legend = { top: 0, right: 0, textStyle: { color: colour("--ink-2") } };
  whole.series = [
    { name: words.wordRate, type: "line", data: values, symbol: "circle", symbolSize: 8, connectNulls: false, lineStyle: { color: colour("--brand"), width: 2.5 }, itemStyle: { color: colour("--brand") },
      markLine: { silent: true, symbol: "none", lineStyle: { color: colour("--warn-solid"), type: "dotted", width: 2 }, label: { formatter: `${words.wordRule} {c} %`, position: "insideEndTop", color: colour("--warn") }, data: [{ yAxis: Number(words.rule) }] } },
    { name: words.wordTrend, type: "line", data: rows.map((row) => number(row.trend)), symbol: "none", lineStyle: { color: colour("--ink-3"), type: "dashed", width: 2 }, itemStyle: { color: colour("--ink-3") } },
  ];
  return whole;
}

function arrivals(box) {
  const rows = rowsOf(box);
  const whole = frame(rows.map((row) => row.x));
  whole.yAxis.minInterval = 1;
  whole.series = [{ name: box.dataset.wordStudents, type: "bar", data: rows.map((row) => number(row.y)), barCategoryGap: "18%", itemStyle: { color: colour("--brand"), borderRadius: [4, 4, 0, 0] }, label: { show: !("quiet" in box.dataset), position: "top", color: colour("--ink-2") } }];
  return whole;
}

/* Shares of a whole, a bar a row. The table's heads name the parts; the tints tell more from less agreement. */
function shares(box) {
  const rows = rowsOf(box).filter((row) => row.parts).reverse();
  const names = $$("thead th[data-name]", document.querySelector(box.dataset.table)).map((head) => head.dataset.name);
  const tints = ["--good-solid", "--info-solid", "--plum-solid", "--bad-solid", "--rule-strong"];
  const whole = frame([]);
  const labels = { ...whole.xAxis, data: rows.map((row) => row.x), axisLabel: { color: colour("--ink-2"), width: 110, overflow: "truncate" }, axisTick: { show: false } };
  whole.grid = { left: 122, right: 24, top: box.clientWidth < 480 ? 84 : 40, bottom: 26 };
  whole.xAxis = { ...whole.yAxis, max: 100, interval: 50, axisLabel: { ...whole.yAxis.axisLabel, formatter: "{value} %" } };
  whole.yAxis = labels;
  whole.tooltip = { ...whole.tooltip, axisPointer: { type: "shadow" }, valueFormatter: (value) => `${value} %` };
  whole.legend = { top: 0, left: 8, right: 8, icon: "roundRect", textStyle: { color: colour("--ink-2") } };
  whole.series = names.map((name, at) => ({ name, type: "bar", stack: "all", barMaxWidth: 26, data: rows.map((row) => number(row.parts.split(" ")[at])), itemStyle: { color: colour(tints[at]), borderColor: colour("--surface"), borderWidth: 1 } }));
  return whole;
}

/* Attendance beside engagement with its interval: told apart by sign and stroke, not by colour. */
function mood(box) {
  const rows = rowsOf(box), words = box.dataset;
  const whole = frame(rows.map((row) => row.x));
  whole.yAxis = { ...whole.yAxis, min: 0, max: 100, axisLabel: { ...whole.yAxis.axisLabel, formatter: "{value} %" } };
  whole.tooltip.valueFormatter = (value) => (value === null || value === undefined ? "–" : `${value} %`);
  whole.legend = { top: 0, right: 0, textStyle: { color: colour("--ink-2") }, data: [words.wordRate, words.wordMood] };
  const edge = (name, key) => ({ name, type: "line", data: rows.map((row) => number(row[key])), symbol: "none", lineStyle: { color: colour("--plum"), type: "dotted", width: 1.5 }, itemStyle: { color: colour("--plum") } });
  whole.series = [
    { name: words.wordRate, type: "line", data: rows.map((row) => number(row.y)), symbol: "circle", symbolSize: 8, lineStyle: { color: colour("--brand"), width: 2.5 }, itemStyle: { color: colour("--brand") } },
    { name: words.wordMood, type: "line", data: rows.map((row) => number(row.mood)), symbol: "diamond", symbolSize: 10, lineStyle: { color: colour("--plum"), type: "dashed", width: 2 }, itemStyle: { color: colour("--plum") } },
    edge(words.wordLow, "low"), edge(words.wordHigh, "high"),
  ];
  return whole;
}

const kinds = { rate, arrivals, shares, mood };
const drawn = $$("[data-chart]").map((box) => [box, window.echarts.init(box, null, { renderer: "canvas" })]);
function draw() {
  for (const [box, chart] of drawn) chart.setOption(kinds[box.dataset.chart](box), true);
}
draw();
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
new ResizeObserver(() => drawn.forEach(([, chart]) => chart.resize())).observe(document.body);

/* The table behind each chart, one key away */
function toggle(button, open = button.getAttribute("aria-expanded") !== "true") {
  document.querySelector(button.dataset.tableToggle).hidden = !open;
  button.setAttribute("aria-expanded", String(open));
}
const buttons = $$("[data-table-toggle]");
buttons.forEach((button) => button.addEventListener("click", () => toggle(button)));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || event.key.toLowerCase() !== "t") return;
  const open = buttons.some((button) => button.getAttribute("aria-expanded") !== "true");
  buttons.forEach((button) => toggle(button, open));
});

/* Heat map: one stop for the Tab key, arrows move between marks; the newest lessons are in sight */
const heat = document.querySelector("#heat");
if (heat) {
  const scroll = heat.closest("[data-heat-scroll]");
  scroll.scrollLeft = scroll.scrollWidth;
  const cells = $$(".heat__cell", heat);
  cells.forEach((cell, index) => { cell.tabIndex = index ? -1 : 0; });
  const go = (cell) => {
    cells.forEach((one) => { one.tabIndex = -1; });
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  heat.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const here = event.target.closest(".heat__cell")?.parentElement;
    if (!step || !here) return;
    event.preventDefault();
    const rows = $$("tbody tr:not([hidden])", heat);
    let row = rows.indexOf(here.parentElement), column = here.cellIndex;
    // A student without a mark in a lesson has no cell to stop at: go on to the next that has.
    for (;;) {
      row += step[0];
      column += step[1];
      const cell = rows[row]?.cells[column];
      if (!cell || cell.classList.contains("heat__rate") || cell.classList.contains("heat__name")) return;
      const link = cell.querySelector(".heat__cell");
      if (link) { go(link); return; }
    }
  });
}
