/**
Lessons: a text, a packet, a question, and what the kernel did.
*/

import {useEffect, useState} from 'preact/hooks';
import type {
	Action, LessonEntry, LessonView, Snapshot, View,
} from '../src/workshop/protocol.js';
import {Drawing} from './drawing.js';
import {useKeys} from './keys.js';
import {Text} from './markdown.js';
import type {Settings} from './settings.js';
import {Stepper} from './steps.js';
import {useWalk, type Walk} from './use-walk.js';

type Act = ((action: Action) => Promise<boolean>) | undefined;

/** What the panel needs. `act` is not there for who only watches. */
export type LessonProps = {readonly snapshot: Snapshot; readonly entries: readonly LessonEntry[]; readonly speed: Settings['speed']; readonly act: Act};

/** The list of lessons, or the one in progress. */
export function Lessons({snapshot: {lesson, busy, view}, entries, speed, act}: LessonProps) {
	return lesson === null ? <LessonList entries={entries} act={act}/> : <Lesson lesson={lesson} isBusy={busy !== null} view={view} speed={speed} act={act}/>;
}

function LessonList({entries, act}: {readonly entries: readonly LessonEntry[]; readonly act: Act}) {
	const parts = [...new Set(entries.map(({part}) => part))];
	return (
		<section class='lessons' aria-label='Lessons'>
			{parts.map(part => (
				<section key={part}>
					<h2>{part}</h2>
					<ol>
						{entries.filter(entry => entry.part === part).map(({name, title, minutes}) => (
							<li key={name}><button type='button' disabled={act === undefined} onClick={() => {
								void act?.({kind: 'lesson', name});
							}}>{title}</button> <span class='dim'>{minutes} min</span></li>
						))}
					</ol>
				</section>
			))}
		</section>
	);
}

type StepProps = {readonly lesson: LessonView; readonly isBusy: boolean; readonly view: View; readonly speed: Settings['speed']; readonly act: Act};

/** One step. Keys 1 to 9 choose an answer, or a drawing once the question is over; Enter answers a list or goes on, h asks for a hint. */
function Lesson({lesson, isBusy, view, speed, act}: StepProps) {
	const {title, phase, index, count, intro, text, question, hints, ending, lessonEnding, tally, drawings} = lesson;
	const shown = Math.min(view.example, drawings.length - 1);
	const walk = useWalk(drawings[shown], view, act);
	return (
		<section class='lesson' aria-label={title} aria-busy={isBusy}>
			<div class='lesson-text'>
				<h2>{title} <span class='dim'>{index + 1} of {count}</span></h2>
				<Text blocks={intro}/>
				<Text blocks={text}/>
				<LessonRules rules={lesson.rules} current={walk.current}/>
				{phase === 'show' ? <p class='dim' aria-live='polite'>The packets are on their way.</p> : null}
				<div class='question'><Text blocks={question}/></div>
				<Choices lesson={lesson} act={act}/>
				{hints.map((hint, place) => <div key={place} class='hint'><strong>Hint {place + 1}.</strong> <Text blocks={hint}/></div>)}
				<div aria-live='polite'>
					<Result lesson={lesson}/>
					<Text blocks={ending}/>
				</div>
				{phase === 'ended' ? <><Text blocks={lessonEnding}/><p><strong>{tally.passed} of {count} right{tally.inconclusive === 0 ? '' : `, ${tally.inconclusive} without an answer`}.</strong></p></> : null}
				<Buttons lesson={lesson} act={act}/>
			</div>
			{drawings.length === 0 ? null : <Drawings drawings={drawings} shown={shown} walk={walk} view={view} speed={speed} act={act}/>}
		</section>
	);
}

/** The chains that a step shows, with the rule that the packet has reached. */
function LessonRules({rules, current}: {readonly rules: LessonView['rules']; readonly current: Walk['current']}) {
	return (
		<>
			{rules.map(({chain, rules: own}) => (
				<div key={chain} class='chain'><h3>{chain}</h3><ol>{own.map(({number, text: rule}) => (
					<li key={number} class={current?.chain === chain && current.number === number ? 'current' : ''}><div class='rule'><span class='number'>{number}</span><code>{rule === '' ? 'every packet' : rule}</code></div></li>
				))}</ol></div>
			))}
		</>
	);
}

type DrawingsProps = Omit<StepProps, 'lesson' | 'isBusy'> & {readonly drawings: LessonView['drawings']; readonly shown: number; readonly walk: Walk};

