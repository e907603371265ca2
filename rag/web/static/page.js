// Runs once in each HTML part of the page, with Gradio's `element`, `trigger` and `watch`.
// A button with data-event="x" sends its other data- attributes to the handler of x. The events:
// 'show' 'example' 'close_source' 'ask_remove' 'remove' 'keep' 'wrong' 'cancel_work' 'dismiss' 'look'
const bySelector = (selector) => element.querySelector(selector);

element.addEventListener('click', (click) => {
  const button = click.target.closest('[data-event]');
  if (!button) return;
  const { event, ...data } = button.dataset;
  trigger(event, data);
});

// The conversation: bring a new question into view and follow its answer, until the user scrolls.
let turns = 0;
let follow = true;
for (const moved of ['wheel', 'touchmove']) {
  element.addEventListener(moved, () => { follow = false; }, { passive: true });
}

function followAnswer() {
  const all = element.querySelectorAll('.turn');
  if (all.length > turns) follow = true;
  turns = all.length;
  if (follow && turns) all[turns - 1].scrollIntoView({ block: 'nearest' });
}

// The pages of a source: shown as they look or as text, large or to the width; the choice stays.
let view = 'page';
let larger = false;

function showPages(panel) {
  const pages = panel.querySelector('.source-page');
  if (!pages) return;
  panel.dataset.view = view;
  pages.classList.toggle('larger', larger);
  for (const tab of panel.querySelectorAll('.tab')) {
    tab.setAttribute('aria-pressed', tab.dataset.shows ? tab.dataset.shows === view : larger);
  }
  const spot = pages.querySelector('.spot');
  if (!spot || view !== 'page') return;
  const at = spot.getBoundingClientRect();
  const around = pages.getBoundingClientRect();
  pages.scrollTop += at.top - around.top - pages.clientHeight / 3;
  pages.scrollLeft += at.left - around.left - 16;
}

function scrollToMark(panel) {
  const mark = panel.querySelector('mark');
  const text = panel.querySelector('.source-text');
  if (mark) {
    const above = mark.getBoundingClientRect().top - text.getBoundingClientRect().top;
    text.scrollTop += above - text.clientHeight / 4;
  } else if (text) {
    text.scrollTop = 0;
  }
}

element.addEventListener('click', (click) => {
  const panel = click.target.closest('.source');
  const tab = click.target.closest('.tab');
  if (!panel || !(tab || click.target.closest('figure'))) return;
  if (tab && tab.dataset.shows) view = tab.dataset.shows;
  else larger = !larger;
  showPages(panel);
  if (view === 'text') scrollToMark(panel);
});

// A page has its height only when its picture is there. One that cannot be shown gives way.
element.addEventListener('load', (event) => {
  const panel = event.target.closest('.source');
  if (panel) showPages(panel);
}, true);
element.addEventListener('error', (event) => {
  const panel = event.target.closest('.source');
  if (!panel) return;
  panel.querySelectorAll('.tabs, .source-page').forEach((part) => part.remove());
  delete panel.dataset.view;
  scrollToMark(panel);
}, true);

// The source: scroll to the marked words, take the focus there and give it back on closing.
let shown = null;
let opener = null;

function showSource() {
  const panel = bySelector('.source[data-nonce]');
  if (!panel) {
    if (opener && opener.isConnected) opener.focus();
    opener = shown = null;
    return;
  }
  if (panel.dataset.nonce === shown) return;
  shown = panel.dataset.nonce;
  if (!element.contains(document.activeElement)) opener = document.activeElement;
  showPages(panel);
  scrollToMark(panel);
  panel.scrollIntoView({ block: 'nearest' });
  const parts = panel.dataset.view === 'page' ? ['.source-page'] : ['mark', '.source-text', '.close'];
  parts.map((part) => panel.querySelector(part)).find(Boolean).focus({ preventScroll: true });
}

// Work on the documents: while some goes on, and this page is seen, ask again how far it is. A page
// that comes into view asks once, for others may have begun some.
let seconds = 0;

function look() {
  if (!document.hidden && element.isConnected) trigger('look', {});
}

if (element.closest('#status')) {
  setInterval(() => {
    const works = bySelector('[data-look]');
    if (works && ++seconds % works.dataset.look === 0) look();
  }, 1000);
  document.addEventListener('visibilitychange', look);
  window.addEventListener('focus', look);
}

// Removing: a question that comes up gets the focus, on the button that keeps the document. Gradio
// may have left it on a button that was another one before.
let asked = null;
function askRemove() {
  const asking = bySelector('.asking');
  const question = asking && asking.getAttribute('aria-label');
  if (question && question !== asked) asking.querySelector('.quiet').focus();
  asked = question;
}

watch('value', () => {
  if (bySelector('.log')) followAnswer();
  if (bySelector('.source')) showSource();
  if (bySelector('.document-list')) askRemove();
});

document.addEventListener('keydown', (key) => {
  if (key.key === 'Escape' && bySelector('.source[data-nonce]')) trigger('close_source', {});
});
