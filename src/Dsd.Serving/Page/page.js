"use strict";

// Draws a grid of pictures, one request after another: seeds are rows, guidances columns.
const $ = (id) => document.getElementById(id);
let about = null;
let token = "";
let reference = null; // { file, url }
let drawing = null; // the AbortController of what is being drawn
let urls = []; // of the pictures in the grid, which hold memory until they are let go

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function ask(path, options) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return fetch(path, { ...options, headers, cache: "no-store" });
}

async function problem(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

function say(text) {
  $("status").textContent = text;
}

async function begin() {
  let answer;
  try {
    answer = await ask("api/about");
  } catch {
    say("The server cannot be reached.");
    return;
  }
  if (answer.status === 401) {
    $("key").hidden = false;
    $("key-trouble").textContent = token ? await problem(answer) : "";
    $("token").focus();
    return;
  }
  if (!answer.ok) {
    say(await problem(answer));
    return;
  }
  about = await answer.json();
  $("key").hidden = true;
  $("main").hidden = false;
  $("model").textContent = about.model;
  document.title = `Draw: ${about.model}`;
  $("width").value = about.width ?? 512;
  $("height").value = about.height ?? 512;
  $("steps").value = about.steps ?? 28;
  $("steps").max = about.max_steps ?? 1000;
  $("image-guidance").value = about.image_guidance ?? 1;
  $("reference").hidden = !about.from_reference;
  showGuidances();
  say("Ready.");
}

// Without a reference there is no true guidance: columns are then distilled guidances, if the model takes them.
function showGuidances() {
  const guided = about.from_reference && (reference !== null || !about.from_text);
  const columns = guided ? "text" : about.takes_guidance ? "distilled" : "none";
  $("image-guidance-field").hidden = !guided;
  $("guidances-field").hidden = columns === "none";
  $("guidances-name").textContent = guided ? "Prompt guidance, one column each" : "Guidance, one column each";
  if ($("guidances").dataset.columns !== columns) {
    const usual = guided ? about.text_guidance ?? 1 : about.guidance ?? 3.5;
    $("guidances").dataset.columns = columns;
    $("guidances").value = columns === "none" ? "0" : guided ? [...new Set([1, usual, usual * 2])].join(" ") : String(usual);
  }
}

function setReference(file) {
  if (file && !file.type.startsWith("image/")) {
    $("trouble").textContent = `'${file.name}' is no picture.`;
    return;
  }
  if (file && about.max_reference_bytes && file.size > about.max_reference_bytes) {
    $("trouble").textContent = `'${file.name}' has ${file.size} bytes; the server takes ${about.max_reference_bytes} at most.`;
    return;
  }
  if (reference) {
    URL.revokeObjectURL(reference.url);
  }
  $("trouble").textContent = "";
  reference = file ? { file, url: URL.createObjectURL(file) } : null;
  $("shown").hidden = $("remove").hidden = !reference;
  $("hint").hidden = !!reference;
  if (reference) {
    $("shown").src = reference.url;
  } else {
    $("shown").removeAttribute("src");
    $("file").value = "";
  }
  showGuidances();
}

function numbers(text) {
  const parts = text.split(/[\s,;]+/).filter((part) => part.length > 0);
  const values = [...new Set(parts.map(Number))];
  return parts.length > 0 && values.length <= 6 && values.every((value) => value >= 0 && value <= 100) ? values : null;
}

// What is asked for, as it stands in the form when drawing begins.
function settings() {
  const columns = $("guidances").dataset.columns;
  const guidances = numbers($("guidances").value);
  if (!guidances) {
    throw new Error("Guidances are one to six numbers from 0 to 100, with blanks or commas between.");
  }
  if (!about.from_text && !reference) {
    throw new Error("Choose a reference first: this model draws its subject.");
  }
  const seed = Number($("seed").value);
  return {
    columns,
    guidances,
    seeds: Array.from({ length: Number($("rows").value) }, (_, i) => seed + i),
    reference,
    prompt: $("prompt").value,
    format: $("format").value,
    fields: {
      prompt: $("prompt").value,
      steps: $("steps").value,
      size: `${$("width").value}x${$("height").value}`,
      output_format: $("format").value,
      previews: $("previews").value,
      ...(columns === "text" ? { image_guidance: $("image-guidance").value } : {}),
    },
  };
}

function nameOf(asked, seed, guidance) {
  return asked.columns === "none" ? `seed ${seed}` : `seed ${seed}, guidance ${guidance}`;
}

function layGrid(asked) {
  urls.forEach(URL.revokeObjectURL);
  urls = [];
  const corner = make("th", { textContent: "" });
  const head = asked.guidances.map((g) => make("th", { scope: "col", textContent: asked.columns === "none" ? "" : `guidance ${g}` }));
  const cells = [];
  const rows = asked.seeds.map((seed) => {
    const boxes = asked.guidances.map((guidance) => {
      const view = make("button", { type: "button", className: "view", disabled: true }, make("span", { textContent: "waits" }));
      const bar = make("progress", { max: 1, value: 0 });
      bar.setAttribute("aria-label", `Steps of ${nameOf(asked, seed, guidance)}`);
      const said = make("div", { className: "said" });
      cells.push({ seed, guidance, view, bar, said });
      return make("td", {}, make("div", { className: "cell" }, view, bar, said));
    });
    return make("tr", {}, make("th", { scope: "row", textContent: `seed ${seed}` }), ...boxes);
  });
  $("grid").replaceChildren(make("thead", {}, make("tr", {}, corner, ...head)), make("tbody", {}, ...rows));
  $("grid").hidden = false;
  $("empty").hidden = true;
  return cells;
}

function pictureOf(base64, format) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type: `image/${format}` });
}

