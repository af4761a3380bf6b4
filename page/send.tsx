/**
What is sent: the mesh's types, any other connection, and what was sent so far.
*/

import {useState} from 'preact/hooks';
import type {
	Action, Outcome, Question, Snapshot, TypeRow,
} from '../src/workshop/protocol.js';

/** The sign of an outcome, and its word. */
export const outcomeWords = {
	pass: '✔ as intended', fail: '✖ not as intended', inconclusive: '? inconclusive', seen: '○ seen',
} as const satisfies Record<Outcome, string>;

/** An outcome as a badge. */
export function Badge({outcome, isShort = false}: {readonly outcome: Outcome; readonly isShort?: boolean}) {
	return <span class={`badge ${outcome}`} title={outcomeWords[outcome]}>{isShort ? <><span aria-hidden='true'>{outcomeWords[outcome].slice(0, 1)}</span><span class='hidden'>{outcomeWords[outcome].slice(2)}</span></> : outcomeWords[outcome]}</span>;
}

/** What the panel needs. `verb` is what its buttons do with a question. */
export type SendProps = {readonly snapshot: Snapshot; readonly verb: 'Send' | 'Guess'; readonly ask: ((question: Question) => void) | undefined};

/** The types as buttons with what came of them, before and now. */
export function TypeButtons({snapshot: {types, now}, verb, ask}: SendProps) {
	return (
		<div class='types' role='group' aria-label='Types of traffic'>
			{types.map((row, index) => (
				<button key={row.id} type='button' class={now?.question.kind === 'type' && now.question.type === row.id ? 'chosen' : ''} disabled={ask === undefined} title={row.reason === '' ? `${verb}: key ${index + 1}` : row.reason} onClick={() => {
					ask?.({kind: 'type', type: row.id});
				}}>
					<span class='id'>{row.id}</span>
					{verb === 'Guess' ? <span/> : <Change row={row}/>}
					<span class='legend'>{row.legend}</span>
				</button>
			))}
		</div>
	);
}

function Change({row: {before, now}}: {readonly row: TypeRow}) {
	if (now === null) {
		return null;
	}

	return (
		<span class='change'>
			{before === null || before === now ? null : <><Badge outcome={before} isShort/> <span aria-hidden='true'>→</span><span class='hidden'>, now</span> </>}
			<Badge outcome={now} isShort/>
		</span>
	);
}

const senders = ['app', 'proxy', 'agent', 'remote', 'istiod', 'prometheus'] as const;
const places = ['pod', 'remote', 'vip', 'remote-vip', 'localhost', 'istiod', 'prometheus', 'resolver'] as const;

/** Any connection. */
export function ConnectionForm({snapshot: {users, rules}, verb, ask}: SendProps) {
	const [from, setFrom] = useState<typeof senders[number]>('app');
	const [to, setTo] = useState('remote');
	const [port, setPort] = useState('8080');
	const [uid, setUid] = useState('');
	const [gid, setGid] = useState('');
	const [protocol, setProtocol] = useState<'tcp' | 'udp'>('tcp');
	const number = (text: string): number | undefined => /^\d+$/u.test(text.trim()) ? Number(text) : undefined;
	const submit = (event: Event): void => {
		event.preventDefault();
		const host = to.trim();
		const [own, group] = [number(uid), number(gid)];
		ask?.({
			kind: 'connection', from, to: `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port.trim()}`, protocol, ...(own === undefined ? {} : {uid: own}), ...(group === undefined ? {} : {gid: group}),
		});
	};

	return (
		<form class='connection' onSubmit={submit} aria-label='Another connection'>
			<label>From <select value={from} onChange={({currentTarget}) => {
				setFrom(currentTarget.value as typeof from);
			}}>{senders.map(name => <option key={name}>{name}</option>)}</select></label>
			<label>UID <input inputMode='numeric' size={6} value={uid} placeholder={String(users[from]?.uid ?? '')} onInput={({currentTarget}) => {
				setUid(currentTarget.value);
			}}/></label>
			<label>GID <input inputMode='numeric' size={6} value={gid} placeholder={uid === '' ? String(users[from]?.gid ?? '') : uid} onInput={({currentTarget}) => {
				setGid(currentTarget.value);
			}}/></label>
			<label>to <input list='places' size={14} value={to} spellcheck={false} autocomplete='off' onInput={({currentTarget}) => {
				setTo(currentTarget.value);
			}}/></label>
			<datalist id='places'>{places.map(name => <option key={name} value={name}/>)}</datalist>
			<label>port <input inputMode='numeric' size={5} value={port} onInput={({currentTarget}) => {
				setPort(currentTarget.value);
			}}/></label>
			<label><span class='hidden'>Protocol</span><select value={protocol} onChange={({currentTarget}) => {
				setProtocol(currentTarget.value as typeof protocol);
			}}><option value='tcp'>TCP</option><option value='udp'>UDP</option></select></label>
			<span class='family'>{rules?.family === 'ipv6' ? 'IPv6' : 'IPv4'}</span>
			<button type='submit' class='main' disabled={ask === undefined}>{verb}</button>
		</form>
	);
}

/** What was sent, the newest first. */
export function SentList({snapshot: {sent}}: {readonly snapshot: Snapshot}) {
	return sent.length === 0
		? <p class='dim'>Nothing was sent yet.</p>
		: (
			<div class='scroll' tabIndex={0} role='region' aria-label='Connections so far'>
				<table class='sent'>
					<thead><tr><th scope='col'>outcome</th><th scope='col'>connection</th><th scope='col'>path</th><th scope='col'>rules that decided</th><th scope='col'>under</th><th scope='col'>ms</th></tr></thead>
					<tbody>
						{sent.map(({id, name, rules, outcome, stops, deciding, durationMs}) => (
							<tr key={id}><td><Badge outcome={outcome}/></td><td>{name}</td><td><code>{stops}</code></td><td><code>{deciding}</code></td><td>{rules}</td><td class='count'>{durationMs}</td></tr>
						))}
					</tbody>
				</table>
			</div>
		);
}

/** What the page asks the server for a question. */
export function askWith(act: (action: Action) => Promise<boolean>, kind: 'send' | 'predict'): (question: Question) => void {
	return question => {
		void act({kind, question});
	};
}
