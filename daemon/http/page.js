// Fetches the page again and puts its main part in place; what is folded open stays open.
(function () {
  'use strict';
  var stale = document.getElementById('stale');
  var folded = {};

  // Only what a person folded is remembered; keys arrive as clicks, too.
  document.addEventListener('click', function (event) {
    var summary = event.target.closest && event.target.closest('summary');
    var details = summary && summary.parentElement;
    if (details && details.id) setTimeout(function () { folded[details.id] = details.open; }, 0);
  });

  function restore(main) {
    main.querySelectorAll('details[id]').forEach(function (details) {
      if (details.id in folded) details.open = folded[details.id];
    });
  }

  function isBusy() {
    var selection = window.getSelection();
    return document.hidden || (selection && String(selection).length > 0);
  }

  function refresh() {
    if (isBusy()) return Promise.resolve();
    return fetch(location.pathname, {cache: 'no-store'}).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, 'text/html');
      var main = document.querySelector('main'), next = fresh.querySelector('main');
      var focused = document.activeElement && document.activeElement.parentElement;
      restore(next);
      main.replaceWith(document.adoptNode(next));
      document.title = fresh.title;
      document.querySelector('header').replaceChildren.apply(
        document.querySelector('header'), Array.from(fresh.querySelector('header').childNodes));
      stale = document.getElementById('stale');
      if (focused && focused.id && document.getElementById(focused.id)) {
        var summary = document.getElementById(focused.id).querySelector('summary');
        if (summary) summary.focus({preventScroll: true});
      }
    }).catch(function () {
      stale.classList.add('shown');
    });
  }

  // A page that takes long to make is asked for less often.
  function again() {
    var begun = Date.now();
    function later() { setTimeout(again, Math.max(3000, 20 * (Date.now() - begun))); }
    refresh().then(later, later);
  }

  setTimeout(again, 3000);
})();
