/** The page of `testbed serve`. */

import {render} from 'preact';
import {App} from './app.js';
import {applySettings, loadSettings} from './settings.js';

applySettings(loadSettings());
const root = document.querySelector('#page')!;
root.replaceChildren();
render(<App/>, root);
