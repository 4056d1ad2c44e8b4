// The page that compares two methods: chosen by lists or by the address, computed from the data files of the two.
(function () {
  "use strict";
  var form = document.getElementById("choose");
  if (!form) return;
  var numbers = window.vadbenchComparison;
  var figures = window.vadbenchFigures;
  var rankings = JSON.parse(document.getElementById("rankings").textContent);
  var result = document.getElementById("result");
  var CONFIDENCE = 0.95;
  var turn = 0;
  var shownMetric = "";

  function ranking() {
    return rankings.find(function (own) {
      return own.name === form.ranking.value;
    });
  }

  function element(kind, attributes, children) {
    var made = document.createElement(kind);
    Object.entries(attributes || {}).forEach(function (pair) {
      if (pair[1] !== null) made.setAttribute(pair[0], pair[1]);
    });
    (children || []).forEach(function (child) {
      made.append(child);
    });
    return made;
  }

  function percent(value) {
    return value === null ? "–" : (100 * value).toFixed(2);
  }

  function signed(value) {
    var text = (100 * Math.abs(value)).toFixed(2);
    return (text === "0.00" ? "" : value < 0 ? "−" : "+") + text;
  }

  function probability(p) {
    return p < 0.0001 ? p.toExponential(1).replace("-", "−") : p.toFixed(4);
  }

  function fill(select, methods, chosen, fallback) {
    select.textContent = "";
    methods.forEach(function (method) {
      select.add(new Option(method[1], method[0]));
    });
    var known = methods.some(function (method) {
      return method[0] === chosen;
    });
    if (methods.length) select.value = known ? chosen : methods[Math.min(fallback, methods.length - 1)][0];
  }

  function address() {
    var words = new URLSearchParams({ ranking: form.ranking.value, a: form.a.value, b: form.b.value });
    try {
      history.replaceState(null, "", "?" + words.toString());
    } catch (refused) {
      // Some browsers keep the address of a page from a file.
    }
  }

  function difference(low, high, value, limit) {
    var scale = 48 / limit;
    var svg = '<svg class="difference" viewBox="0 0 100 14" aria-hidden="true" focusable="false"><path class="zero" d="M50 0V14"/>';
    if (low !== null) {
      var a = 50 + low * scale;
      var b = 50 + high * scale;
      svg += '<path d="M' + a.toFixed(1) + " 7H" + b.toFixed(1) + "M" + a.toFixed(1) + " 4V10M" + b.toFixed(1) + ' 4V10"/>';
    }
    svg += '<circle cx="' + (50 + value * scale).toFixed(1) + '" cy="7" r="3"/></svg>';
    var holder = element("td", { class: "drawn" });
    holder.innerHTML = svg;
    return holder;
  }

  // By clips, and by scenes where there are several: the wider one is shown, and both must leave out 0.
  function intervals(found, first, second) {
    var kinds = ["replicates", "sceneReplicates"].filter(function (kind) {
      return first[kind][found.key] && second[kind][found.key];
    });
    var made = kinds
      .map(function (kind) {
        return numbers.pairedInterval(numbers.floats(first[kind][found.key]), numbers.floats(second[kind][found.key]), CONFIDENCE);
      })
      .filter(Boolean);
    if (!made.length) return;
    found.interval = made.reduce(function (wider, other) {
      return other.high - other.low > wider.high - wider.low ? other : wider;
    });
    found.apart = made.every(numbers.leavesOutZero);
  }

  function test(found, first, second) {
    found.clips = numbers.clipDifferences(first.clips, numbers.doubles(first.clipValues[found.key]), numbers.doubles(second.clipValues[found.key]));
    if (!found.clips.length) return;
    var differences = found.clips.map(function (clip) {
      return clip.difference;
    });
    found.test = numbers.signFlip(first.scenes ? numbers.sceneSums(found.clips, first.scenes) : differences, 0);
    found.mean =
      differences.reduce(function (sum, difference) {
        return sum + difference;
      }, 0) / differences.length;
  }

  function rowsOf(own, first, second, sameClips) {
    return own.titles
      .map(function (pair) {
        var key = pair[0];
        var a = first.values[key];
        var b = second.values[key];
        if (a === null || b === null || a === undefined || b === undefined) return { key: key, title: pair[1], a: a, b: b, difference: null };
        var found = { key: key, title: pair[1], a: a, b: b, difference: a - b, interval: null, apart: false, test: null };
        if (sameClips) {
          intervals(found, first, second);
          if (first.clipValues[key] && second.clipValues[key]) test(found, first, second);
        }
        return found;
      })
      .filter(function (row) {
        return row.a !== undefined || row.b !== undefined;
      });
  }

  function scoresTable(own, rows, names, scenes) {
    var limit = 0.01;
    rows.forEach(function (row) {
      if (row.difference === null) return;
      limit = Math.max(limit, Math.abs(row.difference));
      if (row.interval) limit = Math.max(limit, Math.abs(row.interval.low), Math.abs(row.interval.high));
    });
    var head = ["Score", names[0], names[1], "Difference", "95 % interval of the difference", "", "Mean over clips", scenes ? "p of that mean, by scenes" : "p of that mean", "p × pairs (Bonferroni)"];
    var table = element("table", {}, [
      element("caption", { class: "visually-hidden" }, ["Scores of both in per cent, differences in points"]),
      element("thead", {}, [
        element(
          "tr",
          {},
          head.map(function (title, index) {
            if (index === 5) return element("td", { class: "drawn" });
            return element("th", { scope: "col", class: index === 0 ? "name" : "number" }, [title]);
          })
        ),
      ]),
    ]);
    var body = element("tbody");
    rows.forEach(function (row) {
      var cells = [
        element("th", { scope: "row", class: "name" }, [row.title]),
        element("td", { class: "number" }, [percent(row.a === undefined ? null : row.a)]),
        element("td", { class: "number" }, [percent(row.b === undefined ? null : row.b)]),
      ];
      if (row.difference === null) {
        cells.push(element("td", { colspan: "6" }, ["not comparable: one of the two has no value"]));
      } else {
        var interval = row.interval;
        cells.push(element("td", { class: row.apart ? "number best" : "number" }, [signed(row.difference)]));
        cells.push(element("td", { class: "number" }, [interval ? signed(interval.low) + " to " + signed(interval.high) : "–"]));
        cells.push(difference(interval ? interval.low : null, interval ? interval.high : null, row.difference, limit));
        cells.push(element("td", { class: "number" }, [row.test ? signed(row.mean) : "–"]));
        cells.push(element("td", { class: "number" }, [row.test ? probability(row.test.p) : "–"]));
        cells.push(element("td", { class: "number" }, [row.test ? probability(numbers.bonferroni(row.test.p, own.pairs[row.key])) + " (× " + own.pairs[row.key] + ")" : "–"]));
      }
      body.append(element("tr", {}, cells));
    });
    table.append(body);
    return element("div", { class: "scroller", role: "region", "aria-label": "Scores and differences", tabindex: "0" }, [table]);
  }

  function words(own, rows, names, first, second, sameClips) {
    var compared = rows.filter(function (row) {
      return row.interval;
    });
    var apart = compared.filter(function (row) {
      return row.apart;
    });
    var unit = first.scenes ? "scenes" : "clips";
    var sentences = [];
    if (!sameClips) {
      sentences.push(
        "The two were scored on different clips (" + first.clips.length + " and " + second.clips.length +
          "). Resamples of different clips do not pair up: there is no interval of a difference and no test."
      );
    } else if (!compared.length) {
      sentences.push("At least one of the two has no statistics beside its report: there are no intervals of differences.");
    } else if (!apart.length) {
      sentences.push("No interval of a difference leaves out 0: these clips do not tell the two apart.");
    } else {
      sentences.push(
        "The clips tell the two apart in " + apart.length + " of " + compared.length + " scores: " +
          apart
            .map(function (row) {
              return row.title + " (" + (row.difference > 0 ? names[0] : names[1]) + " is higher)";
            })
            .join(", ") + "."
      );
    }
    var tested = rows.filter(function (row) {
      return row.test;
    });
    if (tested.length) {
      var most = tested.reduce(function (best, row) {
        return row.test.moving > best.test.moving ? row : best;
      });
      var least = most.test.leastP;
      var pairs = own.pairs[most.key];
      var text =
        "With " + most.test.moving + " " + unit + " that differ, in " + most.title + ", the least p that the test can give is " + probability(least) + ". The ranking has " + pairs +
        (pairs === 1 ? " pair" : " pairs") + " with that score: ";
      text +=
        least * pairs > 0.05
          ? (pairs > 1 ? "corrected, that is " + probability(Math.min(1, least * pairs)) + ", so that" : "with so few " + unit) + " nothing can be rejected at 5 %, whatever the " + unit + " say."
          : pairs > 1
            ? "a p of at most " + probability(0.05 / pairs) + " can be rejected at 5 %, whatever the other pairs say."
            : "nothing has to be corrected for one pair.";
      sentences.push(text);
    }
    return element("div", { class: "remarks", role: "note" }, sentences.map(function (sentence) {
      return element("p", {}, [sentence]);
    }));
  }

  function clipBars(row, names) {
    var place = element("div", { class: "clip-differences", role: "img" });
    var ordered = row.clips.slice();
    var largest = ordered.reduce(function (most, clip) {
      return Math.max(most, Math.abs(clip.difference));
    }, 0.001);
    var higher = ordered.filter(function (clip) {
      return clip.difference > 0;
    }).length;
    var lower = ordered.filter(function (clip) {
      return clip.difference < 0;
    }).length;
    place.setAttribute("aria-label", names[0] + " is higher in " + higher + " clips, " + names[1] + " in " + lower + ", of " + ordered.length);
    ordered.forEach(function (clip) {
      var width = (50 * Math.abs(clip.difference)) / largest;
      var bar = element("span", { class: clip.difference > 0 ? "fill up" : "fill down" });
      bar.style.width = width.toFixed(2) + "%";
      place.append(
        element("span", {}, [clip.clip]),
        element("span", { class: "track" }, [bar]),
        element("span", { class: "amount" }, [signed(clip.difference)])
      );
    });
    return element("div", {}, [
      element("p", { class: "known" }, [
        names[0] + " is higher in " + higher + (higher === 1 ? " clip" : " clips") + ", " + names[1] + " in " + lower + ", of " + ordered.length + " with a value of both.",
      ]),
      place,
    ]);
  }

  function clipsPart(rows, names) {
    var known = rows.filter(function (row) {
      return row.clips && row.clips.length;
    });
    if (!known.length) return "";
    var select = element("select", { id: "clip-metric" });
    known.forEach(function (row) {
      select.add(new Option(row.title, row.key, false, row.key === shownMetric));
    });
    var holder = element("div");
    function show() {
      shownMetric = select.value;
      holder.textContent = "";
      holder.append(
        clipBars(
          known.find(function (row) {
            return row.key === select.value;
          }),
          names
        )
      );
    }
    select.addEventListener("change", show);
    show();
    return element("section", { "aria-labelledby": "clips-title" }, [
      element("h2", { id: "clips-title" }, ["Clip by clip"]),
      element("div", { class: "filters" }, [element("label", {}, ["Score ", select])]),
      holder,
    ]);
  }

  var CURVES = { roc: "ROC", pr: "Precision and recall", pro: "Region overlap (PRO)", rbdc: "Region detection", tbdc: "Track detection" };

  function curvesPart(own, first, second, names) {
    var kinds = Object.keys(CURVES).filter(function (kind) {
      return first.curves[kind] && second.curves[kind];
    });
    if (!kinds.length) return "";
    var grid = element("div", { class: "figures" });
    var section = element("section", { "aria-labelledby": "curves-title" }, [
      element("h2", { id: "curves-title" }, ["Curves"]),
      element("ul", { class: "keys" }, [
        element("li", { class: "key score" }, [names[0]]),
        element("li", { class: "key second" }, [names[1] + " (dashed)"]),
      ]),
      grid,
    ]);
    var jobs = kinds.map(function (kind) {
      var drawing = element("div", { class: "drawing" });
      grid.append(element("figure", { class: "frame" }, [element("h3", {}, [CURVES[kind]]), drawing]));
      var limit = own.curveLimits[kind];
      return function () {
        return figures.curve(
          drawing,
          kind,
          [
            { name: names[0], x: first.curves[kind].x, y: first.curves[kind].y, colour: "--data-1" },
            { name: names[1], x: second.curves[kind].x, y: second.curves[kind].y, colour: "--data-2", dash: "dash" },
          ],
          limit === undefined ? null : limit,
          CURVES[kind] + " of both methods"
        );
      };
    });
    section.draw = function () {
      jobs.forEach(function (job) {
        job().catch(function (error) {
          console.warn(error.message);
        });
      });
    };
    return section;
  }

  function show() {
    var own = ranking();
    var mine = ++turn;
    address();
    if (own.methods.length < 2) {
      result.textContent = "This ranking has one row: there is nothing to compare it with.";
      return;
    }
    if (form.a.value === form.b.value) {
      result.textContent = "Choose two different methods.";
      return;
    }
    var chosen = [form.a.value, form.b.value].map(function (name) {
      return own.methods.find(function (method) {
        return method[0] === name;
      });
    });
    var names = chosen.map(function (method) {
      return method[1];
    });
    Promise.all(
      chosen.map(function (method) {
        return figures.data("method", "data/" + own.name + "/" + method[0] + ".js");
      })
    ).then(
      function (both) {
        if (mine !== turn) return;
        var sameClips = String(both[0].clips) === String(both[1].clips);
        var rows = rowsOf(own, both[0], both[1], sameClips);
        var curves = curvesPart(own, both[0], both[1], names);
        result.textContent = "";
        result.append(
          element("p", { class: "pages" }, [
            element("a", { href: chosen[0][2] }, [names[0]]),
            " against ",
            element("a", { href: chosen[1][2] }, [names[1]]),
          ]),
          words(own, rows, names, both[0], both[1], sameClips),
          scoresTable(own, rows, names, Boolean(both[0].scenes)),
          element("p", { class: "known" }, [
            "Scores in per cent, differences in points. Bold: the interval leaves out 0" +
              (both[0].scenes ? ", by clips and by scenes; the wider one is shown" : "") +
              ". 1000 resamples with seed 0; random signs, where the test is not exact, with a fixed seed.",
          ]),
          clipsPart(rows, names),
          curves
        );
        if (curves) curves.draw();
      },
      function (error) {
        if (mine === turn) result.textContent = "The data of one of the two cannot be read: " + error.message + ".";
      }
    );
  }

  function start() {
    var asked = new URLSearchParams(window.location.search);
    if (
      rankings.some(function (own) {
        return own.name === asked.get("ranking");
      })
    ) {
      form.ranking.value = asked.get("ranking");
    } else {
      var first = rankings.find(function (own) {
        return own.methods.length > 1;
      });
      if (first) form.ranking.value = first.name;
    }
    fill(form.a, ranking().methods, asked.get("a"), 0);
    fill(form.b, ranking().methods, asked.get("b"), form.a.selectedIndex === 0 ? 1 : 0);
    show();
  }

  form.ranking.addEventListener("change", function () {
    fill(form.a, ranking().methods, form.a.value, 0);
    fill(form.b, ranking().methods, form.b.value, form.a.selectedIndex === 0 ? 1 : 0);
    show();
  });
  form.a.addEventListener("change", show);
  form.b.addEventListener("change", show);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
  });
  document.getElementById("swap").addEventListener("click", function () {
    var first = form.a.value;
    form.a.value = form.b.value;
    form.b.value = first;
    show();
  });
  start();
})();
