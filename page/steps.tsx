/**
The way of the packet in words, one step at a time, and the buttons that lead through it.
*/

import {useEffect, useState} from 'preact/hooks';
import {type Connection, type DrawnLeg, nameOfStep} from '../src/drawing/connection.js';
import {walkOf, type WalkStep} from '../src/drawing/walk.js';
import {useKeys} from './keys.js';
import {stepMs, type Settings} from './settings.js';

/** What the stepper needs. `setStep` is not there for who only watches. */
export type StepperProps = {readonly connection: Connection; readonly step: number | null; readonly speed: Settings['speed']; readonly setStep: ((step: number | null) => void) | undefined};

/** One step as a head line, a text, and what it means. */
type Told = {readonly head: string; readonly rule: string | null; readonly purpose: string | null; readonly result: string; readonly look: 'missed' | 'matched' | 'decided' | 'end'};

/** A step in words. */
export function tellStep(step: WalkStep, legs: readonly DrawnLeg[]): Told {
	const leg = legs[step.leg]!;
	const number = legs.length === 1 ? '' : `Leg ${step.leg + 1}. `;
	switch (step.kind) {
		case 'open': {
			return {
				head: `${number}${leg.sender.name}${leg.sender.about === null ? '' : ` (${leg.sender.about})`}`, rule: null, purpose: null, result: `opens a connection to ${leg.to}.`, look: 'end',
			};
		}

		case 'rule': {
			const {asked, hook, table, rewrites} = step;
			const changes = rewrites.map(({what, from, to}) => ` The ${what} becomes ${to} (was ${from}).`).join('');
			return {
				head: `${number}${hook.toUpperCase()}, ${nameOfStep(table, asked)}`,
				rule: asked.text === '' ? 'every packet' : asked.text,
				purpose: asked.purpose,
				result: asked.state === 'missed' ? `Does not match: ${asked.because}.` : `${asked.state === 'decided' ? 'Decides' : 'Matches'}: it ${asked.because}.${changes}`,
				look: asked.state,
			};
		}

		case 'policy': {
			return {
				head: `${number}${step.hook.toUpperCase()}, ${step.table === 'nat' ? '' : `${step.table}:`}${step.chain}`, rule: null, purpose: null, result: step.isEmpty ? 'has no rules for this packet: it goes on.' : 'ends without a rule that decides: the policy lets the packet go on.', look: 'end',
			};
		}

		case 'end': {
			return {
				head: `${number}The end`, rule: null, purpose: null, result: leg.end.kind === 'accepted' ? `It arrives at ${leg.endName}.` : `It ends: ${leg.endName}.`, look: leg.end.kind === 'accepted' ? 'end' : 'missed',
			};
		}
	}
}

/** The next step at which something matched, decided or ended. */
function nextMatch(walk: readonly WalkStep[], from: number): number {
	const next = walk.findIndex((step, index) => index > from && (step.kind === 'end' || step.kind === 'open' || (step.kind === 'rule' && step.asked.state !== 'missed')));
	return next === -1 ? walk.length - 1 : next;
}

/** Buttons, the place in the walk, and the step in words. Its keys: space runs and pauses, arrows go to the next and the last rule, with Shift to the next match, Escape shows everything. */
export function Stepper({connection, step, speed, setStep}: StepperProps) {
	const [isRunning, setRunning] = useState(false);
	const walk = walkOf(connection);
	const last = walk.length - 1;

	useEffect(() => {
		setRunning(false);
	}, [connection]);

	useEffect(() => {
		if (!isRunning || setStep === undefined) {
			return undefined;
		}

		const timer = setTimeout(() => {
			if (step === null || step < last) {
				setStep(step === null ? 0 : step + 1);
			} else {
				setRunning(false);
			}
		}, step === null ? 0 : stepMs[speed]);
		return () => {
			clearTimeout(timer);
		};
	}, [isRunning, step, speed, setStep, last]);

	const go = (to: number | null): void => {
		setRunning(false);
		setStep?.(to === null ? null : Math.max(0, Math.min(last, to)));
	};

	const toggle = (): void => {
		if (step === last) {
			setStep?.(0);
		}

		setRunning(!isRunning);
	};

	useKeys(setStep === undefined
		? {}
		: {
			' ': toggle,
			ArrowRight(event) {
				go(event.shiftKey ? nextMatch(walk, step ?? -1) : (step === null ? 0 : step + 1));
			},
			ArrowLeft() {
				go(step === null ? last : step - 1);
			},
			Home() {
				go(0);
			},
			End() {
				go(last);
			},
			Escape() {
				go(null);
			},
		});

	const told = step === null ? undefined : tellStep(walk[Math.min(step, last)]!, connection.legs);
	return (
		<section class='stepper' aria-label='The packet, step by step'>
			<div class='row'>
				{setStep === undefined
					? null
					: (
						<div class='buttons' role='group' aria-label='Steps'>
							<Button name='First step' keys='Home' sign='|◀' isOff={step === 0} onPress={() => {
								go(0);
							}}/>
							<Button name='One rule back' keys='←' sign='◀' isOff={step === 0} onPress={() => {
								go(step === null ? last : step - 1);
							}}/>
							<button type='button' class='main' title='Run or pause (space)' onClick={toggle}>{isRunning ? '❚❚ Pause' : '▶ Run'}</button>
							<Button name='Next rule' keys='→' sign='▶' isOff={step === last} onPress={() => {
								go(step === null ? 0 : step + 1);
							}}/>
							<Button name='Next rule that matches' keys='Shift →' sign='▶▶' isOff={step === last} onPress={() => {
								go(nextMatch(walk, step ?? -1));
							}}/>
							<Button name='Show all of it' keys='Escape' sign='All' isOff={step === null} onPress={() => {
								go(null);
							}}/>
						</div>
					)}
				{told === undefined ? <span class='stops'>{connection.summary}</span> : null}
			</div>
			<div class={told === undefined ? 'told' : 'told steps'} aria-live='polite'>
				{told === undefined
					? null
					: (
						<>
							<p class={`head ${told.look}`}><span class='place'>{(step ?? 0) + 1}/{walk.length}</span> <strong>{told.head}</strong>{told.rule === null ? null : <> <code>{told.rule}</code></>}</p>
							<p class={`result ${told.look}`}>{told.result}{told.purpose === null ? null : <span class='purpose'> {told.purpose}</span>}</p>
						</>
					)}
			</div>
		</section>
	);
}

type ButtonProps = {readonly name: string; readonly keys: string; readonly sign: string; readonly isOff: boolean; readonly onPress: () => void};

function Button({name, keys, sign, isOff, onPress}: ButtonProps) {
	return <button type='button' title={`${name} (${keys})`} aria-label={name} disabled={isOff} onClick={onPress}>{sign}</button>;
}
