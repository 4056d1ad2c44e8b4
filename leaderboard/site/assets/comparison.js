// The numbers of a comparison, apart from the page: paired intervals, sign-flip test, correction. No DOM in here.
(function (home) {
  "use strict";
  var MOST_EXACT = 16;
  var FLIPS = 20000;
  var ROUNDING = 1e-12;
  var EQUAL = 1e-9;
  // Resampled values come with 24 bits.
  var LEFT_OPEN = 1e-7;

  function bytes(text) {
    var raw = atob(text);
    var array = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) array[i] = raw.charCodeAt(i);
    return array;
  }

  // Middle 95 % of first - second in the same resamples; linear interpolation between order statistics.
  function pairedInterval(first, second, confidence) {
    var found = [];
    for (var i = 0; i < first.length; i++) {
      var difference = first[i] - second[i];
      if (!Number.isNaN(difference)) found.push(difference);
    }
    if (!found.length) return null;
    found.sort(function (a, b) {
      return a - b;
    });
    function quantile(share) {
      var place = share * (found.length - 1);
      var below = Math.floor(place);
      var above = Math.min(below + 1, found.length - 1);
      return found[below] + (place - below) * (found[above] - found[below]);
    }
    return {
      low: quantile((1 - confidence) / 2),
      high: quantile((1 + confidence) / 2),
      resamples: first.length,
      undefinedOnes: first.length - found.length,
    };
  }

  // A small generator with a seed (Mulberry32): the same p every time the page is opened.
  function generator(seed) {
    var state = seed >>> 0;
    return function () {
      state = (state + 0x6d2b79f5) >>> 0;
      var t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (t ^ (t >>> 14)) >>> 0;
    };
  }

  // Two-sided: how often do random signs make the sum of the differences as far from 0?
  function signFlip(differences, seed) {
    var moving = differences.filter(function (value) {
      return value !== 0;
    });
    var n = moving.length;
    if (!n) return { p: 1, exact: true, n: differences.length, moving: 0, flips: 1, leastP: 1 };
    var sum = 0;
    var size = 0;
    moving.forEach(function (value) {
      sum += value;
      size += Math.abs(value);
    });
    var least = Math.abs(sum) - ROUNDING * size;
    var hits = 0;
    var i;
    if (n <= MOST_EXACT) {
      // The first sign stays: a pattern and its opposite give sums of one size. Gray code: one sign changes at a time.
      var half = Math.pow(2, n - 1);
      var signs = new Float64Array(n).fill(1);
      for (var pattern = 0; pattern < half; pattern++) {
        var total = 0;
        for (i = 0; i < n; i++) total += signs[i] * moving[i];
        if (Math.abs(total) >= least) hits += 1;
        var next = pattern + 1;
        var bit = 0;
        while (bit < n - 1 && !(next & 1)) {
          next >>= 1;
          bit += 1;
        }
        if (bit < n - 1) signs[1 + bit] = -signs[1 + bit];
      }
      return { p: hits / half, exact: true, n: differences.length, moving: n, flips: 2 * half, leastP: Math.min(1, 2 / (2 * half)) };
    }
    var random = generator(seed);
    for (var flip = 0; flip < FLIPS; flip++) {
      var drawn = 0;
      var word = 0;
      for (i = 0; i < n; i++) {
        if (i % 32 === 0) word = random();
        drawn += (word >>> i % 32) & 1 ? moving[i] : -moving[i];
      }
      if (Math.abs(drawn) >= least) hits += 1;
    }
    return { p: (hits + 1) / (FLIPS + 1), exact: false, n: differences.length, moving: n, flips: FLIPS, leastP: 1 / (FLIPS + 1) };
  }

  // Clips that have a value of both, with the difference.
  function clipDifferences(clips, first, second) {
    var found = [];
    for (var i = 0; i < clips.length; i++) {
      var difference = first[i] - second[i];
      // Rounding of one sign would be significant on many clips.
      if (Math.abs(difference) <= EQUAL) difference = 0;
      if (!Number.isNaN(difference)) found.push({ clip: clips[i], place: i, difference: difference });
    }
    return found;
  }

  // A sign for a whole scene: the sums of the scenes' differences are what is flipped.
  function sceneSums(differences, scenes) {
    var sums = new Map();
    differences.forEach(function (clip) {
      var scene = scenes[clip.place];
      sums.set(scene, (sums.get(scene) || 0) + clip.difference);
    });
    return Array.from(sums.keys())
      .sort()
      .map(function (scene) {
        return sums.get(scene);
      });
  }

  function leavesOutZero(interval) {
    return interval.low > LEFT_OPEN || interval.high < -LEFT_OPEN;
  }

  home.vadbenchComparison = {
    floats: function (text) {
      return new Float32Array(bytes(text).buffer);
    },
    doubles: function (text) {
      return new Float64Array(bytes(text).buffer);
    },
    bytes: bytes,
    pairedInterval: pairedInterval,
    signFlip: signFlip,
    clipDifferences: clipDifferences,
    sceneSums: sceneSums,
    leavesOutZero: leavesOutZero,
    bonferroni: function (p, pairs) {
      return Math.min(1, p * pairs);
    },
  };
})(typeof window === "undefined" ? globalThis : window);
