"use strict";
// The review page. What comes from a ledger is text and only ever set as text: chat models and pictures must not write into the page.
(() => {
  const opened = window.dsdReview;
  const readOnly = Array.isArray(opened.pairs);
  const pageSize = 24;
  const retryAfter = 4000;
  const $ = id => document.getElementById(id);

  /** An element with properties and children; strings become text. */
  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter(c => c !== null));
    return element;
  }

  // Where pairs come from: the server, or what was written into the page. Both make a list by filters, give a part of it, and tell how far the review is.

  const server = {
    async ask(path, options) {
      const response = await fetch(path, options);
      const answer = await response.json();
      if (!response.ok) {
        throw Object.assign(new Error(answer.error), { status: response.status });
      }
      return answer;
    },
    list: filters => server.ask("api/lists?" + new URLSearchParams(filters)),
    part: async (list, from, count) => (await server.ask(`api/lists/${list}?from=${from}&count=${count}`)).pairs,
    summary: () => server.ask("api/summary"),
    verdict: (id, kept) => server.ask("api/verdicts", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id, kept }) }),
  };

  const still = {
    lists: [],
    async list(filters) {
      const pairs = opened.pairs.filter(pair => passes(pair, filters));
      still.lists = [pairs];
      return { list: 0, count: pairs.length };
    },
    part: async (list, from, count) => still.lists[list].slice(from, from + count),
    summary: async () => opened.summary,
  };

  function passes(pair, f) {
    const person = { unreviewed: pair.reviewed === null, reviewed: pair.reviewed !== null, kept: pair.reviewed === true, rejected: pair.reviewed === false };
    person.disagreeing = person.reviewed && pair.reviewed !== pair.kept;
    const verdicts = pair.votes.map(v => v.verdict).filter(v => v);
    const words = () => [pair.id, pair.reason, pair.prompt, pair.subject, pair.first.caption, pair.second.caption, ...pair.votes.map(v => v.reason),
      ...verdicts.flatMap(v => [v.subject, v.description_a, v.description_b, ...v.differences, ...v.flags])];
    return (!f.outcome || f.outcome === outcomeOf(pair)) && (!f.review || person[f.review] && !pair.fault)
      && (!f.least || (pair.confidence !== null && pair.confidence >= Number(f.least))) && (!f.most || (pair.confidence !== null && pair.confidence <= Number(f.most)))
      && (!f.flag || verdicts.some(v => v.flags.includes(f.flag))) && (!f.judge || pair.votes.some(v => v.judge === f.judge))
      && (!f.text || words().some(w => w.toLowerCase().includes(f.text.toLowerCase())));
  }

  const source = readOnly ? still : server;

  const outcomeOf = pair => pair.fault ? "unreadable" : pair.undecided ? "undecided" : pair.kept ? "kept" : "rejected";

  /** Whether the judge's verdict is kept from who shall give one: who has seen it tends to agree. */
  const isHidden = pair => $("blind").checked && pair.reviewed === null && !pair.fault;

  // What is shown: a list, the place in it, and the parts of it that were fetched.
  let list = null;
  let count = 0;
  let at = 0;
  let parts = new Map();
  let moves = 0;
  let lists = 0;
  // While a list is made, what is shown belongs to the one before, so no verdict is taken.
  let making = 0;

  // Verdicts on their way to the ledger, in order, and those that may be undone.
  const waiting = [];
  const given = [];
  let sending = false;
  let retry = 0;

  function filters() {
    return Object.fromEntries([...new FormData($("filters"))].filter(([, value]) => value !== ""));
  }

  function markBusy(more) {
    making += more;
    $("pair").ariaBusy = String(making > 0);
  }

  async function makeList(place) {
    const mine = ++lists;
    moves++;
    markBusy(1);
    try {
      const made = await source.list(filters());
      if (mine !== lists) {
        return;
      }
      list = made.list;
      count = made.count;
      parts = new Map();
      $("found").textContent = count === 1 ? "1 pair" : `${count.toLocaleString("en")} pairs`;
      $("jump").max = count;
      await goTo(Math.min(place, Math.max(0, count - 1)));
    } catch (error) {
      $("found").textContent = error.message;
    } finally {
      markBusy(-1);
    }
  }

  async function partOf(index) {
    const number = Math.floor(index / pageSize);
    if (!parts.has(number)) {
      const [of, from] = [list, number * pageSize];
      const pairs = await source.part(of, from, pageSize);
      if (of !== list) {
        return pairs;
      }
      // A verdict that is still on its way is newer than what the ledger says.
      for (const pair of pairs) {
        const last = waiting.findLast(w => w.id === pair.id);
        pair.reviewed = last ? last.kept : pair.reviewed;
      }
      parts.set(number, pairs);
      for (const old of [...parts.keys()].filter(k => Math.abs(k - number) > 3)) {
        parts.delete(old);
      }
    }
    return parts.get(number);
  }

  async function goTo(index) {
    $("none").hidden = count > 0;
    $("shown").hidden = $("strip-box").hidden = count === 0;
    if (count === 0) {
      $("verdict").hidden = true;
      return;
    }
    const mine = ++moves;
    at = Math.max(0, Math.min(count - 1, index));
    try {
      const part = await partOf(at);
      if (mine === moves) {
        show(part[at % pageSize]);
        showStrip(part);
        ahead(mine);
      }
    } catch (error) {
      if (error.status === 410) {
        await makeList(at);
      } else if (mine === moves) {
        $("said").textContent = `Cannot be shown: ${error.message}`;
      }
    }
  }

  /** Fetches the next pair's pictures while this one is looked at. */
  async function ahead(mine) {
    if (at + 1 < count) {
      const next = (await partOf(at + 1))[(at + 1) % pageSize];
      if (mine === moves && next && !next.fault) {
        new Image().src = next.first.source;
        new Image().src = next.second.source;
      }
    }
  }

  function current() {
    return count > 0 ? parts.get(Math.floor(at / pageSize))?.[at % pageSize] : undefined;
  }

  function badge(element, kind, text) {
    element.className = `badge ${kind}`;
    element.textContent = text;
  }

  function show(pair) {
    $("number").textContent = `Pair ${(at + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`;
    $("id").textContent = pair.id;
    showMarks(pair);
    for (const [name, panel] of [["first", pair.first], ["second", pair.second]]) {
      const image = $(name);
      if (pair.fault) {
        image.removeAttribute("src");
        image.parentElement.classList.add("missing");
      } else if (image.getAttribute("src") !== panel.source) {
        image.parentElement.classList.remove("missing");
        image.src = panel.source;
      }
      image.alt = pair.fault ? "A row of the ledger cannot be read." : `${panel.place}: ${panel.caption}`;
      $(`${name}-place`).textContent = pair.fault ? "" : `${panel.place}:`;
      $(`${name}-caption`).textContent = panel.caption;
    }
    $("verdict").replaceChildren(...verdict(pair));
    $("previous").disabled = at === 0;
    $("next").disabled = at === count - 1;
  }

  function showMarks(pair) {
    badge($("outcome"), isHidden(pair) || pair.fault ? "nobody" : outcomeOf(pair), pair.fault ? "Cannot be read" : `Judge: ${isHidden(pair) ? "hidden" : outcomeOf(pair)}`);
    $("verdict").hidden = isHidden(pair);
    badge($("person"), pair.reviewed === null ? "nobody" : pair.reviewed ? "kept" : "rejected", pair.reviewed === null ? "Not reviewed" : pair.reviewed ? "Person: keep" : "Person: reject");
    $("keep").setAttribute("aria-pressed", String(pair.reviewed === true));
    $("reject").setAttribute("aria-pressed", String(pair.reviewed === false));
    $("keep").disabled = $("reject").disabled = Boolean(pair.fault);
    $("clear").disabled = pair.reviewed === null;
    $("undo").disabled = given.length === 0;
  }

  function verdict(pair) {
    if (pair.fault) {
      return [make("h2", { textContent: "This pair cannot be read" }), make("p", { className: "reason", textContent: pair.fault })];
    }
    const parts = [make("h2", { textContent: "The judge's verdict" }), make("p", { className: "reason", textContent: pair.reason })];
    if (pair.confidence !== null) {
      parts.push(make("h3", { textContent: "Confidence" }),
        make("div", { className: "confidence" }, make("meter", { min: 0, max: 1, value: pair.confidence, ariaLabel: "Confidence" }), pair.confidence.toFixed(2)));
    }
    if (pair.verdict) {
      parts.push(...stated(pair.verdict));
    }
    parts.push(make("h3", { textContent: "Prompt of the grid" }), make("p", { textContent: pair.prompt }));
    parts.push(make("details", { open: pair.votes.length > 1 }, make("summary", { textContent: pair.votes.length === 1 ? "1 vote" : `${pair.votes.length} votes` }), ...pair.votes.map(vote => voted(vote, pair))));
    return parts;
  }

  function stated(v) {
    return [
      make("h3", { textContent: "Subject" }), make("p", { textContent: v.subject }),
      make("h3", { textContent: "First panel" }), make("p", { textContent: v.description_a }),
      make("h3", { textContent: "Second panel" }), make("p", { textContent: v.description_b }),
      make("h3", { textContent: "Differences" }),
      v.differences.length ? make("ul", {}, ...v.differences.map(d => make("li", { textContent: d }))) : make("p", { className: "soft", textContent: "none named" }),
      make("h3", { textContent: "Flags" }),
      v.flags.length ? make("div", { className: "flags" }, ...v.flags.map(f => make("span", { textContent: f }))) : make("p", { className: "soft", textContent: "none" }),
    ];
  }

  function voted(vote, pair) {
    const same = vote.verdict ? `${vote.verdict.same ? "same" : "not the same"}, confidence ${vote.verdict.confidence.toFixed(2)}` : "no verdict";
    const cost = `${vote.attempts === 1 ? "1 call" : `${vote.attempts} calls`}, ${vote.inputTokens + vote.outputTokens} tokens, ${vote.seconds.toFixed(2)} s`;
    return make("div", { className: "vote" },
      make("b", { textContent: vote.judge }), vote.model && vote.model !== vote.judge ? ` (${vote.model})` : "", `: ${vote.kept ? "keep" : "do not keep"}, ${same}`,
      // A single vote's reason stands above already.
      vote.reason === pair.reason ? null : make("p", { textContent: vote.reason }), make("small", { textContent: cost }));
  }

  function showStrip(part) {
    const from = at - at % pageSize;
    $("strip").replaceChildren(...part.map((pair, i) => {
      const button = make("button", { type: "button", title: pair.id });
      button.append(...(pair.fault ? [] : [pair.first, pair.second]).map(panel => make("img", { src: panel.small, alt: "", loading: "lazy" })), make("span", {}));
      button.addEventListener("click", () => goTo(from + i));
      return make("li", {}, button);
    }));
    markStrip(part);
    $("page-back").disabled = from === 0;
    $("page-on").disabled = from + pageSize >= count;
  }

  function markStrip(part) {
    const from = at - at % pageSize;
    [...$("strip").querySelectorAll("button")].forEach((button, i) => {
      const pair = part[i];
      const judge = isHidden(pair) ? "hidden" : outcomeOf(pair);
      const person = pair.reviewed === null ? "not reviewed" : pair.reviewed ? "a person keeps it" : "a person rejects it";
      button.ariaLabel = `Pair ${from + i + 1}: judge ${judge}, ${person}`;
      button.querySelector("span").textContent = `${judge}${pair.reviewed === null ? "" : pair.reviewed ? " · ✓" : " · ✕"}`;
      button.setAttribute("aria-current", String(from + i === at));
      if (from + i === at) {
        // Within the strip alone: the page itself must not move.
        const box = $("strip");
        box.scrollLeft = button.offsetLeft - box.offsetLeft - (box.clientWidth - button.offsetWidth) / 2;
      }
    });
  }

  // Verdicts

  function say(kept) {
    if (making > 0) {
      $("said").textContent = "Not taken: the list is being made.";
      return;
    }
    const pair = current();
    if (readOnly || !pair || pair.fault || pair.reviewed === kept && kept === null) {
      return;
    }
    given.push({ id: pair.id, before: pair.reviewed, list, at });
    write(pair, kept);
    const last = at === count - 1;
    $("said").textContent = kept === null ? "Verdict taken back." : `${kept ? "Kept" : "Rejected"}.${last ? " This is the last pair of the list." : ""}`;
    if (kept !== null && !last) {
      goTo(at + 1);
    }
  }

  function undo() {
    const last = given.pop();
    if (!last) {
      $("said").textContent = "There is nothing to undo.";
      return;
    }
    const known = [...parts.values()].flat().find(p => p.id === last.id);
    write(known ?? { id: last.id }, last.before);
    $("said").textContent = `Undone: ${last.id} is ${last.before === null ? "not reviewed" : last.before ? "kept" : "rejected"} again.`;
    if (last.list === list) {
      goTo(last.at);
    }
  }

  function write(pair, kept) {
    pair.reviewed = kept;
    waiting.push({ id: pair.id, kept });
    if (current()) {
      showMarks(current());
      markStrip(parts.get(Math.floor(at / pageSize)));
    }
    send();
  }

  async function send() {
    if (sending) {
      return;
    }
    sending = true;
    clearTimeout(retry);
    try {
      while (waiting.length > 0) {
        try {
          showSummary(await source.verdict(waiting[0].id, waiting[0].kept));
        } catch (error) {
          // What the server will never take must not keep back those behind it.
          if (![400, 404, 409].includes(error.status)) {
            throw error;
          }
          $("said").textContent = `The verdict on ${waiting[0].id} was not taken: ${error.message}`;
        }
        waiting.shift();
      }
      $("trouble").hidden = true;
    } catch (error) {
      const n = waiting.length;
      $("trouble-text").textContent = `${n === 1 ? "1 verdict is" : `${n} verdicts are`} not in the ledger yet: ${error.message} It is tried again; leave this page open.`;
      $("trouble").hidden = false;
      retry = setTimeout(send, retryAfter);
    } finally {
      sending = false;
    }
  }

  // How far the review is, and what it says of the judge.

  const percent = value => `${(100 * value).toFixed(0)} %`;

  function figure(name, share, note) {
    const known = share && share.value !== null;
    const range = known ? `${(100 * share.low).toFixed(0)} to ${(100 * share.high).toFixed(0)} %${share.of === undefined ? "" : `, ${share.hits} of ${share.of}`}` : note;
    return make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: known ? percent(share.value) : "–" }, make("small", { textContent: range })));
  }

  function showSummary(s) {
    const n = value => value.toLocaleString("en");
    $("bar").max = Math.max(1, s.pairs);
    $("bar").value = s.reviewed;
    $("progress").textContent = `${n(s.reviewed)} of ${n(s.pairs)} reviewed (${n(s.peopleKept)} kept) · judge: ${n(s.outcomes.kept)} kept, ${n(s.outcomes.rejected)} rejected, ${n(s.outcomes.undecided)} undecided`;
    $("faults").hidden = s.unreadable.count === 0;
    $("faults").textContent = s.unreadable.count === 0 ? "" : `${n(s.unreadable.count)} ${s.unreadable.count === 1 ? "row" : "rows"} of the ledger cannot be read. ${s.unreadable.first[0] ?? ""}`;
    const noPrecision = s.side === "none" ? "no verdicts yet" : "review kept pairs";
    const noRecall = s.side === "both" ? "people keep none" : s.side === "none" ? "no verdicts yet" : s.side === "keptOnly" ? "review rejected pairs too" : "review kept pairs too";
    $("figures").replaceChildren(figure("Agreement", s.agreement, "no verdicts yet"), figure("Precision", s.precision, noPrecision), figure("Recall (reviewed)", s.recall, noRecall), figure("Recall (whole run)", s.runRecall, noRecall));
  }

  // Buttons, keys, filters

  function isTyping(element) {
    return element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
  }

  const jump = () => {
    const number = Number($("jump").value);
    if (Number.isInteger(number) && number >= 1 && number <= count) {
      goTo(number - 1);
      $("pair").focus();
    } else {
      $("said").textContent = `There are pairs 1 to ${count.toLocaleString("en")}.`;
    }
  };
  const openJump = () => {
    $("jump").value = at + 1;
    $("jump").focus();
    $("jump").select();
  };
  const showBlind = () => {
    if (current()) {
      showMarks(current());
      markStrip(parts.get(Math.floor(at / pageSize)));
    }
  };
  const openHelp = () => $("keys").showModal();
  const keys = {
    k: () => say(true), r: () => say(false), c: () => say(null), u: () => readOnly || undo(),
    ArrowRight: () => goTo(at + 1), n: () => goTo(at + 1), ArrowLeft: () => goTo(at - 1), p: () => goTo(at - 1),
    b: () => $("blind").click(), g: openJump, "/": () => $("filters").elements.text.focus(), "?": openHelp,
  };

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) {
      return;
    }
    if (isTyping(event.target) && event.target.type !== "checkbox") {
      if (event.key === "Escape") {
        $("pair").focus();
      } else if (event.key === "Enter" && event.target === $("jump")) {
        jump();
      }
      return;
    }
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // A key that is held down gives one verdict, not one for each pair.
    if (act && !(event.repeat && "krcub".includes(event.key.toLowerCase()))) {
      event.preventDefault();
      act();
    }
  });

  const clicks = {
    keep: keys.k, reject: keys.r, clear: keys.c, undo: keys.u, next: keys.n, previous: keys.p, go: jump, help: openHelp, again: send,
    "page-back": () => goTo(at - at % pageSize - pageSize), "page-on": () => goTo(at - at % pageSize + pageSize),
    refresh: () => { makeList(at); refreshSummary(); },
  };
  for (const [id, act] of Object.entries(clicks)) {
    $(id).addEventListener("click", act);
  }

  let pause = 0;
  $("filters").addEventListener("input", event => {
    if (event.target === $("blind")) {
      showBlind();
      return;
    }
    if (event.target.type === "search" || event.target.type === "number") {
      clearTimeout(pause);
      pause = setTimeout(() => makeList(0), 300);
    } else {
      makeList(0);
    }
  });
  // By hand, since the browser's own way clears after the event, and a key that is pressed in between would act on half of it.
  $("filters").addEventListener("reset", event => {
    event.preventDefault();
    for (const field of $("filters").elements) {
      if (field instanceof HTMLSelectElement) {
        field.selectedIndex = Math.max(0, [...field.options].findIndex(option => option.defaultSelected));
      } else if (field instanceof HTMLInputElement && field !== $("blind")) {
        field.value = field.defaultValue;
        field.checked = field.defaultChecked;
      }
    }
    makeList(0);
  });
  $("filters").addEventListener("submit", event => event.preventDefault());

  for (const image of [$("first"), $("second")]) {
    image.addEventListener("error", () => {
      image.parentElement.classList.add("missing");
      image.alt = "The picture is gone or damaged.";
    });
  }

  window.addEventListener("beforeunload", event => {
    if (waiting.length > 0) {
      event.preventDefault();
    }
  });

  const refreshSummary = () => source.summary().then(showSummary, error => { $("progress").textContent = error.message; });

  $("name").textContent = opened.name;
  document.title = `${opened.name} – review of pairs`;
  for (const [name, values] of [["flag", opened.flags], ["judge", opened.judges]]) {
    $("filters").elements[name].append(...values.map(value => make("option", { value, textContent: value })));
  }
  if (readOnly) {
    $("verdicts").hidden = $("refresh").hidden = true;
  }
  refreshSummary();
  makeList(0);
})();
