/**
The page: left the rules as the kernel holds them, right the drawing, below the connections. Who acts leads; everybody else sees the same.
*/

import {useCallback, useEffect, useState} from 'preact/hooks';
import {dataOfFragment} from '../src/workshop/link.js';
import type {
	Action, Answer, Panel, Question, SharedState, Snapshot,
} from '../src/workshop/protocol.js';
import {CompareForm, ComparisonResult} from './compare.js';
import {Drawing} from './drawing.js';
import {Header} from './header.js';
import {Help} from './help.js';
import {useKeys} from './keys.js';
import {Lessons} from './lesson.js';
import {LoadRules} from './load-rules.js';
import {Predict} from './predict.js';
import {Rules} from './rules.js';
import {
	askWith, Badge, ConnectionForm, SentList, TypeButtons,
} from './send.js';
import {useServer} from './server.js';
import {loadSettings, saveSettings, type Settings} from './settings.js';
import {Stepper} from './steps.js';
import {useWalk} from './use-walk.js';

/** The whole page. */
export function App() {
	const {hello, snapshot, isConnected, problem, page, act: send} = useServer();
	const [settings, setSettings] = useState(loadSettings);
	const [dialog, setDialog] = useState<'none' | 'load' | 'help'>('none');
	const [link, setLink] = useState(() => stateInAddress());

	useEffect(() => {
		const onHash = (): void => {
			setLink(stateInAddress());
		};

		addEventListener('hashchange', onHash);
		return () => {
			removeEventListener('hashchange', onHash);
		};
	}, []);

	const isOther = snapshot !== null && snapshot.holder !== null && snapshot.holder !== page;
	const canAct = hello?.role === 'act' && !isOther;
	const act = canAct ? send : undefined;
	const change = (next: Settings): void => {
		setSettings(next);
		saveSettings(next);
	};

	const goTo = useCallback((panel: Panel): void => {
		if (snapshot !== null && act !== undefined) {
			void act({kind: 'view', view: {...snapshot.view, panel}});
		}
	}, [snapshot, act]);

	usePageKeys({snapshot, act, settings, goTo, change, onDialog: setDialog});

	if (snapshot === null) {
		return <p class='loading'>{problem === null ? 'Waiting for the server …' : `${problem.message} ${problem.hint ?? ''}`}</p>;
	}

	const told = problem ?? snapshot.problem;
	const isNews = link !== undefined && JSON.stringify(link) !== JSON.stringify(snapshot.shared);
	return (
		<>
			<Header
				snapshot={snapshot} panels={['send', 'predict', 'compare', 'lesson']} settings={settings} isConnected={isConnected} act={act}
				onSettings={change} onPanel={goTo}
				onLoad={() => {
					setDialog(dialog === 'load' ? 'none' : 'load');
				}}
				onHelp={() => {
					setDialog(dialog === 'help' ? 'none' : 'help');
				}}
			/>
			{isOther && hello?.role === 'act'
				? <p class='notice'>Another page of yours is acting; this one shows the same. <button type='button' onClick={() => {
					void send({kind: 'take'});
				}}>Take over</button></p>
				: null}
			{isNews && act !== undefined
				? <p class='notice'>The address holds a state: {describe(link)}. <button type='button' class='main' onClick={() => {
					void act({kind: 'restore', state: link});
					setLink(undefined);
				}}>Load it</button> <button type='button' onClick={() => {
					history.replaceState(null, '', location.pathname);
					setLink(undefined);
				}}>Leave it</button></p>
				: null}
			{told === null ? null : <p class='problem' role='alert'>{told.message}{told.hint === null ? null : ` ${told.hint}`}</p>}
			{dialog === 'load' && act !== undefined
				? <LoadRules snapshot={snapshot} act={act} onDone={() => {
					setDialog('none');
				}}/>
				: null}
			{dialog === 'help'
				? <Help onDone={() => {
					setDialog('none');
				}}/>
				: null}
			{snapshot.view.panel === 'lesson'
				? <main class='wide'><Lessons snapshot={snapshot} entries={hello?.lessons ?? []} speed={settings.speed} act={act}/></main>
				: <Room snapshot={snapshot} settings={settings} act={act}/>}
		</>
	);
}

