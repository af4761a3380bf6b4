/**
The rules as the kernel holds them, and what can be changed of each.
*/

import {useEffect, useRef, useState} from 'preact/hooks';
import type {
	Action, RuleAt, RuleEdit, ShownChain, ShownRule, ShownRules,
} from '../src/workshop/protocol.js';

/** Where the packet is: the rule that is asked now. */
export type CurrentRule = {readonly table: string; readonly chain: string; readonly number: number | null} | null;

/** What the list needs. `act` is not there for who only watches. */
export type RulesProps = {readonly rules: ShownRules; readonly current: CurrentRule; readonly act: ((action: Action) => Promise<boolean>) | undefined};

/** All chains, the head line above them. Arrow keys go from rule to rule, Enter opens one, Delete deletes it, Alt with an arrow moves it. A rule that reads the same in the other family is changed in both, unless somebody wants otherwise. */
export function Rules({rules, current, act}: RulesProps) {
	const [open, setOpen] = useState('');
	const [isForBoth, setForBoth] = useState(true);
	const list = useRef<HTMLDivElement>(null);
	const chains = rules.chains.filter(chain => chain.rules.length > 0 || chain.gone.length > 0);
	const first = chains.find(chain => chain.rules.length > 0);

	useEffect(() => {
		const row = list.current?.querySelector('.current');
		if (row !== null && row !== undefined) {
			scrollWithin(list.current!.closest('.rules'), row);
		}
	}, [current?.chain, current?.number]);

	const onKey = (event: KeyboardEvent): void => {
		const row = (event.target as HTMLElement).closest<HTMLElement>('[data-rule]');
		if (row === null || row !== event.target || event.ctrlKey || event.metaKey) {
			return;
		}

		const rows = [...list.current!.querySelectorAll<HTMLElement>('[data-rule]')];
		const place = rows.indexOf(row);
		const at = atOf(row);
		const edit = (change: RuleEdit): void => {
			void act?.({kind: 'edit', edit: inFamilies(change, isForBoth && row.dataset['counterpart'] === 'true')});
		};

		if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !event.altKey) {
			event.preventDefault();
			rows[place + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
		} else if (event.key === 'Enter') {
			event.preventDefault();
			setOpen(open === keyOf(at) ? '' : keyOf(at));
		} else if (event.key === 'Delete') {
			event.preventDefault();
			edit({kind: 'delete', at});
		} else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
			event.preventDefault();
			edit({kind: 'move', at, to: at.number + (event.key === 'ArrowDown' ? 1 : -1)});
		}
	};

	return (
		<div class='rule-list' ref={list} onKeyDown={onKey}>
			{chains.map(chain => (
				<section key={`${chain.family} ${chain.table} ${chain.name}`} class='chain' aria-label={`Chain ${chain.name} of table ${chain.table}`}>
					<h2><span>{chain.name}</span> <small>{chain.table}{chain.policy === null ? '' : `, policy ${chain.policy}`}</small></h2>
					<ol>
						{chain.rules.map(rule => {
							const at: RuleAt = {family: chain.family, table: chain.table, chain: chain.name, number: rule.number};
							const isCurrent = current !== null && current.table === chain.table && current.chain === chain.name && current.number === rule.number;
							const isOpen = open === keyOf(at);
							return (
								<li key={rule.number} class={[isCurrent ? 'current' : '', rule.isNew ? 'new' : ''].join(' ').trim()}>
									<div
										class='rule'
										data-rule={keyOf(at)}
										data-counterpart={rule.hasCounterpart}
										role='button'
										tabIndex={chain === first && rule.number === 1 ? 0 : -1}
										aria-expanded={isOpen}
										aria-label={`${chain.name} rule ${rule.number}: ${rule.text}${rule.purpose === null ? '' : `. ${rule.purpose}`}${rule.isNew ? '. New.' : ''}`}
										title={rule.purpose ?? undefined}
										onClick={() => {
											setOpen(isOpen ? '' : keyOf(at));
										}}
									>
										<span class='number'>{rule.number}</span>
										<code>{rule.text === '' ? 'every packet' : rule.text}</code>
									</div>
									{isOpen
										? <RuleEditor chain={chain} rule={rule} at={at} isForBoth={isForBoth} onForBoth={setForBoth} act={act} onGone={to => {
											setOpen(to === null ? '' : keyOf({...at, number: to}));
										}}/>
										: null}
								</li>
							);
						})}
						{chain.gone.map(text => <li key={`gone ${text}`} class='gone'><div class='rule'><span class='number'>−</span><code><del>{text}</del></code></div></li>)}
					</ol>
				</section>
			))}
		</div>
	);
}