/** What the kernel did, rule by rule; of several connections, one at a time. */
function Drawings({drawings, shown, walk: {step, setStep}, view, speed, act}: DrawingsProps) {
	const connection = drawings[shown]!;
	const show = (example: number): void => {
		void act?.({kind: 'view', view: {...view, step: null, example}});
	};

	useKeys(drawings.length < 2 || act === undefined
		? {}
		: Object.fromEntries(drawings.slice(0, 9).map((_, place) => [String(place + 1), () => {
			show(place);
		}])));

	return (
		<div class='lesson-drawings'>
			{drawings.length < 2
				? null
				: (
					<div class='buttons' role='group' aria-label='Connections'>
						{drawings.map(({title}, place) => <button key={title} type='button' aria-pressed={place === shown} disabled={act === undefined} onClick={() => {
							show(place);
						}}>{place < 9 ? <kbd>{place + 1}</kbd> : null} {title}</button>)}
					</div>
				)}
			<Stepper connection={connection} step={step} speed={speed} setStep={setStep}/>
			<Drawing id='lesson' connection={connection} step={step}/>
		</div>
	);
}

function Choices({lesson: {choices, isList, wrong, right, phase, index}, act}: {readonly lesson: LessonView; readonly act: Act}) {
	const [chosen, setChosen] = useState<readonly string[]>([]);
	const isOpen = phase === 'ask' && act !== undefined;
	useEffect(() => {
		setChosen([]);
	}, [index, wrong.length]);

	const choose = (key: string): void => {
		if (isList) {
			setChosen(chosen.includes(key) ? chosen.filter(other => other !== key) : [...chosen, key]);
		} else {
			void act?.({kind: 'answer', answer: [key]});
		}
	};

	const answer = (): void => {
		void act?.({kind: 'answer', answer: chosen});
	};

	useKeys(isOpen
		? {
			...Object.fromEntries(choices.map(({key}) => [signOf(key), () => {
				choose(key);
			}])),
			...(isList && chosen.length > 0 ? {Enter: answer} : {}),
		}
		: {}, {isFirst: true});

	return (
		<>
			<ol class='candidates'>
				{choices.map(({key, value, text}) => {
					const isRight = right?.includes(value) === true;
					const isWrong = !isList && wrong.some(values => values.includes(value));
					return (
						<li key={key} class={[isRight ? 'right' : '', isWrong ? 'guess' : ''].join(' ').trim()}>
							<button type='button' aria-pressed={isList ? chosen.includes(key) : undefined} disabled={!isOpen} onClick={() => {
								choose(key);
							}}><kbd>{signOf(key)}</kbd> <span>{text}</span>{isRight ? <span class='verdict'>✔</span> : (isWrong ? <span class='verdict'>✖</span> : null)}</button>
						</li>
					);
				})}
			</ol>
			{isList && isOpen ? <p class='buttons'><button type='button' class='main' disabled={chosen.length === 0} onClick={answer}>Answer</button> <span class='dim'>Choose all that are right.</span></p> : null}
		</>
	);
}

/** The key on the keyboard: the tenth choice has the 0. */
function signOf(key: string): string {
	return key === '10' ? '0' : key;
}

function Result({lesson: {result, wrong, phase}}: {readonly lesson: LessonView}) {
	if (result === null) {
		return phase === 'ask' && wrong.length > 0 ? <p class='fail'><strong>Not this one.</strong></p> : null;
	}

	switch (result.kind) {
		case 'right': {
			return <p class='pass'><strong>✔ Right{result.tries === 1 ? '' : `, at try ${result.tries}`}.</strong></p>;
		}

		case 'wrong':
		case 'given-up': {
			return <p class='fail'><strong>{result.kind === 'wrong' ? 'Not this one either.' : 'The answer is marked.'}</strong></p>;
		}

		case 'inconclusive': {
			return <p class='inconclusive'><strong>The evidence is not whole, so nobody is right or wrong: {result.reasons.join(' ')}</strong></p>;
		}
	}
}

function Buttons({lesson: {phase, hasMoreHints}, act}: {readonly lesson: LessonView; readonly act: Act}) {
	const does = (kind: 'hint' | 'give-up' | 'next' | 'close-lesson') => (): void => {
		void act?.({kind});
	};

	useKeys(act === undefined
		? {}
		: {
			...(phase === 'ask' && hasMoreHints ? {h: does('hint')} : {}),
			...(phase === 'told' ? {Enter: does('next'), n: does('next')} : {}),
		});
	return act === undefined
		? null
		: (
			<p class='buttons'>
				{phase === 'told' ? <button type='button' class='main' onClick={does('next')}>Continue</button> : null}
				{phase === 'ask' && hasMoreHints ? <button type='button' onClick={does('hint')}>Hint</button> : null}
				{phase === 'ask' ? <button type='button' onClick={does('give-up')}>Show the answer</button> : null}
				<button type='button' onClick={does('close-lesson')}>All lessons</button>
			</p>
		);
}