/** What the address holds, as far as it looks like a state. Whether it is one, the server finds out. */
function stateInAddress(): SharedState | undefined {
	const data = dataOfFragment(location.hash) as Partial<SharedState> | null | undefined;
	return typeof data?.rules?.kind === 'string' && Array.isArray(data.edits) ? data as SharedState : undefined;
}

function describe({rules, edits}: SharedState): string {
	return `${rules.kind === 'generated' ? rules.input : rules.name}${edits.length === 0 ? '' : `, ${edits.length} ${edits.length === 1 ? 'change' : 'changes'}`}`;
}

type RoomProps = {readonly snapshot: Snapshot; readonly settings: Settings; readonly act: ((action: Action) => Promise<boolean>) | undefined};

/** Rules, drawing and connections, or a comparison in the place of all. */
function Room({snapshot, settings, act}: RoomProps) {
	const {view, now, before, rules} = snapshot;
	const drawn = now?.connection ?? undefined;
	const {step, current, setStep} = useWalk(drawn, view, act);

	if (view.panel === 'compare') {
		return (
			<main class='wide'>
				<CompareForm snapshot={snapshot} act={act}/>
				<ComparisonResult snapshot={snapshot} act={act}/>
			</main>
		);
	}

	const isPredicting = view.panel === 'predict';
	const isPair = drawn !== undefined && (before?.connection ?? undefined) !== undefined && step === null;
	const ask: ((question: Question) => void) | undefined = act === undefined ? undefined : askWith(act, isPredicting ? 'predict' : 'send');
	return (
		<main class={isPair ? 'room pair-open' : 'room'}>
			<section class='rules' aria-label='Rules'>
				{rules === null
					? <p class='dim'>The first packets are on their way.</p>
					: (
						<>
							<p class='identity'>{rules.identity}</p>
							{rules.edits.length === 0 ? null : <ol class='edits' aria-label='Changes'>{rules.edits.map((edit, index) => <li key={`${index} ${edit}`}>{edit}</li>)}</ol>}
							<Rules rules={rules} current={current} act={act}/>
							{rules.hints.length === 0 ? null : <details><summary>Notes ({rules.hints.length})</summary><ul>{rules.hints.map(hint => <li key={hint}>{hint}</li>)}</ul></details>}
						</>
					)}
			</section>
			<PathPanel snapshot={snapshot} settings={settings} step={step} isPair={isPair} act={act} setStep={setStep}/>
			<section class='connections' aria-label='Connections'>
				<TypeButtons snapshot={snapshot} verb={isPredicting ? 'Guess' : 'Send'} ask={ask}/>
				<div class='more'>
					<details open={settings.size === 'normal'}><summary>Any connection</summary><ConnectionForm snapshot={snapshot} verb={isPredicting ? 'Guess' : 'Send'} ask={ask}/></details>
					<details class='log'><summary>Sent so far ({snapshot.sent.length})</summary><SentList snapshot={snapshot}/></details>
				</div>
			</section>
		</main>
	);
}

type PathProps = RoomProps & {readonly step: number | null; readonly isPair: boolean; readonly setStep: ((step: number | null) => void) | undefined};

/** What is to be guessed, and what came of the last connection. */
function PathPanel({snapshot: {view, now, before, prediction, score}, settings, step, isPair, act, setStep}: PathProps) {
	const isPredicting = view.panel === 'predict';
	return (
		<section class='path' aria-label='Path of the packet'>
			{isPredicting && prediction !== null ? <Predict prediction={prediction} score={score} act={act}/> : null}
			{isPredicting && prediction === null ? <p class='dim'>Choose a connection below. The room guesses the rule that decides, then the packet goes. Score: {score.right} of {score.asked}</p> : null}
			{now === null ? null : <Seen now={now} before={isPair ? before : null} step={step} settings={settings} setStep={setStep}/>}
		</section>
	);
}

