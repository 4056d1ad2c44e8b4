// What all pages share: light and dark, words of column heads, copying.
(function () {
  "use strict";
  var page = document.documentElement;
  var darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    var chosen = page.getAttribute("data-theme");
    return chosen ? chosen === "dark" : darkSystem.matches;
  }

  function themeButton() {
    var button = document.getElementById("theme");
    if (!button) return;
    function show() {
      button.setAttribute("aria-pressed", String(isDark()));
    }
    button.addEventListener("click", function () {
      var next = isDark() ? "light" : "dark";
      page.setAttribute("data-theme", next);
      try {
        window.localStorage.setItem("vadbench-theme", next);
      } catch (refused) {
        // Not remembered; it holds for this page.
      }
      show();
      document.dispatchEvent(new Event("colours"));
    });
    darkSystem.addEventListener("change", function () {
      show();
      document.dispatchEvent(new Event("colours"));
    });
    show();
  }

  // Words of a column's head: on hover and on keyboard focus, away on Escape.
  function columnWords() {
    var tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    document.body.appendChild(tip);
    var shownFor = null;

    function show(head) {
      shownFor = head;
      tip.textContent = head.getAttribute("data-words");
      tip.hidden = false;
      var place = head.getBoundingClientRect();
      var size = tip.getBoundingClientRect();
      var left = Math.min(Math.max(8, place.left + place.width / 2 - size.width / 2), window.innerWidth - size.width - 8);
      var above = place.top - size.height - 6;
      tip.style.left = left + "px";
      tip.style.top = (above > 4 ? above : place.bottom + 6) + "px";
    }
    function hide() {
      shownFor = null;
      tip.hidden = true;
    }
    function headOf(target) {
      return target instanceof Element ? target.closest("th[data-words]") : null;
    }
    document.addEventListener("mouseover", function (event) {
      var head = headOf(event.target);
      if (head) {
        if (head !== shownFor) show(head);
      } else if (shownFor && !shownFor.contains(document.activeElement)) hide();
    });
    document.addEventListener("focusin", function (event) {
      var head = headOf(event.target);
      if (head) show(head);
      else hide();
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") hide();
    });
    window.addEventListener("scroll", hide, { passive: true, capture: true });
  }

  function say(words) {
    var place = document.getElementById("spoken");
    if (place) place.textContent = words;
  }

  function oldCopy(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.position = "fixed";
    area.style.top = "-100px";
    document.body.appendChild(area);
    area.select();
    var copied = document.execCommand("copy");
    area.remove();
    return copied ? Promise.resolve() : Promise.reject(new Error("refused"));
  }

  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text).catch(function () {
        return oldCopy(text);
      });
    }
    return oldCopy(text);
  }

  function copyFrom(button, text) {
    copy(text).then(
      function () {
        say("Copied");
        button.classList.add("done");
        window.setTimeout(function () {
          button.classList.remove("done");
        }, 1500);
      },
      function () {
        say("The browser did not allow copying; the arrow beside the button downloads the text");
      }
    );
  }

  var texts = {};
  function tableText(name, form) {
    if (!texts[name]) {
      texts[name] = new Map(JSON.parse(document.getElementById("texts-" + name).textContent));
    }
    return texts[name].get(form);
  }

  function copying() {
    document.addEventListener("click", function (event) {
      var button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!button) return;
      if (button.dataset.copy) copyFrom(button, tableText(button.dataset.copy, button.dataset.form));
      else if (button.dataset.copyFrom) copyFrom(button, document.getElementById(button.dataset.copyFrom).textContent);
    });
  }

  // What takes half a phone's screen waits until it is asked for.
  function folded() {
    if (!window.matchMedia("(max-width: 44rem)").matches) return;
    document.querySelectorAll("details.remarks[open]").forEach(function (part) {
      part.open = false;
    });
  }

  function scrollers() {
    document.querySelectorAll(".scroller").forEach(function (place) {
      place.addEventListener(
        "scroll",
        function () {
          place.classList.toggle("scrolled", place.scrollLeft > 0);
        },
        { passive: true }
      );
    });
  }

  themeButton();
  columnWords();
  copying();
  folded();
  scrollers();
})();
