/**
Two rule sets: what moved between them, each with a packet that shows it.
*/

import {useEffect, useState} from 'preact/hooks';
import {defaultBackend} from '../src/netfilter/backends.js';
import {backends, type Backend} from '../src/netfilter/types.js';
import type {
	Action, MoveDrawings, RulesChoice, Snapshot,
} from '../src/workshop/protocol.js';
import {Drawing} from './drawing.js';
import {loadDrawings} from './server.js';

/** What the form and the result need. `act` is not there for who only watches. */
export type CompareProps = {readonly snapshot: Snapshot; readonly act: ((action: Action) => Promise<boolean>) | undefined};

/** Which two. The rules that are loaded can be one of them. */
export function CompareForm({snapshot: {releases, shared, rules}, act}: CompareProps) {
	const newest = releases.at(-1) ?? '';
	const [from, setFrom] = useState(`release:${releases.at(-8) ?? newest}`);
	const [to, setTo] = useState(`release:${newest}`);
	const [fromBackend, setFromBackend] = useState<Backend>(defaultBackend);
	const [toBackend, setToBackend] = useState<Backend>(defaultBackend);
	const choice = (input: string, backend: Backend): RulesChoice => input === '' && shared !== null ? shared.rules : {kind: 'generated', input, backend};
	const submit = (event: Event): void => {
		event.preventDefault();
		void act?.({kind: 'compare', from: choice(from, fromBackend), to: choice(to, toBackend)});
	};

	return (
		<form class='compare-form' onSubmit={submit} aria-label='Compare two rule sets'>
			<Side label='from' input={from} backend={fromBackend} placeholder={rules?.source} onInput={setFrom} onBackend={setFromBackend}/>
			<Side label='to' input={to} backend={toBackend} placeholder={rules?.source} onInput={setTo} onBackend={setToBackend}/>
			<button type='submit' class='main' disabled={act === undefined}>Compare</button>
			<datalist id='releases'>{releases.toReversed().map(name => <option key={name} value={`release:${name}`}/>)}</datalist>
		</form>
	);
}

type SideProps = {
	readonly label: string;
	readonly input: string;
	readonly backend: Backend;
	readonly placeholder: string | undefined;
	readonly onInput: (input: string) => void;
	readonly onBackend: (backend: Backend) => void;
};

function Side({label, input, backend, placeholder, onInput, onBackend}: SideProps) {
	return (
		<fieldset>
			<legend>{label}</legend>
			<label><span class='hidden'>Rules {label}</span><input list='releases' value={input} size={22} spellcheck={false} autocomplete='off' placeholder={placeholder} onInput={({currentTarget}) => {
				onInput(currentTarget.value);
			}}/></label>
			<label><span class='hidden'>Back end {label}</span><select value={backend} onChange={({currentTarget}) => {
				onBackend(currentTarget.value as Backend);
			}}>{backends.map(name => <option key={name}>{name}</option>)}</select></label>
		</fieldset>
	);
}

/** What moved. The chosen move is drawn before and after. */
export function ComparisonResult({snapshot: {comparison, view}, act}: CompareProps) {
	const [drawings, setDrawings] = useState<MoveDrawings | null>(null);
	const id = comparison?.id ?? 0;
	const isComplete = comparison?.state === 'complete';
	const place = Math.min(view.example, Math.max(0, (comparison?.moves.length ?? 0) - 1));

	useEffect(() => {
		setDrawings(null);
		if (isComplete && (comparison?.moves.length ?? 0) > 0) {
			void show(id, place, setDrawings);
		}
	}, [id, isComplete, place]);

	if (comparison === null) {
		return <p class='dim'>Choose two rule sets. Packets of every class that either of them tells apart go through both.</p>;
	}

	const {from, to, rules, summary, moves, gaps, outcome, state} = comparison;
	return (
		<section class='comparison' aria-label='Comparison' aria-busy={state === 'sending'}>
			<h2><span>{from}</span> → <span>{to}</span></h2>
			<p class={`summary ${outcome === 'equal' ? 'pass' : (outcome === 'moved' ? 'fail' : 'inconclusive')}`} aria-live='polite'><strong>{summary}</strong></p>
			{moves.length === 0
				? null
				: (
					<ol class='moves'>
						{moves.map(({severity, sentence}, index) => (
							<li key={sentence}><button type='button' class={index === place ? 'chosen' : ''} aria-pressed={index === place} disabled={act === undefined} onClick={() => {
								void act?.({kind: 'view', view: {...view, example: index}});
							}}><span class='severity'>{severity}</span> {sentence}</button></li>
						))}
					</ol>
				)}
			{gaps.length === 0 ? null : <ul class='gaps'>{gaps.slice(0, 20).map(gap => <li key={gap}>{gap}</li>)}</ul>}
			{drawings === null
				? null
				: (
					<div class='pair'>
						{drawings.before === null ? <p>No packet was seen before.</p> : <Drawing id='before' connection={drawings.before} caption={`before: ${from}`}/>}
						{drawings.after === null ? <p>No packet was seen after.</p> : <Drawing id='after' connection={drawings.after} caption={`after: ${to}`}/>}
					</div>
				)}
			<details open={moves.length === 0}>
				<summary>What the rules differ in ({rules.length})</summary>
				{rules.length === 0 ? <p>Nothing.</p> : <ul class='differences'>{rules.map(line => <li key={line}>{line}</li>)}</ul>}
			</details>
		</section>
	);
}

async function show(id: number, place: number, set: (drawings: MoveDrawings | null) => void): Promise<void> {
	set(await loadDrawings(id, place));
}
