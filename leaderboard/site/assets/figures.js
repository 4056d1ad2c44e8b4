// Curves, bars and timelines that can be pointed at: plotly takes the place of the drawn pictures when they come near.
// Data come from small scripts beside the pages; a page from a file may load scripts and read no files.
(function () {
  "use strict";
  var root = document.currentScript.getAttribute("src").replace(/assets\/figures\.js$/, "");
  var waiting = {};
  var loaded = {};

  window.vadbenchTake = function (kind, content) {
    var key = kind + " " + content.ranking + " " + content.method;
    loaded[key] = content;
  };

  function script(address) {
    if (!waiting[address]) {
      waiting[address] = new Promise(function (done, failed) {
        var element = document.createElement("script");
        element.src = address;
        element.onload = done;
        element.onerror = function () {
          delete waiting[address];
          failed(new Error(address + " cannot be read"));
        };
        document.head.appendChild(element);
      });
    }
    return waiting[address];
  }

  function plotly() {
    return script(root + "assets/plotly.js").then(function () {
      return window.Plotly;
    });
  }

  function data(kind, address) {
    return script(address).then(function () {
      var parts = address.split("/");
      var method = parts[parts.length - 1].split(".")[0];
      return loaded[kind + " " + parts[parts.length - 2] + " " + method];
    });
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function layout(extra) {
    var axis = {
      gridcolor: colour("--grid"),
      zerolinecolor: colour("--line-strong"),
      linecolor: colour("--line-strong"),
      tickfont: { color: colour("--soft"), size: 11 },
      title: { font: { color: colour("--ink"), size: 12 }, standoff: 8 },
      fixedrange: false,
    };
    var base = {
      autosize: true,
      margin: { l: 48, r: 12, t: 8, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("--ink"), size: 12 },
      hoverlabel: { bgcolor: colour("--ink"), font: { color: colour("--paper") }, bordercolor: colour("--ink") },
      showlegend: false,
      dragmode: "zoom",
      xaxis: Object.assign({}, axis, extra.xaxis, { title: Object.assign({}, axis.title, extra.xaxis.title) }),
      yaxis: Object.assign({}, axis, extra.yaxis, { title: Object.assign({}, axis.title, extra.yaxis.title) }),
    };
    return Object.assign(base, extra.rest || {});
  }

  var CONFIG = { displaylogo: false, displayModeBar: false, responsive: true, showTips: false, doubleClick: "reset" };
  var drawn = [];

  // Plotly's picture in the place of the drawn one; drawn again when the colours change.
  function draw(place, tall, words, make) {
    return plotly().then(function (library) {
      var plot = document.createElement("div");
      plot.className = tall ? "plot tall" : "plot";
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", words);
      place.textContent = "";
      place.appendChild(plot);
      function paint() {
        var made = make();
        return library.react(plot, made.traces, made.layout, CONFIG);
      }
      drawn.push({ plot: plot, paint: paint });
      return paint();
    });
  }

  document.addEventListener("colours", function () {
    drawn = drawn.filter(function (own) {
      return own.plot.isConnected;
    });
    drawn.forEach(function (own) {
      own.paint();
    });
  });

  var AXES = {
    roc: ["false-positive rate (share of normal pixels)", "true-positive rate"],
    pr: ["recall (share of anomalous pixels)", "precision"],
    pro: ["false-positive rate (share of normal pixels)", "mean overlap of regions"],
    rbdc: ["false positives per frame", "share of regions detected"],
    tbdc: ["false positives per frame", "share of tracks detected"],
  };

  // lines: [{name, x, y, colour (a name of the style sheet), dash}]
  function curve(place, kind, lines, limit, words) {
    return draw(place, lines.length > 1, words, function () {
      var traces = lines.map(function (line) {
        return {
          x: line.x,
          y: line.y,
          name: line.name,
          type: "scatter",
          mode: "lines",
          line: { color: colour(line.colour), width: 2.2, dash: line.dash || "solid", shape: "linear" },
          fill: lines.length === 1 && (limit === null || limit >= 1) ? "tozeroy" : "none",
          fillcolor: colour(line.colour) + "1a",
          hovertemplate: "%{x:.3f}, %{y:.3f}<extra></extra>",
        };
      });
      var shapes = [];
      if (limit !== null && limit < 1) {
        shapes.push({ type: "line", x0: limit, x1: limit, y0: 0, y1: 1, line: { color: colour("--soft"), width: 1.2, dash: "dash" } });
      }
      if (kind === "roc") {
        shapes.push({ type: "line", x0: 0, x1: 1, y0: 0, y1: 1, line: { color: colour("--soft"), width: 1, dash: "dot" } });
      }
      return {
        traces: traces,
        layout: layout({
          xaxis: { title: { text: AXES[kind][0] }, range: [0, 1.01 * Math.max(1, limit || 0)] },
          yaxis: { title: { text: AXES[kind][1] }, range: [0, 1.02] },
          rest: { shapes: shapes },
        }),
      };
    });
  }

  function sectionOf(element) {
    return element.closest("section[data-method]");
  }

  function drawCurve(figure) {
    var section = sectionOf(figure);
    var kind = figure.dataset.curve;
    var caption = figure.querySelector("figcaption").textContent;
    return data("method", section.dataset.method).then(function (own) {
      var points = own.curves[kind];
      var line = { name: "", x: points.x, y: points.y, colour: "--data-1" };
      var limit = figure.dataset.limit ? Number(figure.dataset.limit) : null;
      return curve(figure.querySelector(".drawing"), kind, [line], limit, caption);
    });
  }

  function drawBars(figure) {
    var section = sectionOf(figure);
    var names = JSON.parse(figure.dataset.titles);
    return data("method", section.dataset.method).then(function (own) {
      var place = figure.querySelector(".drawing");
      var head = figure.querySelector("h4");
      var select = document.createElement("select");
      var label = document.createElement("label");
      label.append("Score ", select);
      names.forEach(function (pair) {
        if (own.clipValues[pair[0]]) select.add(new Option(pair[1], pair[0], false, pair[0] === figure.dataset.bars));
      });
      head.append(label);
      function show() {
        var key = select.value;
        var title = select.selectedOptions[0].textContent;
        var values = Array.from(window.vadbenchComparison.doubles(own.clipValues[key]), function (value) {
          return Number.isNaN(value) ? null : 100 * value;
        });
        head.firstChild.textContent = title + " of each clip ";
        place.setAttribute("aria-label", title + " of each clip");
        var whole = own.values[key];
        return draw(place, false, title + " of each clip, in per cent; the table below has the numbers", function () {
          return {
            traces: [
              {
                x: own.clips,
                y: values,
                type: "bar",
                marker: { color: colour("--data-1") },
                hovertemplate: "clip %{x}: %{y:.2f}<extra></extra>",
              },
            ],
            layout: layout({
              xaxis: { type: "category", title: { text: "clip" }, tickangle: own.clips.length > 16 ? -60 : 0 },
              yaxis: { title: { text: title + ", %" }, range: [0, 101] },
              rest: {
                bargap: 0.3,
                shapes:
                  whole === null
                    ? []
                    : [
                        {
                          type: "line",
                          xref: "paper",
                          x0: 0,
                          x1: 1,
                          y0: 100 * whole,
                          y1: 100 * whole,
                          line: { color: colour("--data-2"), width: 1.6 },
                        },
                      ],
              },
            }),
          };
        });
      }
      select.addEventListener("change", show);
      return show();
    });
  }

  function enlarge(button) {
    var section = sectionOf(button);
    var clip = button.dataset.timeline;
    var place = section.querySelector(".large-timeline");
    return data("timelines", section.dataset.timelines).then(function (own) {
      var frames = own.clips[clip];
      var read = function (text, none) {
        return text === null
          ? []
          : Array.from(window.vadbenchComparison.bytes(text), function (value) {
              return value === 255 ? none : value / 250;
            });
      };
      var ranks = read(frames.ranks, null);
      var f1 = read(frames.f1, null);
      var labels = frames.labels === null ? [] : window.vadbenchComparison.bytes(frames.labels);
      var bands = [];
      for (var i = 0; i < labels.length; i++) {
        if (!labels[i]) continue;
        var start = i;
        while (i + 1 < labels.length && labels[i + 1]) i += 1;
        bands.push([start - 0.5, i + 0.5]);
      }
      place.hidden = false;
      place.className = "large-timeline frame";
      place.textContent = "";
      var head = document.createElement("h4");
      head.textContent = "Clip " + clip;
      var drawing = document.createElement("div");
      place.append(head, drawing);
      place.scrollIntoView({ block: "nearest" });
      return draw(drawing, true, "Timeline of clip " + clip, function () {
        return {
          traces: [
            { y: f1, name: "Pixel-F1", type: "bar", marker: { color: colour("--data-2") }, hovertemplate: "frame %{x}: Pixel-F1 %{y:.2f}<extra></extra>" },
            { y: ranks, name: "frame score", type: "scatter", mode: "lines", line: { color: colour("--data-1"), width: 2, shape: "hvh" }, hovertemplate: "frame %{x}: rank %{y:.2f}<extra></extra>" },
          ],
          layout: layout({
            xaxis: { title: { text: "frame, from 0" } },
            yaxis: { title: { text: "rank of the score; Pixel-F1" }, range: [0, 1.02] },
            rest: {
              bargap: 0,
              hovermode: "x",
              shapes: bands.map(function (band) {
                return { type: "rect", layer: "below", x0: band[0], x1: band[1], yref: "paper", y0: 0, y1: 1, line: { width: 0 }, fillcolor: colour("--truth") };
              }),
            },
          }),
        };
      });
    });
  }

  function failed(error) {
    // The drawn picture is still there; the console says why it stays.
    console.warn(error.message);
  }

  window.vadbenchFigures = { script: script, data: data, curve: curve };

  var near = new IntersectionObserver(
    function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        near.unobserve(entry.target);
        (entry.target.dataset.curve ? drawCurve : drawBars)(entry.target).catch(failed);
      });
    },
    { rootMargin: "200px" }
  );
  document.querySelectorAll("figure[data-curve], figure[data-bars]").forEach(function (figure) {
    if (sectionOf(figure).dataset.method) near.observe(figure);
  });
  document.addEventListener("click", function (event) {
    var button = event.target instanceof Element ? event.target.closest("button[data-timeline]") : null;
    if (button) enlarge(button).catch(failed);
  });
})();
