/* The sheet as text, by the name under which the builder does not take it apart: what it would wrap round it is other
 * people's code, more than the sheet itself. */
import css from './index.raw.css!=!./index.css';

const sheet = document.createElement('style');
sheet.textContent = css;
document.head.append(sheet);
