/**
The room guesses which rule decides, before the packet goes.
*/

import {useEffect, useState} from 'preact/hooks';
import type {Action, Prediction, Score} from '../src/workshop/protocol.js';
import {useKeys} from './keys.js';

/** What the panel needs. `act` is not there for who only watches. */
export type PredictProps = {readonly prediction: Prediction; readonly score: Score; readonly act: ((action: Action) => Promise<boolean>) | undefined};

/** So many rules have a key each. */
const perPage = 9;

/** The candidates with a key each, and the score. Keys 1 to 9 choose, 0 says that no rule decides, Page Up and Page Down turn to more of them. */
export function Predict({prediction, score, act}: PredictProps) {
	const {about, candidates, guess, right} = prediction;
	const isOpen = guess === undefined;
	const [page, setPage] = useState(0);
	const pages = Math.max(1, Math.ceil(candidates.length / perPage));
	// Once the packet has gone, only the guess and the answer count; the drawing shows the rest.
	const all = candidates.map((candidate, place) => ({...candidate, place}));
	const shown = isOpen ? all.slice(page * perPage, (page + 1) * perPage) : all.filter(({place}) => place === guess || right?.includes(place) === true);
	const choose = (candidate: number | null): void => {
		void act?.({kind: 'guess', candidate});
	};

	useEffect(() => {
		setPage(0);
	}, [prediction.about, isOpen]);

	const turn = (by: number) => (): void => {
		setPage((page + by + pages) % pages);
	};

	useKeys(isOpen && act !== undefined
		? {
			0() {
				choose(null);
			},
			...Object.fromEntries(shown.map(({place}) => [String((place % perPage) + 1), () => {
				choose(place);
			}])),
			PageDown: turn(1),
			PageUp: turn(-1),
		}
		: {}, {isFirst: true});

	return (
		<section class='predict' aria-label='Guess the rule that decides'>
			<p class='question'><strong>{about}</strong> {isOpen ? 'Which rule decides on its way?' : null}</p>
			<ol class='candidates'>
				{shown.map(({chain, number, text, place}) => {
					const isRight = right?.includes(place) === true;
					return (
						<li key={`${chain} ${number}`} class={isOpen ? '' : [isRight ? 'right' : '', guess === place ? 'guess' : ''].join(' ').trim()}>
							<button type='button' disabled={!isOpen || act === undefined} onClick={() => {
								choose(place);
							}}>
								<kbd>{(place % perPage) + 1}</kbd> <span class='name'>{chain} {number}</span> <code>{text === '' ? 'every packet' : text}</code>
								{isOpen ? null : <span class='verdict'>{isRight ? '✔ decided' : (guess === place ? '✖ your guess' : '')}</span>}
							</button>
						</li>
					);
				})}
				{isOpen || guess === null || right?.length === 0
					? <li class={isOpen ? '' : [right?.length === 0 ? 'right' : '', guess === null ? 'guess' : ''].join(' ').trim()}>
						<button type='button' disabled={!isOpen || act === undefined} onClick={() => {
							choose(null);
						}}><kbd>0</kbd> <span class='name'>No rule decides</span> <span>the packet goes on as it is</span>{!isOpen && right?.length === 0 ? <span class='verdict'>✔ so it was</span> : null}</button>
					</li>
					: null}
			</ol>
			{isOpen && pages > 1
				? <p class='buttons'><button type='button' onClick={() => {
					setPage((page + 1) % pages);
				}}>More rules ({page + 1} of {pages}, Page Down)</button></p>
				: null}
			<p class='score' aria-live='polite'>
				<strong>{verdictOf(prediction)}</strong>{' '}
				Score: {score.right} of {score.asked}
			</p>
		</section>
	);
}

/** How the guess came out, in a word or two; nothing as long as it is open. */
function verdictOf({guess, right}: Prediction): string {
	if (guess === undefined) {
		return '';
	}

	if (right === null || right === undefined) {
		return 'The evidence is not whole, so this one does not count.';
	}

	const isRight = guess === null ? right.length === 0 : right.includes(guess);
	return isRight ? 'Right.' : 'Not this one.';
}