type SeenProps = {readonly now: Answer; readonly before: Answer | null; readonly step: number | null; readonly settings: Settings; readonly setStep: ((step: number | null) => void) | undefined};

/** What came of a connection: the outcome with its reasons, the steps, the drawing, and that of before where the rules were changed. */
function Seen({now, before, step, settings, setStep}: SeenProps) {
	const {connection} = now;
	return (
		<>
			<div class='answer'>
				<h2><Badge outcome={now.outcome}/> {now.name} <span class='ms'>{now.durationMs === 0 ? '' : `${now.durationMs} ms`}</span></h2>
				{step === null ? <Reasons reasons={now.reasons}/> : null}
			</div>
			{connection === null ? <p class='inconclusive'>No packet was seen, so nothing is drawn.</p> : <Stepper connection={connection} step={step} speed={settings.speed} setStep={setStep}/>}
			{connection === null
				? null
				: (before?.connection === null || before === null
					? <Drawing id='now' connection={connection} step={step}/>
					: (
						<div class='pair'>
							<Drawing id='before' connection={before.connection} caption='before the change'/>
							<Drawing id='now' connection={connection} caption='now'/>
						</div>
					))}
		</>
	);
}

/** The first reason; the others are folded, so that they do not push the drawing away. */
function Reasons({reasons}: {readonly reasons: readonly string[]}) {
	const [first, ...others] = reasons;
	return first === undefined
		? null
		: (
			<div class='reasons'>
				<p>{first}</p>
				{others.length === 0 ? null : <details><summary>Why, and {others.length === 1 ? 'one more sentence' : `${others.length} more sentences`}</summary><ul>{others.map(reason => <li key={reason}>{reason}</li>)}</ul></details>}
			</div>
		);
}

type KeysProps = {
	readonly snapshot: Snapshot | null;
	readonly act: ((action: Action) => Promise<boolean>) | undefined;
	readonly settings: Settings;
	readonly goTo: (panel: Panel) => void;
	readonly change: (settings: Settings) => void;
	readonly onDialog: (dialog: 'none' | 'load' | 'help') => void;
};

/** The keys of the page; those of the steps, the rules and the guesses are where these are. */
function usePageKeys({snapshot, act, settings, goTo, change, onDialog}: KeysProps): void {
	const ask = (question: Question): void => {
		void act?.({kind: snapshot?.view.panel === 'predict' ? 'predict' : 'send', question});
	};

	useKeys(snapshot === null
		? {}
		: {
			...Object.fromEntries(act === undefined || snapshot.view.panel === 'compare' || snapshot.view.panel === 'lesson'
				? []
				: snapshot.types.slice(0, 9).map(({id}, index) => [String(index + 1), () => {
					ask({kind: 'type', type: id});
				}])),
			u() {
				if (snapshot.canUndo) {
					void act?.({kind: 'undo'});
				}
			},
			y() {
				if (snapshot.canRedo) {
					void act?.({kind: 'redo'});
				}
			},
			f() {
				if (snapshot.rules !== null && snapshot.rules.families.length > 1) {
					void act?.({kind: 'family', family: snapshot.rules.family === 'ipv4' ? 'ipv6' : 'ipv4'});
				}
			},
			s() {
				goTo('send');
			},
			p() {
				goTo('predict');
			},
			c() {
				goTo('compare');
			},
			l() {
				onDialog('load');
			},
			e() {
				goTo('lesson');
			},
			r() {
				document.querySelector<HTMLElement>('[data-rule][tabindex="0"]')?.focus();
			},
			t() {
				change({...settings, theme: settings.theme === 'dark' ? 'light' : 'dark'});
			},
			'+'() {
				change({...settings, size: settings.size === 'normal' ? 'large' : 'huge'});
			},
			'-'() {
				change({...settings, size: settings.size === 'huge' ? 'large' : 'normal'});
			},
			'?'() {
				onDialog('help');
			},
		});
}