function show(cell, url, alt, draft) {
  const before = cell.view.querySelector("img")?.src;
  cell.view.classList.toggle("draft", draft);
  cell.view.replaceChildren(make("img", { src: url, alt }));
  if (before) {
    URL.revokeObjectURL(before);
  }
}

// Server-sent events of an answer. EventSource can neither post nor send a token.
async function* eventsOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [name, data] = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      yield { name: name.slice("event: ".length), data: JSON.parse(data.slice("data: ".length)) };
    }
  }
}

function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

async function send(asked, cell, signal) {
  for (;;) {
    const form = new FormData();
    for (const [name, value] of Object.entries(asked.fields)) {
      form.append(name, value);
    }
    form.append("seed", cell.seed);
    if (asked.columns !== "none") {
      form.append(asked.columns === "text" ? "text_guidance" : "guidance", cell.guidance);
    }
    if (asked.reference) {
      form.append("image", asked.reference.file, "reference");
    }
    const answer = await ask("api/draw", { method: "POST", body: form, signal });
    if (answer.status === 429) {
      const seconds = Number(answer.headers.get("Retry-After") ?? 5);
      cell.said.textContent = `the queue is full; again in ${seconds} s`;
      await answer.body?.cancel();
      await wait(seconds, signal);
    } else if (answer.ok) {
      return answer;
    } else {
      throw new Error(await problem(answer));
    }
  }
}

async function drawCell(asked, cell, signal) {
  const began = performance.now();
  const alt = `${asked.prompt} (${nameOf(asked, cell.seed, cell.guidance)})`;
  cell.view.firstChild.textContent = "asks";
  const answer = await send(asked, cell, signal);
  for await (const { name, data } of eventsOf(answer)) {
    if (name === "waiting") {
      cell.said.textContent = data.before > 0 ? `${data.before} before it` : "begins";
    } else if (name === "step") {
      cell.bar.value = data.step / data.steps;
      cell.said.textContent = `step ${data.step} of ${data.steps}`;
      if (data.preview) {
        show(cell, URL.createObjectURL(pictureOf(data.preview, asked.format)), `Draft: ${alt}`, true);
      }
    } else if (name === "picture") {
      const picture = pictureOf(data.b64_json, asked.format);
      const url = URL.createObjectURL(picture);
      show(cell, url, alt, false);
      urls.push(url);
      finish(asked, cell, picture, url, alt, (performance.now() - began) / 1000);
      return;
    } else if (name === "error") {
      throw new Error(data.error.message);
    }
  }
  throw new Error("The answer ended before the picture came.");
}

function finish(asked, cell, picture, url, alt, seconds) {
  const file = `dsd-seed${cell.seed}${asked.columns === "none" ? "" : `-guidance${cell.guidance}`}.${asked.format === "jpeg" ? "jpg" : asked.format}`;
  cell.bar.classList.add("done");
  cell.view.disabled = false;
  cell.view.title = "Look at it beside the reference";
  cell.said.replaceChildren(
    make("span", { textContent: `${seconds.toFixed(1)} s` }), make("a", { href: url, download: file, textContent: "Download", ariaLabel: `Download ${file}` }));
  cell.view.addEventListener("click", () => {
    $("large-title").textContent = nameOf(asked, cell.seed, cell.guidance);
    $("large-picture").src = url;
    $("large-picture").alt = alt;
    $("large-words").textContent = asked.prompt;
    $("large-reference").hidden = !asked.reference;
    if (asked.reference) {
      $("large-reference").firstElementChild.src = asked.copy;
    }
    $("large-save").href = url;
    $("large-save").download = file;
    $("large-use").hidden = !about.from_reference;
    $("large-use").onclick = () => {
      setReference(new File([picture], file, { type: picture.type }));
      $("large").close();
    };
    $("large").showModal();
  });
}

async function draw() {
  let asked;
  $("trouble").textContent = "";
  try {
    asked = settings();
  } catch (error) {
    $("trouble").textContent = error.message;
    return;
  }
  const cells = layGrid(asked);
  if (asked.reference) {
    // The reference may be changed while pictures of this one are looked at.
    asked.copy = URL.createObjectURL(asked.reference.file);
    urls.push(asked.copy);
  }
  drawing = new AbortController();
  $("draw").disabled = true;
  $("stop").hidden = false;
  let done = 0;
  try {
    for (const cell of cells) {
      say(`Picture ${done + 1} of ${cells.length}`);
      await drawCell(asked, cell, drawing.signal);
      done++;
    }
    say(`${done} drawn.`);
  } catch (error) {
    const stopped = error.name === "AbortError";
    say(stopped ? `Stopped; ${done} drawn.` : "");
    $("trouble").textContent = stopped ? "" : error.message;
    for (const cell of cells.slice(done)) {
      cell.bar.classList.add("done");
      cell.said.textContent = "not drawn";
      if (!cell.view.querySelector("img")) {
        cell.view.firstChild.textContent = "";
      }
    }
  } finally {
    drawing = null;
    $("draw").disabled = false;
    $("stop").hidden = true;
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  draw();
});
$("stop").addEventListener("click", () => drawing?.abort());
$("dice").addEventListener("click", () => {
  $("seed").value = Math.floor(Math.random() * 2147483640);
});
$("remove").addEventListener("click", () => setReference(null));
$("file").addEventListener("change", () => {
  if ($("file").files.length > 0) {
    setReference($("file").files[0]);
  }
});
$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value;
  begin();
});
for (const name of ["dragenter", "dragover"]) {
  $("drop").addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  $("drop").addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
  });
}
$("drop").addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length > 0) {
    setReference(event.dataTransfer.files[0]);
  }
});
// A picture that misses its place shall not replace the page.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
  if (file && about?.from_reference) {
    setReference(file);
  }
});
begin();
