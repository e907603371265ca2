// Runs once in each HTML part of the page, with Gradio's `element`, `trigger` and `watch`.
// A button with data-event="x" sends its other data- attributes to the handler of x. The events:
// 'show' 'example' 'close_source' 'ask_remove' 'remove' 'keep' 'wrong'
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
  const mark = panel.querySelector('mark');
  const text = panel.querySelector('.source-text');
  if (mark) {
    const above = mark.getBoundingClientRect().top - text.getBoundingClientRect().top;
    text.scrollTop += above - text.clientHeight / 4;
  } else if (text) {
    text.scrollTop = 0;
  }
  panel.scrollIntoView({ block: 'nearest' });
  (mark || text || panel.querySelector('.close')).focus({ preventScroll: true });
}

// Removing: the question gets the focus.
function askRemove() {
  const asking = bySelector('.asking .quiet');
  if (asking && !element.contains(document.activeElement)) asking.focus();
}

watch('value', () => {
  if (bySelector('.log')) followAnswer();
  if (bySelector('.source')) showSource();
  if (bySelector('.document-list')) askRemove();
});

document.addEventListener('keydown', (key) => {
  if (key.key === 'Escape' && bySelector('.source[data-nonce]')) trigger('close_source', {});
});
