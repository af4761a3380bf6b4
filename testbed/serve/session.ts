/**
What the page shows and what it can ask for: one session, one thing at a time. Nothing here knows of HTTP.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import type {
	Action, LessonEntry, MoveDrawings, NumberedView, Problem, Question, RulesChoice, SharedState, Snapshot,
} from '../../src/workshop/protocol.js';
import {TestbedError} from '../errors.js';
import {credentialsOf, type CredentialFlags} from '../inputs/credentials.js';
import {releaseNames} from '../inputs/releases-since.js';
import {AnsweringSandbox} from './answering-sandbox.js';
import type {ChosenRules, RulePermissions} from './chosen-rules.js';
import {Comparisons} from './comparisons.js';
import {LessonSession} from './lesson-session.js';
import {Predictions} from './predictions.js';
import {
	answerIn, askRound, plannedOf, rulesShown, typeRows, type Round,
} from './rounds.js';
import {RuleHistory, type Candidate, type Move} from './rule-history.js';
import {scenarioOf} from './scenario.js';
import {SentLog} from './sent-log.js';
import {SharedView} from './shared-view.js';
import {standingSender} from './standing-sender.js';
import {busyWordsOf, Turns} from './turns.js';

/** What a session begins with, and what it may do. */
export type SessionOptions = RulePermissions & CredentialFlags & {
	/** The rules as the page can name them, and as they were loaded. */
	readonly choice: RulesChoice;
	readonly chosen: ChosenRules;
	readonly family: AddressFamily;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly signal: AbortSignal;
};