/** Scrolls a box until it shows a row of its own. A box that is as long as its content stays, and the page with it: the drawing must not go out of sight. */
function scrollWithin(box: Element | null, row: Element): void {
	if (box === null || box.scrollHeight <= box.clientHeight) {
		return;
	}

	const [outer, inner] = [box.getBoundingClientRect(), row.getBoundingClientRect()];
	box.scrollBy({top: Math.min(0, inner.top - outer.top) + Math.max(0, inner.bottom - outer.bottom)});
}

/** A change in one family, or in both. */
function inFamilies(change: RuleEdit, inBoth: boolean): RuleEdit {
	return inBoth ? {...change, inBoth} : change;
}

function keyOf({family, table, chain, number}: RuleAt): string {
	return `${family} ${table} ${chain} ${number}`;
}

function atOf(row: HTMLElement): RuleAt {
	const [family, table, chain, number] = row.dataset['rule']!.split(' ') as [RuleAt['family'], string, string, string];
	return {family, table, chain, number: Number(number)};
}

type EditorProps = {readonly chain: ShownChain; readonly rule: ShownRule; readonly at: RuleAt; readonly isForBoth: boolean; readonly onForBoth: (isForBoth: boolean) => void; readonly act: RulesProps['act']; /** The rule is somewhere else now, or nowhere. */ readonly onGone: (to: number | null) => void};

/** What a rule is for, and everything that can be done with it. */
function RuleEditor({chain, rule, at, isForBoth, onForBoth, act, onGone}: EditorProps) {
	const [text, setText] = useState(rule.text);
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		box.current?.scrollIntoView({block: 'nearest'});
	}, []);
	const edit = async (change: RuleEdit): Promise<void> => {
		if (await act?.({kind: 'edit', edit: inFamilies(change, isForBoth && rule.hasCounterpart)}) === true && (change.kind === 'delete' || change.kind === 'move')) {
			onGone(change.kind === 'move' ? change.to : null);
		}
	};

	return (
		<div class='editor' ref={box}>
			{rule.purpose === null ? <p class='purpose'>No rule that a sidecar writes.</p> : <p class='purpose'>{rule.purpose}</p>}
			{act === undefined
				? null
				: (
					<>
						{rule.hasCounterpart
							? (
								<label class='both'><input type='checkbox' checked={isForBoth} onChange={({currentTarget}) => {
									onForBoth(currentTarget.checked);
								}}/> IPv4 and IPv6: both have this rule, change both</label>
							)
							: null}
						<div class='buttons'>
							<button type='button' onClick={() => {
								void edit({kind: 'delete', at});
							}}>Delete</button>
							<button type='button' disabled={rule.number === 1} onClick={() => {
								void edit({kind: 'move', at, to: rule.number - 1});
							}}>Move up</button>
							<button type='button' disabled={rule.number === chain.rules.length} onClick={() => {
								void edit({kind: 'move', at, to: rule.number + 1});
							}}>Move down</button>
						</div>
						{rule.values.map(({condition, name, value, canNegate, canChange}) => (
							<ValueEditor
								key={`${condition ?? 'target'} ${value}`}
								name={name}
								value={value}
								onChange={canChange
									? changed => {
										void edit({kind: 'value', at, ...(condition === null ? {} : {condition}), value: changed});
									}
									: undefined}
								onNegate={canNegate
									? () => {
										void edit({kind: 'negate', at, condition: condition!});
									}
									: undefined}
							/>
						))}
						<form class='line' onSubmit={event => {
							event.preventDefault();
							void edit({kind: 'text', at, text});
						}}>
							<label>Rule <input value={text} spellcheck={false} autocomplete='off' onInput={({currentTarget}) => {
								setText(currentTarget.value);
							}}/></label>
							<button type='submit' disabled={text === rule.text}>Replace</button>
							<button type='button' disabled={text.trim() === ''} onClick={() => {
								void edit({kind: 'insert', at, text});
							}}>Add above</button>
						</form>
					</>
				)}
		</div>
	);
}

type ValueProps = {readonly name: string; readonly value: string; readonly onChange: ((value: string) => void) | undefined; readonly onNegate: (() => void) | undefined};

function ValueEditor({name, value, onChange, onNegate}: ValueProps) {
	const own = value.replace(/^! /u, '');
	const [typed, setTyped] = useState(own);
	return (
		<form class='line' onSubmit={event => {
			event.preventDefault();
			onChange?.(typed);
		}}>
			<label>{name} <input value={typed} readOnly={onChange === undefined} spellcheck={false} autocomplete='off' onInput={({currentTarget}) => {
				setTyped(currentTarget.value);
			}}/></label>
			{onChange === undefined ? null : <button type='submit' disabled={typed === own}>Change</button>}
			{onNegate === undefined ? null : <button type='button' aria-pressed={value.startsWith('! ')} onClick={onNegate}>Not</button>}
		</form>
	);
}
