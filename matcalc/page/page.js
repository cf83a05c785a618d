"use strict";
// The page can be read without this script; it adds what moves: light and dark, copying, and the passes.

for (const button of document.querySelectorAll("button.copy")) {
  const source = document.getElementById(button.dataset.copies);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {  // no clipboard for a page from a file: what is selected can be copied
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
      getSelection().removeAllRanges();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

const theme = document.querySelector("button.theme");
const root = document.documentElement;
theme.hidden = false;
theme.addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const shown = root.dataset.theme || (dark ? "dark" : "light");
  root.dataset.theme = shown === "dark" ? "light" : "dark";
});

// The passes through the graph. Step 0 shows everything; step k shows what is known when k steps are done.
const player = document.querySelector(".player");
if (player) {
  const drawing = document.querySelector(".graph");
  const steps = [...document.querySelectorAll(".step")];
  const words = player.querySelector("output");
  const find = (id) => drawing.querySelector(`[data-node="${id}"], [data-edge="${id}"]`);
  const parts = [...drawing.querySelectorAll("[data-node], [data-edge]")];
  const listed = (text) => text.split(" ").filter(Boolean);
  const button = (does) => player.querySelector(`[data-does="${does}"]`);
  let now = 0, clock = 0;

  function show(k) {
    now = Math.max(0, Math.min(k, steps.length));
    drawing.classList.toggle("stepping", now > 0);
    for (const part of parts) part.classList.remove("on", "valued", "graded");
    for (const input of drawing.querySelectorAll(".mcg-input")) input.classList.add("valued");
    steps.forEach((step, j) => {
      step.hidden = j !== now - 1;
      if (j >= now) return;
      const known = step.classList.contains("forward") ? "valued" : "graded";
      for (const id of listed(step.dataset.shows)) find(id).classList.add(known);
    });
    const step = steps[now - 1];
    if (step) {
      const box = find(step.dataset.node);
      for (const id of [step.dataset.node, ...listed(step.dataset.edges)]) find(id).classList.add("on");
      const [inner, outer] = [box.getBoundingClientRect(), drawing.getBoundingClientRect()];
      drawing.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
    }
    for (const box of drawing.querySelectorAll("[aria-current]")) box.removeAttribute("aria-current");
    if (step) find(step.dataset.node).setAttribute("aria-current", "step");
    words.textContent = now ? `Step ${now} of ${steps.length}` : `${steps.length} steps; choose a box, or play`;
    for (const does of ["first", "back"]) button(does).disabled = now === 0;
    for (const does of ["next", "last"]) button(does).disabled = now === steps.length;
  }

  function named(sign, said) {
    button("play").textContent = sign;
    button("play").setAttribute("aria-label", said);
    button("play").title = said;
  }

  function stop() {
    clearInterval(clock);
    clock = 0;
    named("Play", "Play the passes");
  }

  function play() {
    if (now === steps.length) show(0);
    named("Pause", "Pause");
    show(now + 1);
    clock = setInterval(() => (now < steps.length ? show(now + 1) : stop()), 1600);
  }

  const moves = {
    first: () => show(0), back: () => show(now - 1), next: () => show(now + 1), last: () => show(steps.length),
  };
  player.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    const does = pressed.dataset.does;
    const playing = clock !== 0;
    stop();
    if (does !== "play") moves[does]();
    else if (!playing) play();
  });

  for (const box of drawing.querySelectorAll("[data-node]")) {  // a box opens at its step of the backward pass
    const at = steps.findLastIndex((step) => step.dataset.node === box.dataset.node);
    if (at < 0) continue;
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "button");
    box.setAttribute("aria-label", `open ${box.dataset.name}`);
    const open = () => { stop(); show(at + 1); };
    box.addEventListener("click", open);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
  }
  drawing.closest("section").addEventListener("keydown", (event) => {
    const move = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" }[event.key];
    if (!move) return;
    event.preventDefault();
    stop();
    moves[move]();
  });
  document.documentElement.classList.add("plays");
  player.hidden = false;
  show(0);
}