/** One session. Who creates it disposes of it. */
export class Session implements AsyncDisposable {
	readonly #options: SessionOptions;
	readonly #sandbox: AnsweringSandbox;
	readonly #rules: RuleHistory;
	readonly #comparisons: Comparisons;
	readonly #predictions = new Predictions();
	readonly #lessons: LessonSession;
	readonly #sent = new SentLog();
	readonly #turns = new Turns(() => {
		this.#changed();
	});

	readonly #listeners: Array<() => void> = [];
	#family: AddressFamily;
	#question: Question | undefined;
	#round: Round | undefined;
	/** That of before the last change of the rules. */
	#before: Round | undefined;
	readonly #view = new SharedView();
	#problem: Problem | null = null;
	#holder: string | null = null;
	#watchers = 0;
	#revision = 0;

	constructor(options: SessionOptions) {
		this.#options = options;
		this.#sandbox = new AnsweringSandbox(options);
		this.#rules = new RuleHistory(options);
		this.#family = options.family;
		this.#lessons = new LessonSession({...options, sender: standingSender(this.#sandbox, options)});
		this.#comparisons = new Comparisons(options, () => {
			this.#changed();
		});
	}

	/**
	Sends the types for the first time, so that there is something to look at.

	@throws {TestbedError} as {@link act}.
	*/
	async begin(): Promise<void> {
		const [first] = this.#options.chosen.rules.mesh.traffic.types;
		await this.#turns.take('sending', async () => this.#askUnder(this.#rules.current(this.#family), first === undefined ? undefined : {kind: 'type', type: first.id}));
	}

	/** The number of the snapshot, without the work of making one. */
	get revision(): number {
		return this.#revision;
	}

	/** Everything that the page shows. */
	get snapshot(): Snapshot {
		const round = this.#round;
		const isGuessing = this.#predictions.isOpen;
		const question = round?.answer?.question;
		return {
			revision: this.#revision,
			rules: round === undefined ? null : rulesShown(round, this.#before, this.#rules.editsInWords),
			types: round === undefined ? [] : typeRows(round, this.#before),
			canUndo: this.#rules.canUndo,
			canRedo: this.#rules.canRedo,
			now: isGuessing ? null : round?.answer ?? null,
			before: isGuessing || question === undefined || this.#before === undefined ? null : answerIn(this.#before, question) ?? null,
			prediction: this.#predictions.prediction,
			score: this.#predictions.score,
			comparison: this.#comparisons.comparison,
			sent: this.#sent.entries,
			...this.view,
			busy: this.#turns.busy,
			problem: this.#problem,
			shared: this.#shared,
			holder: this.#holder,
			watchers: this.#watchers,
			users: this.#credentials(round?.chosen ?? this.#options.chosen),
			releases: releaseNames,
			lesson: this.#lessons.view,
		};
	}

	/** The lessons that come with the testbed. */
	get lessonEntries(): readonly LessonEntry[] {
		return this.#lessons.entries;
	}

	/** What everybody looks at. */
	get view(): NumberedView {
		return this.#view.news;
	}

	/** Calls a listener whenever the snapshot or the view is another. */
	onChange(listener: () => void): void {
		this.#listeners.push(listener);
	}

	/** Notes how many look on. */
	noteWatchers(count: number): void {
		if (count !== this.#watchers) {
			this.#watchers = count;
			this.#changed();
		}
	}

	/** A page is gone; where it could act, the next one can. */
	release(page: string): void {
		if (this.#holder === page) {
			this.#holder = null;
			this.#changed();
		}
	}

	/**
	Does what a page asks for.

	@throws {TestbedError} USAGE while another page acts, or something else is being done; whatever keeps it from being done. The state is then as it was.
	*/
	async act(page: string, action: Action): Promise<void> {
		if (action.kind === 'take') {
			this.#holder = page;
			this.#changed();
			return;
		}

		if (this.#holder !== null && this.#holder !== page) {
			throw new TestbedError('USAGE', {message: 'Another page of yours is acting.', hint: 'Take over, if it is no longer needed.'});
		}

		this.#holder = page;
		if (action.kind === 'view') {
			this.#view.show(action.view);
			this.#tell();
			return;
		}

		const act = async (): Promise<void> => this.#orProblem(async () => this.#do(action));
		const busy = busyWordsOf(action.kind);
		await (busy === undefined ? act() : this.#turns.take(busy, act));
	}

	/** The drawings of one statement of the last comparison; undefined where it has no such statement. */
	drawings(comparison: number, place: number): MoveDrawings | undefined {
		return this.#comparisons.drawings(comparison, place);
	}

	/** The state as a scenario file, with the name of the file; undefined before anything was asked. */
	scenario(): {readonly name: string; readonly text: string} | undefined {
		const round = this.#round;
		return round === undefined
			? undefined
			: scenarioOf({
				round, question: this.#question, credentials: this.#credentials(round.chosen), choice: this.#rules.state.rules, edits: this.#rules.editsInWords,
			});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#listeners.length = 0;
		await Promise.allSettled([this.#turns.ended(), this.#comparisons[Symbol.asyncDispose]()]);
		await this.#sandbox[Symbol.asyncDispose]();
	}

	async #do(action: Exclude<Action, {kind: 'view' | 'take'}>): Promise<void> {
		switch (action.kind) {
			case 'send': {
				this.#predictions.close();
				await this.#send(action.question);
				break;
			}

			case 'rules':
			case 'edit':
			case 'undo':
			case 'redo': {
				await this.#move(action);
				break;
			}

			case 'family': {
				await this.#turnTo(action.family);
				break;
			}

			case 'restore': {
				const {rules, edits, family, question} = action.state;
				this.#predictions.close();
				await this.#askUnder(this.#rules.restored(rules, edits, family), question ?? undefined);
				break;
			}

			case 'predict': {
				this.#predict(action.question);
				break;
			}

			case 'guess': {
				await this.#send(this.#predictions.questionFor(action.candidate));
				this.#predictions.reveal(action.candidate, this.#round!.result, this.#round!.loaded.rules);
				break;
			}

			case 'clear-score': {
				this.#predictions.clear();
				break;
			}

			case 'lesson':
			case 'answer':
			case 'hint':
			case 'give-up':
			case 'next':
			case 'close-lesson': {
				await this.#lessons.take(action);
				this.#view.show({step: null, panel: 'lesson', example: this.#lessons.asked});
				break;
			}

			case 'compare': {
				this.#comparisons.begin(action.from, action.to);
				break;
			}
		}

		this.#changed();
	}

	/** Asks under the rules that count now. What is known of the types stays. */
	async #send(question: Question): Promise<void> {
		const known = this.#round;
		const chosen = known?.chosen ?? this.#rules.current(this.#family).chosen;
		const round = await askRound(this.#sandbox, {
			chosen, family: this.#family, question, credentials: this.#credentials(chosen), withTypes: known === undefined,
		});
		const others = known?.types.filter(({id}) => round.types.every(result => result.id !== id)) ?? [];
		this.#show({...round, types: [...round.types, ...others], hints: known?.hints ?? round.hints}, question);
	}

	/** Asks under other rules, the types as well. They count from then on. */
	async #askUnder(candidate: Candidate, question: Question | undefined): Promise<void> {
		const {chosen, family} = candidate;
		const round = await askRound(this.#sandbox, {
			chosen, family, question, credentials: this.#credentials(chosen), withTypes: true,
		});
		this.#before = family === this.#family ? this.#round : undefined;
		this.#rules.commit(candidate);
		this.#family = family;
		this.#show(round, question);
	}

	#show(round: Round, question: Question | undefined): void {
		this.#round = round;
		this.#question = question;
		this.#view.show({step: null});
		if (round.answer !== undefined) {
			this.#sent.note(round.answer, {source: round.chosen.rules.source, changes: this.#rules.state.edits.length});
		}
	}

	/** A step of the history; the last question is asked again. */
	async #move(move: Move): Promise<void> {
		const candidate = this.#rules.candidate(move, this.#family);
		this.#predictions.close();
		await this.#askUnder(candidate, this.#questionFor(candidate.chosen));
	}

	/** The last question, where other rules have it as well: another mesh has other types. */
	#questionFor({rules: {mesh: {traffic: {types}}}}: ChosenRules): Question | undefined {
		const question = this.#question;
		return question?.kind === 'type' && types.every(({id}) => id !== question.type) ? {kind: 'type', type: types[0]!.id} : question;
	}

	/** The question is asked again where it is one of either family. */
	async #turnTo(family: AddressFamily): Promise<void> {
		const candidate = this.#rules.current(family);
		if (candidate.family !== family) {
			throw new TestbedError('USAGE', {message: `These rules are of ${candidate.chosen.families.join(' and ')} alone.`});
		}

		this.#predictions.close();
		await this.#askUnder(candidate, this.#question?.kind === 'type' ? this.#question : undefined);
	}

	#predict(question: Question): void {
		const round = this.#round;
		if (round === undefined) {
			throw new TestbedError('USAGE', {message: 'No rules are loaded yet.'});
		}

		const {mesh: {traffic}} = round.chosen.rules;
		const from = question.kind === 'connection' ? question.from : traffic.types.find(({id}) => id === question.type)?.actor;
		if (from === undefined) {
			throw new TestbedError('INPUT', {message: 'There is no such type of traffic.'});
		}

		const credentials = this.#credentials(round.chosen);
		const planned = question.kind === 'connection' ? plannedOf(question, this.#family, {rules: round.chosen.rules, credentials}) : undefined;
		this.#predictions.open({
			question, from, family: this.#family, rules: round.loaded.rules, credentials, planned, traffic,
		});
		this.#view.show({step: null, panel: 'predict'});
	}

	#credentials({rules}: ChosenRules): ActorCredentials {
		return credentialsOf(this.#options, rules.intent, rules);
	}

	get #shared(): SharedState {
		const {rules, edits} = this.#rules.state;
		return {
			version: 1, rules, edits, family: this.#family, question: this.#question ?? null,
		};
	}

	async #orProblem(act: () => Promise<void>): Promise<void> {
		try {
			await act();
			this.#problem = null;
		} catch (error) {
			if (error instanceof TestbedError) {
				this.#problem = {message: error.message, hint: error.hint ?? null};
				this.#changed();
			}

			throw error;
		}
	}

	#changed(): void {
		this.#revision++;
		this.#tell();
	}

	#tell(): void {
		for (const listener of this.#listeners) {
			listener();
		}
	}
}
