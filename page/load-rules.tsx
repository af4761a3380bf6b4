/**
Other rules: a release with its options, or a dump that is pasted. No file is named, and none is opened by the server.
*/

import {useRef, useState} from 'preact/hooks';
import {defaultBackend} from '../src/netfilter/backends.js';
import {backends, type Backend} from '../src/netfilter/types.js';
import type {Action, Snapshot} from '../src/workshop/protocol.js';

/** What the form needs. `onDone` is told when the rules are loaded, or somebody has thought better of it. */
export type LoadProps = {readonly snapshot: Snapshot; readonly act: (action: Action) => Promise<boolean>; readonly onDone: () => void};

/** The form. */
export function LoadRules({snapshot: {releases, rules}, act, onDone}: LoadProps) {
	const newest = releases.at(-1) ?? '';
	const [input, setInput] = useState(rules?.source.startsWith('release:') === true ? rules.source : `release:${newest}`);
	const [backend, setBackend] = useState<Backend>(rules?.backend ?? defaultBackend);
	const [text, setText] = useState('');
	const [isLoading, setLoading] = useState(false);
	const form = useRef<HTMLFormElement>(null);
	const load = async (event: Event): Promise<void> => {
		event.preventDefault();
		setLoading(true);
		const isDone = await act({kind: 'rules', rules: text.trim() === '' ? {kind: 'generated', input: input.trim(), backend} : {kind: 'text', name: 'pasted rules', text}});
		setLoading(false);
		if (isDone) {
			onDone();
		}
	};

	return (
		<form ref={form} class='load' onSubmit={event => {
			void load(event);
		}} aria-label='Load other rules'>
			<h2>Other rules</h2>
			<label>Release and options of istio-iptables
				<input list='load-releases' value={input} spellcheck={false} autocomplete='off' disabled={text.trim() !== ''} onInput={({currentTarget}) => {
					setInput(currentTarget.value);
				}}/>
			</label>
			<datalist id='load-releases'>
				{releases.toReversed().map(name => <option key={name} value={`release:${name}`}/>)}
				<option value={`release:${newest} --redirect-dns`}/>
				<option value={`release:${newest} -u 64535,1337`}/>
				<option value={`release:${newest} -m TPROXY`}/>
				<option value={`release:${newest} -o 5432`}/>
				<option value={`ambient:${newest}`}/>
			</datalist>
			<label>Back end
				<select value={backend} disabled={text.trim() !== ''} onChange={({currentTarget}) => {
					setBackend(currentTarget.value as Backend);
				}}>{backends.map(name => <option key={name}>{name}</option>)}</select>
			</label>
			<label>Or paste a dump: iptables-save, nft list ruleset, an init container’s log
				<textarea rows={8} value={text} spellcheck={false} placeholder='*nat …' onInput={({currentTarget}) => {
					setText(currentTarget.value);
				}}/>
			</label>
			<div class='buttons'>
				<button type='submit' class='main' disabled={isLoading}>{isLoading ? 'Loading …' : 'Load'}</button>
				<button type='button' onClick={onDone}>Cancel</button>
			</div>
		</form>
	);
}
