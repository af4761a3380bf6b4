/**
The head line: which rules these are, who may act, how it looks, and what to share.
*/

import {useState} from 'preact/hooks';
import {fragmentOf} from '../src/workshop/link.js';
import type {Action, Panel, Snapshot} from '../src/workshop/protocol.js';
import type {Settings} from './settings.js';

/** What the head line needs. `act` is not there for who only watches. */
export type HeaderProps = {
	readonly snapshot: Snapshot;
	readonly panels: readonly Panel[];
	readonly settings: Settings;
	readonly isConnected: boolean;
	readonly act: ((action: Action) => Promise<boolean>) | undefined;
	readonly onSettings: (settings: Settings) => void;
	readonly onPanel: (panel: Panel) => void;
	readonly onLoad: () => void;
	readonly onHelp: () => void;
};

const panelNames: Readonly<Record<Panel, string>> = {
	send: 'Send', predict: 'Predict', compare: 'Compare', lesson: 'Lessons',
};

const sizes: ReadonlyArray<Settings['size']> = ['normal', 'large', 'huge'];
const themes: ReadonlyArray<Settings['theme']> = ['system', 'light', 'dark'];

/** The head line. */
export function Header({snapshot, panels, settings, isConnected, act, onSettings, onPanel, onLoad, onHelp}: HeaderProps) {
	const {rules, view, busy, watchers, canUndo, canRedo, shared} = snapshot;
	const [said, setSaid] = useState('');
	const copy = async (): Promise<void> => {
		const fragment = shared === null ? undefined : fragmentOf(shared);
		if (fragment === undefined) {
			setSaid('Too long for a link: take the scenario file.');
			return;
		}

		const link = `${location.origin}/${fragment}`;
		location.hash = fragment;
		try {
			await navigator.clipboard.writeText(link);
			setSaid('The link is copied.');
		} catch {
			setSaid('The link stands in the address bar.');
		}
	};

	return (
		<header>
			<h1><span class='name'>testbed</span> {rules === null ? null : <span class='source' title={rules.identity}>{rules.source}, {rules.backend}{rules.edits.length === 0 ? null : <em> + {rules.edits.length} {rules.edits.length === 1 ? 'change' : 'changes'}</em>}</span>}</h1>
			<nav aria-label='What to do'>
				{panels.map(panel => <button key={panel} type='button' class={view.panel === panel ? 'chosen' : ''} aria-pressed={view.panel === panel} disabled={act === undefined} onClick={() => {
					onPanel(panel);
				}}>{panelNames[panel]}</button>)}
			</nav>
			{act === undefined
				? <p class='role'>You are watching.</p>
				: (
					<div class='buttons' role='group' aria-label='Rules'>
						<button type='button' onClick={onLoad} title='Other rules (l)'>Load</button>
						<button type='button' disabled={!canUndo} onClick={() => {
							void act({kind: 'undo'});
						}} title='Undo the last change (u)'>Undo</button>
						<button type='button' disabled={!canRedo} onClick={() => {
							void act({kind: 'redo'});
						}} title='Make it again (y)'>Redo</button>
						{rules !== null && rules.families.length > 1
							? <button type='button' onClick={() => {
								void act({kind: 'family', family: rules.family === 'ipv4' ? 'ipv6' : 'ipv4'});
							}} title='The other family (f)'>{rules.family === 'ipv4' ? 'IPv4' : 'IPv6'}</button>
							: null}
					</div>
				)}
			<div class='buttons' role='group' aria-label='Page'>
				<button type='button' onClick={() => {
					void copy();
				}} title='A link to this state'>Link</button>
				<a class='button' href='/api/scenario' download>File</a>
				<button type='button' onClick={() => {
					onSettings({...settings, size: sizes[(sizes.indexOf(settings.size) + 1) % sizes.length]!});
				}} title={`Type size: ${settings.size} (+)`}><span aria-hidden='true'>A{'+'.repeat(sizes.indexOf(settings.size))}</span><span class='hidden'>Type size: {settings.size}</span></button>
				<button type='button' onClick={() => {
					onSettings({...settings, theme: themes[(themes.indexOf(settings.theme) + 1) % themes.length]!});
				}} title={`Colors: ${settings.theme} (t)`} aria-label={`Colors: ${settings.theme}`}>{settings.theme === 'dark' ? '☾' : (settings.theme === 'light' ? '☀' : '◐')}</button>
				<button type='button' onClick={onHelp} title='Keys (?)' aria-label='Keys'>?</button>
			</div>
			<p class='status' aria-live='polite'>{isConnected ? (busy === null ? said : `${busy} …`) : 'no connection to the server'}{watchers > 1 ? <span class='watchers' title='Pages that look on'>{watchers} pages</span> : null}</p>
		</header>
	);
}
