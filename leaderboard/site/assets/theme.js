// Before anything is drawn: scripts run here, and the colours that the reader chose the last time.
(function () {
  "use strict";
  var page = document.documentElement;
  page.classList.add("scripted");
  try {
    var chosen = window.localStorage.getItem("vadbench-theme");
    if (chosen === "light" || chosen === "dark") page.setAttribute("data-theme", chosen);
  } catch (refused) {
    // Some browsers keep nothing for pages from files; the system's choice stays.
  }
})();
