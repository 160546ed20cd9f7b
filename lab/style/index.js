/* The sheets as text, by names under which the builder does not take them apart: what it would wrap round them is other
 * people's code, more than the sheets themselves. So they cannot @import each other; tests/browser/view.html lists them
 * too. */
import index from './index.raw.css!=!./index.css';
import plots from './plots.raw.css!=!./plots.css';
import texts from './texts.raw.css!=!./texts.css';

const sheet = document.createElement('style');
sheet.textContent = index + plots + texts;
document.head.append(sheet);
