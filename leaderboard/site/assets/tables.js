// Sorting and filtering of the rankings, by DataTables as itables brings it. A table is taken over when it comes near.
(function () {
  "use strict";
  var LONG = 100;

  // Rows without a value come last, whichever way a column is sorted.
  function missingLast(sign) {
    return function (a, b) {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (a - b);
    };
  }
  window.itables.default.type("missing-last", {
    order: {
      pre: function (text) {
        return text === "" ? null : Number(text);
      },
      asc: missingLast(1),
      desc: missingLast(-1),
    },
  });

  function controlsOf(id) {
    var form = document.querySelector('form.filters[data-table="' + id + '"]');
    var found = { form: form };
    form.querySelectorAll("[data-filter]").forEach(function (field) {
      found[field.dataset.filter] = field;
    });
    found.shown = form.querySelector(".shown");
    return found;
  }

  function plain(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  }

  function takeOver(table) {
    if (table.dataset.taken) return;
    table.dataset.taken = "yes";
    var controls = controlsOf(table.id);
    var total = table.tBodies[0].rows.length;
    var words = Array.from(table.tBodies[0].rows, function (row) {
      return plain(row.cells[0].textContent + " " + row.dataset.supervision + " " + row.dataset.status);
    });
    var drawn = Array.from(table.tHead.rows[0].cells, function (cell) {
      return cell.classList.contains("number") || cell.classList.contains("rank");
    });
    var made = new window.itables.ITable(table, {
      autoWidth: false,
      info: false,
      lengthChange: false,
      order: Array.from(table.tHead.rows[0].cells, function (cell, index) {
        return [index, cell.classList.contains("first") ? "desc" : ""];
      }).filter(function (pair) {
        return pair[1];
      }),
      orderClasses: false,
      paging: total > LONG,
      pageLength: LONG,
      deferRender: true,
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: total > LONG ? "paging" : null },
      columnDefs: drawn.map(function (isNumber, index) {
        var sequence = isNumber && index > 1 ? ["desc", "asc", ""] : ["asc", "desc", ""];
        return isNumber ? { targets: index, type: "missing-last", orderSequence: sequence } : { targets: index, orderSequence: sequence };
      }),
      language: { emptyTable: "No rows", zeroRecords: "No row fits these filters" },
    }).dt;
    made.search.fixed("chosen", function (_text, _data, index) {
      var row = made.row(index).node();
      var wanted = plain(controls.text.value.trim());
      return (
        (!controls.supervision.value || row.dataset.supervision === controls.supervision.value) &&
        (!controls.status.value || row.dataset.status === controls.status.value) &&
        (!wanted || words[index].indexOf(wanted) >= 0)
      );
    });
    function filter() {
      made.draw();
      var shown = made.rows({ search: "applied" }).count();
      controls.shown.textContent = shown === total ? "" : shown + " of " + total + " rows";
    }
    controls.form.addEventListener("input", filter);
    controls.form.addEventListener("submit", function (event) {
      event.preventDefault();
    });
  }

  var watcher = new IntersectionObserver(
    function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        watcher.unobserve(entry.target);
        takeOver(entry.target.querySelector("table.ranked"));
      });
    },
    { rootMargin: "400px" }
  );
  document.querySelectorAll("section.ranking").forEach(function (section) {
    watcher.observe(section);
  });
})();
